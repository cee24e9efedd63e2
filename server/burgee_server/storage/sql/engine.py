"""Opens the control store and brings its tables up to date."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, event, func, inspect, make_url, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from burgee_server.errors import Damaged, Unavailable

_MIGRATING = 0x42555200
"""The advisory lock of whoever brings the tables up to date; locks.py has the others."""

MIGRATIONS = Path(__file__).parent / "migrations"

POOL_CONNECTIONS = 10
POOL_SECONDS = 5.0
"""How long a call waits for one of them."""
ANSWER_SECONDS = 5.0
"""A PostgreSQL that has let no transaction begin for so long cannot be reached."""

# A server that does not answer is given up after seconds, not after the quarter of an hour that TCP would take.
_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "burgee",
}


class Database:
    """A database of the control store, as transactions that read and transactions that write.

    `sqlite+aiosqlite:///file` or `postgresql+psycopg://user:password@host/database`.
    """

    def __init__(self, url: str) -> None:
        if make_url(url).get_backend_name() == "sqlite":
            self._engine: AsyncEngine = create_async_engine(url, hide_parameters=True)
            self._reader = self._engine
            self._writer = self._engine.execution_options(burgee_writes=True)
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        else:
            self._engine = create_async_engine(
                url,
                hide_parameters=True,
                connect_args=_POSTGRESQL,
                pool_size=POOL_CONNECTIONS,
                max_overflow=0,
                pool_timeout=POOL_SECONDS,
                pool_pre_ping=True,  # one that a restart of the server has cut is found out before it is used
            )
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # Each statement of a writer sees what was committed before it. What must not change in between is locked:
            # a row (FOR UPDATE), the counter of profiles, or a turn.
            self._writer = self._engine.execution_options(isolation_level="READ COMMITTED")
        # SQLite has one writer at a time, and lets those that wait ask again and again: one may never have its turn.
        self._turn: AbstractAsyncContextManager[Any] = nullcontext() if self.is_shared else asyncio.Lock()
        self._endings: set[asyncio.Future[None]] = set()
        self._where = f"the control store {self._engine.url.render_as_string(hide_password=True)}"

    @property
    def is_shared(self) -> bool:
        """Whether several nodes can be on it."""
        return self._engine.dialect.name != "sqlite"

    async def migrate(self) -> None:
        """Bring the tables up to date; an up-to-date database is not changed. Raises Damaged if it cannot be read."""
        try:
            async with self._writer.begin() as connection:
                await connection.run_sync(_upgrade, self._where)
        except OperationalError as error:
            kind = Unavailable if self.is_shared else Damaged
            raise kind(f"{self._where} cannot be opened: {error.orig}") from error
        except DatabaseError as error:
            raise Damaged(f"{self._where} cannot be read: {error.orig}; restore it from a backup") from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the store."""
        with _told():
            async with self._answering(self._reader) as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, or rolled back by an exception. On SQLite in turn."""
        with _told():
            async with self._turn, self._answering(self._writer) as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own, without transactions: for what lasts as long as it does."""
        with _told():
            engine = create_async_engine(
                self._engine.url,
                hide_parameters=True,
                connect_args=_POSTGRESQL,
                poolclass=NullPool,
                isolation_level="AUTOCOMMIT",
            )
            async with engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _answering(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection whose other end has just answered. Raises Unavailable if none does in ANSWER_SECONDS.

        A server, or a balancer before it, that takes what it is sent and says nothing is not noticed by TCP.
        """
        connection = await self._opened(engine) if self.is_shared else await engine.connect()
        try:
            yield connection
        finally:
            await asyncio.shield(self._ending(connection.close()))  # as `async with connection` would

    async def _opened(self, engine: AsyncEngine) -> AsyncConnection:
        opening = asyncio.ensure_future(engine.connect().start())
        try:
            # Not wait_for(): the driver takes ten seconds to give a statement up, for which nobody should wait.
            done, _ = await asyncio.wait({opening}, timeout=ANSWER_SECONDS)
        except asyncio.CancelledError:
            self._give_up(opening)
            raise
        if not done:
            self._give_up(opening)
            raise Unavailable(f"the control store has not answered in {ANSWER_SECONDS:.0f} s")
        return opening.result()

    def _give_up(self, opening: asyncio.Future[AsyncConnection]) -> None:
        """Nobody waits for a connection any more: one that comes is closed."""
        opening.cancel()
        self._ending(_closed(opening))

    def _ending(self, work: Coroutine[Any, Any, None]) -> "asyncio.Future[None]":
        """Have done what goes on when nobody waits for it any more, before the store is closed."""
        self._endings.add(ending := asyncio.ensure_future(work))
        ending.add_done_callback(self._endings.discard)
        return ending

    async def close(self) -> None:
        """Close every connection: those, too, that are being opened or given back, if they answer."""
        if self._endings:
            await asyncio.wait(self._endings, timeout=ANSWER_SECONDS)
        await self._engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    """Trouble of the database, such as a full disk, is not the caller's fault and may pass."""
    try:
        yield
    except (InterfaceError, OperationalError, PoolTimeoutError) as error:
        raise Unavailable("the control store cannot be read or written now") from error


async def _closed(opening: asyncio.Future[AsyncConnection]) -> None:
    """Close what is being opened, if anything comes of it; where nothing does, that has been told already."""
    try:
        connection = await opening
    except (asyncio.CancelledError, Exception):
        return
    await connection.close()


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


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        # Of nodes that start at once, one migrates and the others find it done. The lock goes with the transaction.
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
    if _is_newest(connection):
        return
    from alembic import command  # a tenth of the time that a start takes, for what most starts have no use for
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Damaged(f"{where} was written by a newer Burgee: upgrade this one ({error})") from error


def _is_newest(connection: Connection) -> bool:
    """Whether the last migration, by the numbers that their files begin with, was the last one here."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    at = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return at == [max(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))]
