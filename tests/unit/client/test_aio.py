"""The client for asyncio: the same as Client, suspending where that one blocks."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from burgee import AsyncClient, Client, ErrorCode, QueryError, Reason
from burgee.v1 import flags_pb2, funnel_pb2, trend_pb2
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from tests.unit.client.fakes import Failure, Feed, Recorder, unused_target
from tests.unit.client.streamed import change, flag, snapshot, wait_for
from tests.unit.client.test_hostile import GROUPS, PROPERTIES, TEXTS, VALUES

METHODS = [name for name in dir(Client) if not name.startswith("_")]
AWAITED = {
    "all_flags",
    "ask",
    "close",
    "explain",
    "flush",
    "funnel",
    "is_enabled",
    "ready",
    "resolve",
    "trend",
    "value",
    "variant",
}


@pytest.fixture
async def client(server: Recorder) -> AsyncIterator[AsyncClient]:
    """Talks to the recording server."""
    client = AsyncClient(server.target, "the-key", flush_interval=0.01, flag_timeout=5.0, exposures=False)
    yield client
    await client.close(0)


def begun(coroutine: Any) -> Any:
    """What a coroutine returns that never suspends; fails if it does."""
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    return done.value.value


@pytest.mark.parametrize("name", [*METHODS, "__init__"])
def test_the_twins_have_the_same_methods_with_the_same_arguments(name: str) -> None:
    """Names, kinds, defaults and types; what is awaited is what may wait."""
    blocking, suspending = inspect.getattr_static(Client, name), inspect.getattr_static(AsyncClient, name)
    if isinstance(blocking, property):
        assert suspending is blocking
        return
    assert inspect.iscoroutinefunction(suspending) == (name in AWAITED)
    if name != "stub":  # which takes a channel of another kind
        assert inspect.signature(suspending) == inspect.signature(blocking)


def test_nothing_is_awaited_that_the_blocking_client_lacks() -> None:
    """Neither twin has a method of its own."""
    assert [name for name in dir(AsyncClient) if not name.startswith("_")] == METHODS
    assert set(METHODS) > AWAITED


async def test_a_check_from_memory_does_not_suspend(client: AsyncClient, server: Recorder, feed: Feed) -> None:
    """Once flags are there, the answer is there when the coroutine has been begun; of all flags, too."""
    assert await client.ready()
    assert begun(client.is_enabled("f", "ann", company="acme")) is True
    assert begun(client.variant("f", "ann", groups={"company": "globex"})) == "off"
    assert begun(client.value("f", "ann", "text", company="acme")) == "text"
    assert begun(client.resolve("f", company="acme")).reason is Reason.TARGETING_MATCH
    assert begun(client.all_flags(company="acme"))["f"].value is True
    assert begun(client.resolve("nothing")).error_code is ErrorCode.FLAG_NOT_FOUND
    assert [type(request) for request in server.requests] == [flags_pb2.WatchRequest]


async def test_the_first_check_waits_for_the_stream_and_the_loop_goes_on(server: Recorder) -> None:
    """Half of the timeout at most, then the server is asked; other tasks run meanwhile."""
    server.watch = Feed()
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution=flags_pb2.Resolution(flag_key=request.flag_key, reason=flags_pb2.REASON_SPLIT, variant="asked")
    )
    async with AsyncClient(server.target, flag_timeout=0.5, exposures=False) as client:
        first = asyncio.create_task(client.variant("f"))
        await asyncio.to_thread(server.wait_for, lambda: bool(server.of(flags_pb2.WatchRequest)))
        assert not first.done()
        assert await first == "asked"
        server.watch.send(snapshot("e.1", flag()))
        assert await client.ready()
        assert begun(client.variant("f")) == "off"


async def test_a_hundred_calls_at_once_take_no_threads_and_block_nobody(server: Recorder) -> None:
    """While the server hangs, the loop runs; when it answers, everybody has an answer."""
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution=flags_pb2.Resolution(flag_key=request.flag_key, reason=flags_pb2.REASON_SPLIT, variant="asked")
    )
    server.hold.clear()
    async with AsyncClient(server.target, flag_timeout=30.0, local_evaluation=False, exposures=False) as client:
        checks = [asyncio.create_task(client.variant(f"f{number}")) for number in range(100)]
        await asyncio.to_thread(server.wait_for, lambda: len(server.requests) >= 8)  # one for each of its threads
        assert not any(check.done() for check in checks)
        server.hold.set()
        assert await asyncio.gather(*checks) == ["asked"] * 100


async def test_a_cancelled_check_cancels_its_call(server: Recorder) -> None:
    """The task ends at once, and the server need not go on."""
    server.hold.clear()
    async with AsyncClient(server.target, flag_timeout=3_600, local_evaluation=False) as client:
        check = asyncio.create_task(client.is_enabled("f"))
        await asyncio.to_thread(server.wait_for, lambda: bool(server.contexts))
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check
        await asyncio.to_thread(wait_for, lambda: not server.contexts[0].is_active())
        server.hold.set()


async def test_a_server_that_does_not_answer_is_the_default(server: Recorder) -> None:
    """Whether it is away or hangs: within the timeout, and told in the resolution."""
    async with AsyncClient(unused_target(), flag_timeout=3_600) as client:
        assert await client.is_enabled("f", "ann", default=True)
        assert await client.all_flags("ann") == {}
        assert (await client.explain("f", "ann")).resolution.error_code == flags_pb2.ERROR_CODE_PROVIDER_NOT_READY
    server.hold.clear()
    async with AsyncClient(server.target, flag_timeout=0.05, local_evaluation=False) as client:
        assert (await client.resolve("f")).error_message.startswith("DEADLINE_EXCEEDED")
        server.hold.set()


async def test_capture_and_profiles_are_called_and_flush_is_awaited(client: AsyncClient, server: Recorder) -> None:
    """What never waits is not awaited; close sends what is left."""
    client.capture("seen", "ann", company="acme")
    client.identify("ann", {"role": "admin"})
    client.group("company", "acme", {"plan": "pro"})
    assert await client.flush()
    assert client.stats.sent == 3
    client.capture("seen", "bob")
    assert await client.close() == 0
    assert [event.distinct_id for event in server.events] == ["ann", "bob"]


async def test_exposures_are_captured(server: Recorder, feed: Feed) -> None:
    """As by the blocking client."""
    async with AsyncClient(server.target, flag_timeout=5.0) as client:
        for _ in range(3):
            assert await client.is_enabled("f", "ann", company="acme")
    assert [event.event for event in server.events] == ["$feature_flag_called"]


async def test_questions_are_awaited_and_raise_query_errors(client: AsyncClient, server: Recorder) -> None:
    """Trend and funnel, with the same errors."""
    server.answer = lambda request: (
        trend_pb2.QueryTrendResponse(rows=[{"label": "seen", "total": 3}])
        if isinstance(request, trend_pb2.QueryTrendRequest)
        else funnel_pb2.QueryFunnelResponse(rows=[{"steps": [{"label": "a", "count": 2}]}])
    )
    assert (await client.trend("seen")).rows[0].total == 3
    assert (await client.funnel(["a", "b"])).rows[0].steps[0].count == 2
    server.failures.append(Failure(grpc.StatusCode.INVALID_ARGUMENT, "steps: too few"))
    with pytest.raises(QueryError, match="too few"):
        await client.funnel(["a"])


async def test_stubs_are_awaited_and_streams_are_read_with_async_for(
    client: AsyncClient, server: Recorder, feed: Feed
) -> None:
    """With the key on each call, and errors as they come."""
    stub = client.stub(FlagServiceStub)
    assert stub is client.stub(FlagServiceStub)
    await stub.Evaluate(flags_pb2.EvaluateRequest(flag_key="f"), timeout=5)
    assert server.metadata[-1]["authorization"] == "Bearer the-key"
    server.failures.append(Failure(grpc.StatusCode.NOT_FOUND))
    with pytest.raises(grpc.RpcError):
        await stub.Evaluate(flags_pb2.EvaluateRequest(flag_key="f"))
    seen = []
    async for message in stub.Watch(flags_pb2.WatchRequest()):
        seen.append(message.version)
        if len(seen) == 2:
            break
        feed.send(change("e.2", flag(version=2)))
    assert seen == ["e.1", "e.2"]


async def test_one_client_serves_several_loops(client: AsyncClient, feed: Feed) -> None:
    """Nothing is bound to the loop on which it was made."""
    server_checks = [await asyncio.to_thread(asyncio.run, client.is_enabled("f", company="acme")) for _ in range(2)]
    assert server_checks == [True, True]
    assert await client.is_enabled("f", company="acme")


async def test_whatever_is_passed_nothing_raises(client: AsyncClient, feed: Feed) -> None:
    """As with the blocking client."""
    assert await client.is_enabled("f", company="acme")
    for thing in (*TEXTS, *VALUES, *PROPERTIES, *GROUPS):
        await client.resolve(thing, thing, groups=thing, properties=thing, company=thing)
        assert await client.is_enabled("f", "ann", properties=thing, group_properties=thing) is False
        await client.all_flags(thing, company=thing)
        await client.explain(thing, thing)


async def test_a_closed_client_gives_defaults() -> None:
    """And questions raise, as with the blocking client."""
    client = AsyncClient(unused_target())
    await client.close()
    assert await client.is_enabled("f", default=True)
    assert not await client.ready()
    with pytest.raises(RuntimeError, match="closed"):
        await client.trend("seen")
