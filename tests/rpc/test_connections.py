"""Connections that ping too often, that are too many or too old, and those of a server that stops."""

import asyncio
import logging
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from burgee.v1 import flags_pb2, trend_pb2
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from burgee.v1.insights_pb2_grpc import InsightServiceStub
from burgee_server.flags import Watch
from burgee_server.rpc import crowd
from burgee_server.rpc.flags import FlagServicer
from burgee_server.rpc.insights import InsightServicer
from burgee_server.rpc.server import EVALUATE, RpcServer
from burgee_server.rpc.sockets import hang_up
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import NATIVE_CALLS, Transport
from tests.rpc.frames import (
    ACK,
    GOAWAY,
    HEADERS,
    HELLO,
    PING,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    frame,
    headers,
    read_frame,
    read_frame_at_once,
)

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
def serving(server, admin):
    """Serves the session's server once more, with another transport, to channels with options of their own."""

    @asynccontextmanager
    async def serve(transport=Transport(), servicers=None, streams=None):  # noqa: B008 - frozen
        house = server.house
        open_streams = streams or OpenStreams()
        rpc = RpcServer(servicers or house.servicers, house.gate, open_streams, house.limits, house.calls, transport)
        port = await rpc.start("127.0.0.1:0")
        await rpc.ready()
        channels = []

        def connect(**options):
            own = {"use_local_subchannel_pool": 1, **options}
            channel = grpc.aio.insecure_channel(
                f"127.0.0.1:{port}", options=[(f"grpc.{name.replace('__', '.')}", each) for name, each in own.items()]
            )
            channels.append(channel)
            return channel

        connect.address = "127.0.0.1", port
        try:
            yield rpc, connect
        finally:
            await asyncio.gather(*(channel.close() for channel in channels))
            await rpc.stop(0)

    return serve


async def test_a_client_that_pings_all_the_time_is_not_thrown_out(serving, admin):
    """flagd's clients do every millisecond; gRPC would end the connection, and all calls on it, after four pings.

    In bytes, as gRPC's own client does not ping as often as it is told to; a channel that is told to goes on, too.
    """
    async with serving() as (_, connect), asyncio.timeout(20):
        channel = connect(keepalive_time_ms=1, keepalive_permit_without_calls=1, http2__max_pings_without_data=0)
        stream = FlagServiceStub(channel).Watch(flags_pb2.WatchRequest(heartbeat_seconds=1), metadata=key(admin))
        assert (await stream.read()).snapshot
        reader, writer = await asyncio.open_connection(*connect.address)
        writer.write(HELLO)
        for number in range(100):
            writer.write(frame(PING, number.to_bytes(8)))
            while (answer := await read_frame(reader)) != (PING, number.to_bytes(8)):
                assert answer[0] != GOAWAY, answer
        writer.close()
        assert (await stream.read()).version
        stream.cancel()


async def test_no_more_connections_than_the_setting(serving, admin):
    """One more is closed at once; when another goes, there is room again."""
    async with serving(Transport(most_connections=2)) as (_, connect), asyncio.timeout(20):
        first, second, third = connect(), connect(), connect()
        for channel in (first, second):
            await evaluate(channel, admin)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await evaluate(third, admin)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        await first.close()
        await evaluate(third, admin, wait_for_ready=True)


async def test_no_more_connections_than_the_setting_on_native(serving, admin, monkeypatch):
    """Two more are accepted, and hung up on at the next look; the first go on, and when one goes there is room.

    Those who were there are known to be by a look in between: the numbers of the system say it more or less.
    """
    loop, both_known, thin_out = asyncio.get_running_loop(), asyncio.Event(), crowd.Crowd.thin_out

    def look(self):
        thin_out(self)
        if len(self._known) == 2:
            loop.call_soon_threadsafe(both_known.set)

    monkeypatch.setattr(crowd, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(crowd.Crowd, "thin_out", look)
    async with serving(Transport(native=True, most_connections=2)) as (_, connect), asyncio.timeout(20):
        first, second = connect(), connect()
        for channel in (first, second):
            await evaluate(channel, admin)
        await both_known.wait()
        others = [await asyncio.open_connection(*connect.address) for _ in range(2)]
        for reader, writer in others:
            writer.write(HELLO)
            await reader.read()
            writer.close()
        for channel in (first, second):
            await evaluate(channel, admin)
        await first.close()
        await evaluate(connect(), admin, wait_for_ready=True)


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_no_more_calls_on_a_connection_than_the_setting(serving, server, admin, native):
    """A client waits with one more until another has ended, and has been told so. Other connections do not notice."""
    begun, may_end = asyncio.Semaphore(0), asyncio.Event()
    async with (
        serving(Transport(native, connection_calls=3), held(server.house, begun.release, may_end)) as (_, connect),
        asyncio.timeout(20),
    ):
        full = connect()
        calls = [asyncio.create_task(evaluate(full, admin)) for _ in range(4)]
        for _ in range(3):
            await begun.acquire()
        calls.append(asyncio.create_task(evaluate(connect(), admin)))
        await begun.acquire()
        assert begun.locked()
        may_end.set()
        await asyncio.gather(*calls)


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_streams_never_take_up_all_the_calls_that_a_connection_may_have(serving, admin, native):
    """A client with more of them is told to go on elsewhere: all begin, and go on, and calls have room.

    On one channel, which opens as many connections as that takes, and leaves none before its streams have ended.
    """
    open_streams = OpenStreams()
    transport = Transport(native, connection_calls=4)
    async with serving(transport, streams=open_streams) as (_, connect), asyncio.timeout(20):
        channel = connect()
        request = flags_pb2.WatchRequest(heartbeat_seconds=1)
        streams = [FlagServiceStub(channel).Watch(request, metadata=key(admin)) for _ in range(20)]
        for stream in streams:
            assert (await stream.read()).snapshot
        await evaluate(channel, admin)
        for stream in streams:
            assert (await stream.read()).version
            stream.cancel()
        assert open_streams.detours.told >= 4


async def test_questions_do_not_hold_up_flag_checks_on_their_channel(serving, admin, monkeypatch):
    """Of more than a connection may have, all begin, though none has ended, and a check is answered meanwhile."""
    begun, may_end = asyncio.Semaphore(0), asyncio.Event()

    async def answers(*_question):
        begun.release()
        await may_end.wait()
        return trend_pb2.QueryTrendResponse()

    monkeypatch.setattr(InsightServicer, "QueryTrend", answers)
    async with serving(Transport(native=True)) as (_, connect), asyncio.timeout(20):
        channel = connect()
        ask = InsightServiceStub(channel).QueryTrend
        asked = [ask(trend_pb2.QueryTrendRequest(), metadata=key(admin)) for _ in range(NATIVE_CALLS * 2)]
        await asyncio.gather(*(begun.acquire() for _ in asked))
        await evaluate(channel, admin)
        may_end.set()
        await asyncio.gather(*asked)


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_many_calls_at_once_on_one_channel_are_all_answered(serving, admin, native):
    """More than a connection may have where nothing is set: the client waits with some, and none is refused.

    Those for the health, too, which gRPC's own server answers behind the native transport.
    """
    async with serving(Transport(native)) as (_, connect), asyncio.timeout(60):
        channel = connect()
        await asyncio.gather(*(evaluate(channel, admin) for _ in range(300)))
        health = health_pb2_grpc.HealthStub(channel)
        answers = await asyncio.gather(*(health.Check(health_pb2.HealthCheckRequest()) for _ in range(300)))
        assert {answer.status for answer in answers} == {SERVING}


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_who_does_not_wait_with_one_more_call_is_refused_that_one(serving, admin, native):
    """With HTTP/2's code for what no server has begun, which clients may send again; the others go on."""
    async with serving(Transport(native, connection_calls=3)) as (_, connect), asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*connect.address)
        writer.write(HELLO)
        while (await read_frame(reader))[0] != SETTINGS:
            pass
        writer.write(frame(SETTINGS, flags=ACK))
        for number in range(4):
            writer.write(headers(number, EVALUATE, admin.secret))
        while (ended := await read_frame(reader))[0] != RST_STREAM:
            assert ended[0] != GOAWAY
        assert ended[1] == REFUSED_STREAM
        writer.close()


async def test_a_late_call_counts_until_it_is_taken_out_of_the_core(serving, admin):
    """On grpcio, whose core has answered three while the event loop is busy here: it takes one more, and no other."""
    async with serving(Transport(connection_calls=3)) as (_, connect):
        with socket.create_connection(connect.address, timeout=20) as caller, caller.makefile("rb") as answers:
            caller.sendall(HELLO + frame(SETTINGS, flags=ACK))
            caller.sendall(b"".join(headers(number, EVALUATE, admin.secret, "1m") for number in range(3)))
            answered = 0
            while answered < 3:
                answered += read_frame_at_once(answers)[0] == HEADERS
            caller.sendall(b"".join(headers(number, EVALUATE, admin.secret) for number in (3, 4)))
            while read_frame_at_once(answers) != (RST_STREAM, REFUSED_STREAM):
                pass


async def test_an_old_connection_is_left_for_a_new_one_without_a_failed_call(serving, server, admin):
    """Calls go on meanwhile; a stream ends well, is opened again where it was, and that is on another connection."""
    house = server.house
    watch = Watch(house.watch._catalog, house.watch._profiles, house.watch._cohorts, 10, 1.0)
    flags = FlagServicer(house.servicers.flags._checks, house.servicers.flags._answers, watch)
    peers, answer = set(), flags.Evaluate

    async def noting_peers(request, context):
        peers.add(context.peer())
        return await answer(request, context)

    flags.Evaluate = noting_peers
    flags.at_once = lambda *_question: None  # so that every call comes by there
    servicers = replace(house.servicers, flags=flags)
    async with serving(Transport(False, 0.5, 10.0), servicers) as (_, connect), asyncio.timeout(20):
        channel = connect()
        version, snapshots = "", 0
        while len(peers) < 3:
            stream = FlagServiceStub(channel).Watch(flags_pb2.WatchRequest(version=version), metadata=key(admin))
            async for message in stream:
                version = message.version
                snapshots += message.snapshot
                await evaluate(channel, admin)
            assert await stream.code() is grpc.StatusCode.OK
        assert snapshots == 1
    watch.close()


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_a_server_that_stops_says_so_before_it_stops(serving, admin, native):
    """Health says NOT_SERVING, to who asks and to who watches, while calls are still answered; then they are not."""
    async with serving(Transport(native)) as (rpc, connect), asyncio.timeout(20):
        channel = connect()
        health = health_pb2_grpc.HealthStub(channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watching.read()).status == SERVING
        stopping = asyncio.create_task(rpc.stop(60, notice_seconds=60))
        assert (await watching.read()).status == NOT_SERVING
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == NOT_SERVING
        await evaluate(channel, admin)
        stopping.cancel()


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_who_is_told_to_go_away_goes_to_the_next_of_its_addresses(serving, admin, native):
    """And not back to the server that stops, which has calls to finish and would turn away what comes."""
    async with serving(Transport(native)) as (rpc, connect), serving(Transport(native)) as (_, other):
        stops, stays = (f"127.0.0.1:{each.address[1]}" for each in (connect, other))
        options = (("grpc.default_authority", "burgee"),)
        async with grpc.aio.insecure_channel(f"ipv4:{stops},{stays}", options=options) as channel, asyncio.timeout(20):
            await evaluate(channel, admin)
            running = rpc._running.begin()
            stopping = asyncio.create_task(rpc.stop(60))
            await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
            await evaluate(channel, admin)
            assert not stopping.done()
            rpc._running.end(running)
            await stopping


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_a_stop_is_nothing_that_the_log_warns_of(serving, admin, native, caplog):
    """It listens no more, and then the transport cannot accept: that is meant."""
    with caplog.at_level(logging.WARNING):
        async with serving(Transport(native)) as (_, connect), asyncio.timeout(20):
            await evaluate(connect(), admin)
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_who_watches_health_does_not_hold_up_a_server_that_stops(serving, native):
    """Without a notice, too, NOT_SERVING is the last that is heard; the server does not wait for its grace to end."""
    async with serving(Transport(native)) as (rpc, connect), asyncio.timeout(20):
        watching = health_pb2_grpc.HealthStub(connect()).Watch(health_pb2.HealthCheckRequest())
        assert (await watching.read()).status == SERVING
        await rpc.stop(3_600)
        assert (await watching.read()).status == NOT_SERVING


@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_a_connection_is_told_to_go_away_while_calls_run_and_ends_when_they_are_answered(
    serving, server, admin, native
):
    """In bytes, as gRPC's own client does not tell: GOAWAY, of calls to come, without an error; then the end."""
    begun, may_end = asyncio.Event(), asyncio.Event()
    async with (
        serving(Transport(native), held(server.house, begun.set, may_end)) as (rpc, connect),
        asyncio.timeout(20),
    ):
        reader, writer = await asyncio.open_connection(*connect.address)
        writer.write(HELLO)
        while (await read_frame(reader))[0] != SETTINGS:
            pass
        running = asyncio.create_task(evaluate(connect(), admin))
        await begun.wait()
        stopping = asyncio.create_task(rpc.stop(60))
        while (told := await read_frame(reader))[0] != GOAWAY:
            pass
        assert told[1] == ((1 << 31) - 1).to_bytes(4) + bytes(4)
        assert not running.done()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await evaluate(connect(), admin)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        may_end.set()
        await running
        await stopping
        assert await reader.read() in (b"", frame(GOAWAY, told[1]))
        writer.close()


def held(house, begun, may_end):
    """The servicers of a house whose Evaluate calls `begun` and waits until it `may_end`."""
    flags = FlagServicer(house.servicers.flags._checks, house.servicers.flags._answers, house.watch)

    async def evaluates(_question, _context):
        begun()
        await may_end.wait()
        return b""

    flags.Evaluate = evaluates
    flags.at_once = lambda *_question: None  # so that every call comes by there
    return replace(house.servicers, flags=flags)


def key(admin):
    """The metadata that a call needs."""
    return (("authorization", f"Bearer {admin.secret}"),)


async def evaluate(channel, admin, **options):
    """Check a flag that is not there."""
    request = flags_pb2.EvaluateRequest(flag_key="f")
    return await FlagServiceStub(channel).Evaluate(request, metadata=key(admin), **options)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a socket that listens cannot be shut down")
@pytest.mark.parametrize("native", [False, True], ids=["grpcio", "native"])
async def test_who_is_back_as_soon_as_the_line_is_cut_finds_nobody(serving, native):
    """Which is UNAVAILABLE. gRPC would take the calls of that last millisecond, and answer them with CANCELLED."""
    async with serving(Transport(native=native)) as (_, connect), asyncio.timeout(20):
        await health_pb2_grpc.HealthStub(connect()).Check(health_pb2.HealthCheckRequest())
        hang_up(connect.address[1])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*connect.address)
