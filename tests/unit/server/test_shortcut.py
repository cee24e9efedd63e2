"""Calls that the door answers at once, on gRPC's own transport: past grpc.aio, unless they cannot be."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc._cython import cygrpc

from burgee_server.rpc import grpcio, shortcut
from burgee_server.rpc.line import Intake

METHOD = "/burgee.v1.FlagService/Evaluate"


class Door(grpc.aio.ServerInterceptor):
    """Answers what begins with "known" at once, and refuses who says so; counts what comes the ordinary way."""

    late = let_in = 0

    def answers_at_once(self, method):
        return method == METHOD

    def let_in_at_once(self, method, metadata):
        who = dict(metadata)["who"]
        return None if method != METHOD or who in ("nobody", "bob") else who

    def answer_let_in(self, _method, who, message):
        return message + b" by " + who.encode() if message.startswith(b"known") else None

    async def intercept_service(self, continuation, handler_call_details):
        self.let_in += 1
        if dict(handler_call_details.invocation_metadata)["who"] == "nobody":
            return grpc.stream_unary_rpc_method_handler(refuse)
        return await continuation(handler_call_details)

    def count_late(self):
        self.late += 1


async def refuse(_messages, context):
    """As the door does."""
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who?", (("x-request-id", "r1"),))


@asynccontextmanager
async def serving(behaviour=None):
    """A real server whose one method the door may answer."""

    async def answer(message, _context):
        return b"read: " + message

    service, _, name = METHOD[1:].partition("/")
    door = Door()
    server = grpcio.GrpcioServer(door, ())
    server.add_registered_method_handlers(service, {name: grpc.unary_unary_rpc_method_handler(behaviour or answer)})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, door, server
    finally:
        await server.stop(0)


async def ask(channel, message, who="ann", timeout=20):
    """Make a call."""
    return await channel.unary_unary(METHOD)(message, metadata=(("who", who),), timeout=timeout)


async def test_what_the_door_answers_at_once_comes_to_no_handler():
    """It is asked with what the caller sent, and the caller has its answer."""
    async with serving() as (channel, door, _):
        assert await asyncio.gather(*(ask(channel, b"known %d" % n, f"u{n}") for n in range(200))) == [
            b"known %d by u%d" % (n, n) for n in range(200)
        ]
        assert door.let_in == 0


async def test_what_it_cannot_answer_goes_on_the_ordinary_way_with_the_same_message():
    """Also to whoever refuses, whose words and metadata come back."""
    async with serving() as (channel, door, _):
        assert await ask(channel, b"new") == b"read: new"
        assert await ask(channel, b"known", "bob") == b"read: known"  # who is let in after a while
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(channel, b"new", "nobody")
        assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.UNAUTHENTICATED, "who?")
        assert ("x-request-id", "r1") in tuple(refused.value.trailing_metadata())
        assert door.let_in == 3


async def test_who_is_not_let_in_is_told_so_before_any_message_has_come():
    """It may be a large one."""
    async with asyncio.timeout(20), serving() as (channel, _, _):
        call = channel.stream_unary(METHOD)(metadata=(("who", "nobody"),))
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_who_goes_the_ordinary_way_is_cancelled_at_its_deadline_and_when_its_caller_goes():
    """As grpc.aio does it."""
    began, ended = asyncio.Queue(), asyncio.Queue()

    async def never(message, _context):
        began.put_nowait(message)
        try:
            await asyncio.Future()
        finally:
            ended.put_nowait(message)

    async with asyncio.timeout(20), serving(never) as (channel, _, _):
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await ask(channel, b"late", timeout=0.1)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert [await began.get(), await ended.get()] == [b"late"] * 2

        gone = asyncio.create_task(ask(channel, b"gone"))
        assert await began.get() == b"gone"
        gone.cancel()
        assert await ended.get() == b"gone"


async def test_who_sends_no_message_holds_up_nobody(caplog):
    """More of them than calls are asked for at a time, some of whom go without having sent any."""
    async with asyncio.timeout(20), serving() as (channel, _, _):
        silent = [channel.stream_unary(METHOD)(metadata=(("who", "silent"),)) for _ in range(300)]
        await asyncio.gather(*(call.wait_for_connection() for call in silent))
        assert await ask(channel, b"known") == b"known by ann"
        for call in silent[:200]:
            call.cancel()
        assert await ask(channel, b"known") == b"known by ann"
        for number, call in enumerate(silent[200:]):
            await call.write(b"known %d" % number)
        for number, call in enumerate(silent[200:]):
            await call.done_writing()
            assert await call == b"known %d by silent" % number
    assert not caplog.records


async def test_a_call_behind_a_storm_begins_among_the_first(monkeypatch):
    """Of 5,001, ten connections have sent 500 each before it: it begins in the first turns of the loop."""
    begun, all_begun = [], asyncio.Event()

    class Context:
        def __init__(self, call, *_):
            self._call = call

        def peer(self):
            return self._call[0]

        def time_remaining(self):
            return self._call[1]

    async def answer(_self, call, _context):
        begun.append(call)
        if len(begun) == 5_001:
            all_begun.set()

    async def request():
        if not waiting:
            await asyncio.Future()
        return waiting.popleft()

    monkeypatch.setattr(cygrpc, "_ServicerContext", Context)
    monkeypatch.setattr(shortcut.Shortcut, "_answer", answer)
    storm = [(connection, None, n) for n in range(500) for connection in range(10)]
    waiting = deque([*storm, ("late", 0.0, 0), ("honest", None, 0)])
    door, loop = Door(), asyncio.get_running_loop()
    line = shortcut.Shortcut(Intake(request, lambda: True, door, loop, 64), METHOD, None)
    async with asyncio.timeout(20):
        await all_begun.wait()
    for taking in line.taking:
        taking.cancel()

    assert begun.index(("honest", None, 0)) < 64
    assert [call for call in begun if call[0] == 3] == [call for call in storm if call[0] == 3]
    assert door.late == 1


async def test_a_line_that_has_failed_says_so_to_grpc_aio():
    """Which ends with its server; nobody else would notice that no calls come."""

    async def fail():
        raise cygrpc._RequestCallError("failed")

    loop = asyncio.get_running_loop()
    line = shortcut.Shortcut(Intake(fail, lambda: False, Door(), loop, 64), METHOD, None)
    with pytest.raises(cygrpc._RequestCallError):
        await line.ended


async def test_a_server_that_stops_ends_the_calls_that_wait_and_those_that_run():
    """No task of the server stays behind."""
    before, began, ended = asyncio.all_tasks(), asyncio.Semaphore(0), []

    async def never(message, _context):
        began.release()
        try:
            await asyncio.Future()
        finally:
            ended.append(message)

    async with asyncio.timeout(20), serving(never) as (channel, _, server):
        calls = [asyncio.create_task(ask(channel, b"new")) for _ in range(50)]
        silent = channel.stream_unary(METHOD)(metadata=(("who", "silent"),))
        await silent.wait_for_connection()
        for _ in calls:
            await began.acquire()
        await server.stop(0)
        outcomes = await asyncio.gather(*calls, silent, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {grpc.aio.AioRpcError}
        await asyncio.gather(*(asyncio.all_tasks() - before - {asyncio.current_task()}))
    assert len(ended) == 50
