"""Questions of several API keys at a time."""

import asyncio

from grpc import StatusCode
from grpc.aio import AioRpcError

from burgee.v1 import admin_pb2, common_pb2, trend_pb2
from tests.fixtures.server import caller
from tests.rpc.conftest import refused
from tests.rpc.insight_calls import trend, use


async def test_a_key_may_have_as_many_questions_under_way_as_it_says_and_no_more(admin, loaded, server, monkeypatch):
    """The next is refused at once, with when to come back; whoever has another key does not notice."""
    usage = await use(admin, loaded)
    keys = (await admin.admin.ListApiKeys(admin_pb2.ListApiKeysRequest())).api_keys
    limit = admin_pb2.UpdateApiKeyRequest(api_key_id=keys[0].api_key_id, queries_at_a_time=2)
    assert (await admin.admin.UpdateApiKey(limit)).api_key.queries_at_a_time == 2
    other = await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="other", role=admin_pb2.KEY_ROLE_READER))
    somebody = caller(server.target, other.secret)

    warehouse, held, go_on = server.house.stores.warehouse, asyncio.Semaphore(0), asyncio.Event()
    query = warehouse.query

    async def held_query(*question):
        held.release()
        await go_on.wait()
        return await query(*question)

    with monkeypatch.context() as patch:
        patch.setattr(warehouse, "query", held_query)
        waiting = [asyncio.ensure_future(trend(usage)) for _ in range(2)]
        async with asyncio.timeout(20):
            for _ in waiting:
                await held.acquire()
    with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
        await trend(usage)
    assert refusal.retry_after
    assert (await trend(somebody.insights)).rows[0].total == 5
    go_on.set()
    assert [each.rows[0].total for each in await asyncio.gather(*waiting)] == [5, 5]
    await somebody.channel.close()

    with refused(StatusCode.DEADLINE_EXCEEDED):
        await usage.QueryTrend(trend_pb2.QueryTrendRequest(series=[{}]), timeout=0.001)
    async with asyncio.timeout(20):  # what was answered, refused or given up makes room
        while True:
            both = await asyncio.gather(trend(usage), trend(usage), return_exceptions=True)
            if not any(isinstance(each, AioRpcError) for each in both):
                break
    assert [each.rows[0].total for each in both] == [5, 5]


async def test_the_warehouse_is_told_which_key_asks(admin, loaded, server, monkeypatch):
    """Every statement of a question, so that those of one key do not wait for those of another."""
    usage = await use(admin, loaded)
    other = await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="other", role=admin_pb2.KEY_ROLE_READER))
    somebody = caller(server.target, other.secret)
    warehouse, askers = server.house.stores.warehouse, []
    query = warehouse.query

    async def watched(statement, *rest):
        askers.append(statement.asker)
        return await query(statement, *rest)

    monkeypatch.setattr(warehouse, "query", watched)
    everything = common_pb2.TimeRange(start="all")
    await trend(usage, range=everything)
    [mine] = set(askers)
    assert mine
    askers.clear()
    await trend(somebody.insights, range=everything)
    assert mine != other.api_key.api_key_id
    assert set(askers) == {other.api_key.api_key_id}
    await somebody.channel.close()
