"""Every adapter of every port, so that each contract runs on all of them."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sqlite.journal import SqliteJournal


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A control store without tables, on each kind of database."""
    if request.param == "postgresql":
        database = Database(request.getfixturevalue("postgres_database"))
    else:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")
    yield database
    await database.close()


@pytest.fixture
async def database(empty_database: Database) -> Database:
    """A control store, empty and migrated."""
    await empty_database.migrate()
    return empty_database


class OpenJournals:
    """Opens the same journal again and again, as a process that is restarted does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[SqliteJournal] = []

    def open(self, max_bytes: int = 1 << 20, unix_seconds: Callable[[], float] = time.time) -> SqliteJournal:
        """The journal, and its quarantine."""
        journal = SqliteJournal(self._path, max_bytes, unix_seconds)
        self._open.append(journal)
        return journal

    async def close(self) -> None:
        """Close those that are still open."""
        for journal in self._open:
            await journal.close()


@pytest.fixture(params=["sqlite"])
async def journals(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenJournals]:
    """A journal of each kind, and the means to open it again."""
    assert request.param == "sqlite"
    journals = OpenJournals(tmp_path / "journal.db")
    yield journals
    await journals.close()
