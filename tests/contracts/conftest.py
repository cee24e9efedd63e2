"""Every adapter of every port, so that each contract runs on all of them."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from burgee_server.ports.access import Authorship
from burgee_server.storage.held import HoldingJournal
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.redis.connection import connect
from burgee_server.storage.redis.journal import RedisJournal
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.contracts.warehouses import warehouse_in
from tests.fixtures.postgres import MigratedSchema, new_schema


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A control store without tables, on each kind of database."""
    if request.param == "postgresql":
        database = Database(request.getfixturevalue("postgres_database"))
    else:
        database = Database(_sqlite(tmp_path))
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a control store with nothing in its tables. To migrate each would cost more than most tests do."""
    if request.param == "postgresql":
        tables: MigratedSchema = request.getfixturevalue("migrated_schema")
        tables.empty()
        return tables.url
    shutil.copytree(request.getfixturevalue("migrated_directory"), tmp_path, dirs_exist_ok=True)
    return _sqlite(tmp_path)


@pytest.fixture
async def database(migrated: str) -> AsyncIterator[Database]:
    """A control store, empty and migrated."""
    database = Database(migrated)
    yield database
    await database.close()


@pytest.fixture
async def environments(database: Database) -> tuple[int, int]:
    """Two environments of one project, by id."""
    access, by = SqlAccess(database), Authorship("tests", datetime(2026, 3, 1, tzinfo=UTC))
    await access.create_project("p", "P", by)
    staging = await access.create_environment("p", "staging", by)
    return (await access.environment("p", "production")).environment_id, staging.environment_id


@pytest.fixture(scope="session")
def migrated_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a SQLite control store, to be copied."""
    path = tmp_path_factory.mktemp("migrated")
    asyncio.run(_migrate(_sqlite(path)))
    return path


@pytest.fixture(scope="session")
def migrated_schema(postgres: str) -> MigratedSchema:
    """A schema of PostgreSQL with all tables, to be emptied for each test."""
    url = new_schema(postgres)
    asyncio.run(_migrate(url))
    return MigratedSchema(url)


def _sqlite(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path / 'control.db'}"


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


class OpenJournals:
    """Opens the same journal again and again, as a process that is restarted does."""

    def __init__(self, make: Callable[[int, Callable[[], float]], Any]) -> None:
        self._make = make
        self._open: list[Any] = []

    def open(self, max_bytes: int = 1 << 20, unix_seconds: Callable[[], float] = time.time) -> Any:
        """The journal, and its quarantine."""
        journal = self._make(max_bytes, unix_seconds)
        self._open.append(journal)
        return journal

    async def close(self) -> None:
        """Close those that are still open."""
        for journal in self._open:
            await journal.close()


def _holding(path: Path, max_bytes: int, unix_seconds: Callable[[], float]) -> Any:
    """A node's journal with another behind it, which is not needed here."""
    shared = SqliteJournal(path / "journal.db", max_bytes, unix_seconds)
    own = SqliteJournal(path / "held.db", max_bytes, unix_seconds)
    journal: Any = HoldingJournal(shared, own, holds=True, unix_seconds=unix_seconds)
    journal.quarantine = shared.quarantine
    return journal


@pytest.fixture(params=["sqlite", "redis", "holding"])
async def journals(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenJournals]:
    """A journal of each kind, and the means to open it again."""
    if request.param == "redis":
        url, prefix = request.getfixturevalue("redis_url"), request.getfixturevalue("redis_prefix")
        turns = LocalTurns()
        journals = OpenJournals(lambda *bounds: RedisJournal(connect(url), bounds[0], turns, bounds[1], prefix))
    elif request.param == "holding":
        journals = OpenJournals(lambda *bounds: _holding(tmp_path, *bounds))
    else:
        journals = OpenJournals(lambda *bounds: SqliteJournal(tmp_path / "journal.db", *bounds))
    yield journals
    await journals.close()


warehouse = warehouse_in("default", "session")
