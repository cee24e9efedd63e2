"""A ClickHouse server that takes what it is sent and says nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from burgee_server.errors import TimedOut
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse, warehouse
from tests.contracts.stored import rows
from tests.faults.proxy import Proxy
from tests.fixtures.clickhouse import ClickHouse
from tests.fixtures.warehouse import Environment, Fact, batch, new_environment

FAR_BELOW_THE_LIMIT_OF_A_STATEMENT = 60.0


@pytest.fixture
async def way(clickhouse: ClickHouse) -> AsyncIterator[Proxy]:
    """That to the server."""
    way = Proxy(clickhouse.address)
    yield way
    way.close()


@pytest.fixture
async def beyond(clickhouse: ClickHouse, way: Proxy) -> AsyncIterator[Environment]:
    """A new environment, whose warehouse reaches its server by the way."""
    async with AsyncExitStack() as stack:
        opened = await ClickHouseWarehouse.open(clickhouse.dsn.replace(clickhouse.address, way.address))
        stack.push_async_callback(opened.close)
        stack.callback(way.mend)
        yield new_environment(opened)


async def test_who_closes_it_waits_no_longer_than_a_moment(
    beyond: Environment, way: Proxy, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the process: an insert, a removal and questions are given up. Loaded again, the batch is there once."""
    monkeypatch.setattr(warehouse, "CLOSING_SECONDS", 0.2)
    await beyond.load(Fact())
    payload = batch(beyond.environment_id, Fact(), Fact())
    way.cut()
    under_way = [
        asyncio.create_task(beyond.warehouse.load(payload)),
        asyncio.create_task(beyond.warehouse.expire({beyond.environment_id: Fact().timestamp})),
        *(asyncio.create_task(beyond.warehouse.query(Statement(f"SELECT {number}"))) for number in range(3)),
    ]
    await asyncio.wait(under_way, timeout=0.2)
    for each in under_way:
        each.cancel()

    async with asyncio.timeout(FAR_BELOW_THE_LIMIT_OF_A_STATEMENT):
        outcomes = await asyncio.gather(*under_way, return_exceptions=True)
        await beyond.warehouse.close()

    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
    way.mend()
    other = Environment(await ClickHouseWarehouse.open(clickhouse.dsn), beyond.environment_id)
    try:
        await other.warehouse.load(payload, again=True)
        found = await rows(other, "SELECT count() FROM events FINAL WHERE environment_id = {e:UInt32}")
    finally:
        await other.warehouse.close()
    assert found[0][0] == 3


async def test_who_asks_may_still_give_up_when_it_is_closed(
    beyond: Environment, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that was left behind, and is cancelled or too late only then, ends as any other does."""
    monkeypatch.setattr(warehouse, "CLOSING_SECONDS", 0.1)
    await beyond.load(Fact())
    way.cut()
    asked = asyncio.create_task(beyond.warehouse.query(Statement("SELECT 1")))
    late = asyncio.create_task(beyond.warehouse.query(Statement("SELECT 2"), timeout=1.0))
    await asyncio.wait([asked, late], timeout=0.1)
    async with asyncio.timeout(FAR_BELOW_THE_LIMIT_OF_A_STATEMENT):
        await beyond.warehouse.close()
        asked.cancel()
        outcomes = await asyncio.gather(asked, late, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, TimedOut]
