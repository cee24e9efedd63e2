"""What PostgreSQL keeps nodes apart with: advisory locks, each on a connection of its own."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from burgee_server.causes import cause
from burgee_server.errors import BurgeeError
from burgee_server.storage.sql.engine import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

# The first of the two numbers that PostgreSQL knows a lock by; engine.py has one more, for migrations.
_TURNS = 0x42555201
_LEASE = 0x42555202

TRY_SECONDS = 0.5
"""How often a node that waits asks whether the lease is free."""
BEAT_SECONDS = 2.0
BEAT_TIMEOUT_SECONDS = 5.0
"""A node that hears nothing for so long lets go. PostgreSQL takes a dead node's lock away later than that."""

# PostgreSQL finds out that a node is gone by probing its connection: after 5 s of silence, four times, 3 s apart.
_PROBES = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 3", "tcp_keepalives_count = 4")


class SqlTurns:
    """A turn is a transaction that holds the lock: one that loses its connection has lost its turn, and nothing else.

    What it wrote meanwhile was in transactions of their own. On one node, who waits waits in the process, so that each
    environment has one connection at most.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def __getitem__(self, environment_id: int) -> AbstractAsyncContextManager[None]:
        return self._turn(environment_id)

    @asynccontextmanager
    async def _turn(self, environment_id: int) -> AsyncIterator[None]:
        async with self._here[environment_id], self._database.apart() as connection:
            await connection.execute(select(func.pg_advisory_lock(_TURNS, environment_id)))
            yield  # the lock goes with the connection


class SqlLease:
    """A lock of a session, which ends with the process, and with it the lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session = AsyncExitStack()
        self._connection: AsyncConnection | None = None

    async def take(self) -> None:
        """See the port. While the database is away, it is waited for."""
        while True:
            try:
                if await self._try():
                    return
            except (BurgeeError, DBAPIError, OSError) as error:
                log.warning("cannot ask for the lease now: %s", cause(error))
                await self.give()
            await asyncio.sleep(TRY_SECONDS)

    async def lost(self) -> None:
        """See the port."""
        while (connection := self._connection) is not None:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                async with asyncio.timeout(BEAT_TIMEOUT_SECONDS):
                    await connection.execute(text("SELECT 1"))
            except (DBAPIError, TimeoutError, OSError):
                await self.give()

    async def give(self) -> None:
        """See the port."""
        session, self._session, self._connection = self._session, AsyncExitStack(), None
        with suppress(BurgeeError, DBAPIError, TimeoutError, OSError):  # one that cannot be closed is gone, or will be
            async with asyncio.timeout(BEAT_TIMEOUT_SECONDS):
                await session.aclose()

    async def _try(self) -> bool:
        if self._connection is None:
            connection = await self._session.enter_async_context(self._database.apart())
            for probe in _PROBES:
                await connection.execute(text(f"SET {probe}"))
            self._connection = connection
        return bool((await self._connection.execute(select(func.pg_try_advisory_lock(_LEASE, 0)))).scalar_one())
