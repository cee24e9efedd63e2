"""A control store that takes what it is sent and says nothing."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import make_url, text

from burgee_server.errors import Unavailable
from burgee_server.storage.sql import engine
from burgee_server.storage.sql.engine import POOL_CONNECTIONS, Database
from tests.faults.proxy import Proxy


async def ask(database: Database, *, writing: bool = False) -> int:
    """One transaction."""
    async with database.writing() if writing else database.reading() as connection:
        return int((await connection.execute(text("SELECT 1"))).scalar_one())


async def test_transactions_fail_in_seconds_on_connections_that_were_there_and_on_new_ones(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the pool has connections, at once and after each other; when it speaks again, so do they."""
    url = make_url(postgres_database)
    way = Proxy(f"{url.host}:{url.port}")
    host, _, port = way.address.rpartition(":")
    database = Database(url.set(host=host, port=int(port)).render_as_string(hide_password=False))
    try:
        assert await asyncio.gather(*(ask(database) for _ in range(3))) == [1, 1, 1]
        way.cut()
        monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.5)
        for writing in (False, True):
            async with asyncio.timeout(4):  # the driver by itself takes ten to give a statement up
                asked = [ask(database, writing=writing) for _ in range(POOL_CONNECTIONS + 2)]
                outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {Unavailable}
        monkeypatch.undo()
        way.mend()
        async with asyncio.timeout(60):
            assert await ask(database) == await ask(database, writing=True) == 1
    finally:
        way.mend()
        await database.close()
        way.close()


async def test_a_transaction_that_is_given_up_as_it_is_connected_leaves_no_connection_behind(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled in the very turn in which the connection is there: as often as would leave none for others."""
    database, wait = Database(postgres_database), asyncio.wait

    async def cancelled_as_it_is_done(*given: Any, **options: Any) -> None:
        await wait(*given, **options)
        raise asyncio.CancelledError

    try:
        assert await ask(database) == 1
        monkeypatch.setattr(asyncio, "wait", cancelled_as_it_is_done)
        for _ in range(POOL_CONNECTIONS):
            with pytest.raises(asyncio.CancelledError):
                await ask(database)
        monkeypatch.undo()
        async with asyncio.timeout(20):
            assert await asyncio.gather(*(ask(database) for _ in range(POOL_CONNECTIONS))) == [1] * POOL_CONNECTIONS
    finally:
        monkeypatch.undo()
        await database.close()
