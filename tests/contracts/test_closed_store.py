"""What a control store that is closed leaves behind."""

import asyncio
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.storage.sql.engine import Database


@contextmanager
def no_connection_left_open() -> Iterator[None]:
    """One that is collected as garbage while it is open says so."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    assert [str(each.message) for each in said if "onnection" in str(each.message)] == []


class Slow:
    """Connections that take a while to be given back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leaving, self._may_leave = asyncio.Event(), asyncio.Event()
        close = AsyncConnection.close

        async def close_slowly(connection: AsyncConnection) -> None:
            self.leaving.set()
            await self._may_leave.wait()
            await close(connection)

        monkeypatch.setattr(AsyncConnection, "close", close_slowly)

    async def closed_meanwhile(self, database: Database, before: "set[asyncio.Task[Any]]") -> None:
        """Close the store while one is given back, and wait for every task that was not there before."""
        closing = asyncio.create_task(database.close())
        for _ in range(20):
            await asyncio.sleep(0)
        self._may_leave.set()
        await closing
        if behind := asyncio.all_tasks() - before:
            await asyncio.wait(behind)


async def test_what_is_given_back_while_the_store_is_closed_is_closed_too(
    migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Giving a connection back goes on when nobody waits for it any more; then there would be no pool to take it."""
    before, slow = asyncio.all_tasks(), Slow(monkeypatch)

    async def use(database: Database) -> None:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def cancelled_as_it_leaves(database: Database) -> None:
        using = asyncio.create_task(use(database))
        await slow.leaving.wait()
        using.cancel()
        await asyncio.wait({using})
        await slow.closed_meanwhile(database, before)

    with no_connection_left_open():
        await cancelled_as_it_leaves(Database(migrated))


async def test_what_is_opened_for_nobody_while_the_store_is_closed_is_closed_too(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wanted it was cancelled in the very turn in which the connection is there."""
    before, slow, wait = asyncio.all_tasks(), Slow(monkeypatch), asyncio.wait

    async def cancelled_as_it_is_done(*given: Any, **options: Any) -> None:
        await wait(*given, **options)
        raise asyncio.CancelledError

    async def opened_for_nobody(database: Database) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "wait", cancelled_as_it_is_done)
            with pytest.raises(asyncio.CancelledError):
                await database.reading().__aenter__()
        await slow.closed_meanwhile(database, before)

    with no_connection_left_open():
        await opened_for_nobody(Database(postgres_database))
