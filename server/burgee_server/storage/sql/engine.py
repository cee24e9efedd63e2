"""Opens the control store and brings its tables up to date."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from burgee_server.errors import Damaged, Unavailable


class Database:
    """A database of the control store, as transactions that read and transactions that write."""

    def __init__(self, url: str) -> None:
        self._engine: AsyncEngine = create_async_engine(url, hide_parameters=True)
        self._where = f"the control store {self._engine.url.render_as_string(hide_password=True)}"
        self._writer = self._engine.execution_options(burgee_writes=True)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)

    async def migrate(self) -> None:
        """Bring the tables up to date; an up-to-date database is not changed. Raises Damaged if it cannot be read."""
        try:
            async with self._writer.begin() as connection:
                await connection.run_sync(_upgrade)
        except CommandError as error:
            raise Damaged(f"{self._where} was written by a newer Burgee: upgrade this one ({error})") from error
        except OperationalError as error:
            raise Damaged(f"{self._where} cannot be opened: {error.orig}") from error
        except DatabaseError as error:
            raise Damaged(f"{self._where} cannot be read: {error.orig}; restore it from a backup") from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the store."""
        with _told():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, or rolled back by an exception."""
        with _told():
            async with self._writer.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    """Trouble of the database, such as a full disk, is not the caller's fault and may pass."""
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        raise Unavailable("the control store cannot be read or written now") from error


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    """WAL lets readers read while one writes; FULL makes a commit survive a power loss; what is deleted is zeroed."""
    connection.isolation_level = None  # BEGIN is ours: see _begin_sqlite
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 10000",
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock when it begins: one that upgrades later may find it taken, and fail."""
    writes = connection.get_execution_options().get("burgee_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
