"""The other transport, behind the same door. BURGEE_TEST_TRANSPORT=native has it carry all tests."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import burgee
from burgee.v1 import admin_pb2, capture_pb2, flag_admin_pb2, flags_pb2, profiles_pb2
from burgee_server.rpc.server import SERVICES, RpcServer
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import Transport
from tests.fixtures.server import caller
from tests.rpc.conftest import refused


@pytest.fixture
async def native(server):
    """Where the session's server is served once more."""
    house, transport = server.house, Transport(native=True)
    rpc = RpcServer(house.servicers, house.gate, OpenStreams(), house.limits, house.calls, transport)
    port = await rpc.start("127.0.0.1:0")
    await rpc.ready()
    yield f"127.0.0.1:{port}"
    await rpc.stop(0)


@pytest.fixture
async def somebody(native, admin):
    """An admin of a new project, who calls it."""
    somebody = caller(native, admin.secret)
    yield somebody
    await somebody.channel.close()


async def test_calls_are_answered_and_what_was_captured_is_there(somebody, admin, loaded):
    """A flag, checked twice; a profile; an event, found through the other transport."""
    request = flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="f", enabled=True))
    await somebody.flag_admin.CreateFlag(request)
    question = flags_pb2.EvaluateRequest(flag_key="f", context=flags_pb2.EvaluationContext(distinct_id="ann"))
    first, again = await somebody.flags.Evaluate(question), await somebody.flags.Evaluate(question)
    assert first == again == await admin.flags.Evaluate(question)
    assert first.resolution.reason == flags_pb2.REASON_STATIC
    await somebody.send(capture_pb2.Event(event="e", distinct_id="ann"))
    await loaded()
    events = await admin.profiles.ListEvents(profiles_pb2.ListEventsRequest(distinct_id="ann"))
    assert [event.event for event in events.events] == ["e"]


async def test_what_is_wrong_is_told_as_on_the_other(native, somebody):
    """Fields, no key, a wrong key, an unknown method, a message that is too large; and it stays up."""
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "flag_key"):
        await somebody.flags.Evaluate(flags_pb2.EvaluateRequest())
    with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await somebody.channel.unary_unary("/burgee.v1.FlagService/EvaluateAll")(b"\xff")
    for secret in ("", "nobody's"):
        nobody = caller(native, secret)
        with refused(grpc.StatusCode.UNAUTHENTICATED):
            await nobody.flags.EvaluateAll(flags_pb2.EvaluateAllRequest())
        with refused(grpc.StatusCode.UNAUTHENTICATED):
            await nobody.flags.Watch(flags_pb2.WatchRequest()).read()
        await nobody.channel.close()
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        await somebody.channel.unary_unary("/burgee.v1.FlagService/Nothing")(b"")
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        await somebody.channel.unary_unary("/burgee.v1.CaptureService/Capture")(b"\x0a" * (17 << 20))
    await somebody.flags.EvaluateAll(flags_pb2.EvaluateAllRequest())


async def test_what_is_answered_at_once_is_let_in_and_counted_as_any_call(server, native, somebody, admin):
    """Checks that rest on memory alone: counted, named if the caller named them, and refused with their key."""
    await somebody.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="f", enabled=True)))
    question = flags_pb2.EvaluateRequest(flag_key="f", context=flags_pb2.EvaluationContext(distinct_id="ann"))
    asked = admin_pb2.CreateApiKeyRequest(name="passing", role=admin_pb2.KEY_ROLE_SERVICE)
    created = await admin.admin.CreateApiKey(asked)
    passing = caller(native, created.secret)
    first = await passing.flags.Evaluate(question)
    counts = server.house.calls.by_method["/burgee.v1.FlagService/Evaluate"].codes
    before = counts["OK"]
    assert [await passing.flags.Evaluate(question) for _ in range(3)] == [first] * 3
    assert counts["OK"] == before + 3
    named = passing.flags.Evaluate(question, metadata=[("x-request-id", "mine")])
    assert ("x-request-id", "mine") in tuple(await named.trailing_metadata())
    with refused(grpc.StatusCode.PERMISSION_DENIED):
        await passing.flag_admin.ListFlags(flag_admin_pb2.ListFlagsRequest())
    await admin.admin.RevokeApiKey(admin_pb2.RevokeApiKeyRequest(api_key_id=created.api_key.api_key_id))
    with refused(grpc.StatusCode.UNAUTHENTICATED):
        await passing.flags.Evaluate(question)
    await passing.channel.close()


async def test_a_thousand_calls_at_once_are_all_answered_and_others_meanwhile(somebody, admin):
    """The event loop takes calls out itself while there are any: those with a task of their own get their turn, too."""
    await somebody.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="f", enabled=True)))
    question = flags_pb2.EvaluateRequest(flag_key="f", context=flags_pb2.EvaluationContext(distinct_id="ann"))
    at_once = [somebody.flags.Evaluate(question) for _ in range(1_000)]
    others = [somebody.flags.EvaluateAll(flags_pb2.EvaluateAllRequest()) for _ in range(20)]
    async with asyncio.timeout(60):
        answers = [await call for call in at_once]
        assert {answer.resolution.reason for answer in answers} == {flags_pb2.REASON_STATIC}
        assert {len((await call).resolutions) for call in others} == {1}
        assert (await somebody.flags.Evaluate(question)).resolution.reason == flags_pb2.REASON_STATIC


async def test_a_client_in_memory_hears_of_changes(native, somebody):
    """The stream of changes, and the sync client's own calls."""

    def run():
        with burgee.Client(native, somebody.secret, flag_timeout=20) as client:
            assert client.ready(20)
            assert client.resolve("f").error_code is burgee.ErrorCode.FLAG_NOT_FOUND
            asyncio.run_coroutine_threadsafe(create(), loop).result(20)
            while client.resolve("f").error_code is not None:
                pass

    async def create():
        await somebody.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="f")))

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(run)


@pytest.mark.parametrize("target", ["ipv4:{0},127.0.0.1:1", "ipv4:///{0},{0}", "ipv4:{0}", "dns:///{0}"])
async def test_a_client_that_is_given_several_addresses_is_answered(native, somebody, target):
    """gRPC's own would send them all as the name of the server, and have every call refused for it: INTERNAL."""

    def run():
        with burgee.Client(target.format(native), somebody.secret, flag_timeout=20) as client:
            return client.resolve("f").error_code

    assert await asyncio.to_thread(run) is burgee.ErrorCode.FLAG_NOT_FOUND


async def test_a_call_whose_time_is_up_and_one_that_is_given_up_end(somebody):
    """With the caller's own status, and without harm to others on the connection."""
    stream = somebody.flags.Watch(flags_pb2.WatchRequest(), timeout=0.3)
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        async for _ in stream:
            pass
    stream = somebody.flags.Watch(flags_pb2.WatchRequest())
    await stream.read()
    stream.cancel()
    await somebody.flags.EvaluateAll(flags_pb2.EvaluateAllRequest())


async def test_health_and_reflection_answer(native):
    """Reflection is a stream of requests, which the native server hands to gRPC's own behind it."""
    async with grpc.aio.insecure_channel(native) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", *SERVICES):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        stream = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        [answer] = [answer async for answer in stream]
    assert set(SERVICES) <= {service.name for service in answer.list_services_response.service}


async def test_those_who_do_not_read_hold_up_nobody_else(native, somebody):
    """Streams whose changes nobody takes, and for which there is no more room: the event loop's threads stay free."""
    host, _, port = native.rpartition(":")
    writers = [await open_watch(host, port, somebody.secret) for _ in range(20)]
    reading = somebody.flags.Watch(flags_pb2.WatchRequest())
    assert (await reading.read()).snapshot
    keys = [f"f{number:02}" for number in range(20)]
    for key in keys:
        flag = flags_pb2.Flag(key=key, description="long " * 10_000)
        await somebody.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag))
    async with asyncio.timeout(20):
        heard = []
        while len(heard) < len(keys):
            heard += [flag.key for flag in (await reading.read()).flags]
        await asyncio.gather(*(asyncio.to_thread(str, number) for number in range(20)))
    assert heard == keys
    reading.cancel()
    for writer in writers:
        writer.close()


async def open_watch(host, port, secret):
    """A stream of changes in HTTP/2's own words, of somebody who lets the server send 64 KB and no more."""
    method = "/burgee.v1.FlagService/Watch"
    headers = {":method": "POST", ":scheme": "http", ":path": method, ":authority": host, "te": "trailers"}
    headers |= {"content-type": "application/grpc", "authorization": f"Bearer {secret}"}
    block = b"".join(
        b"\x00" + b"".join(bytes([len(text)]) + text.encode() for text in header) for header in headers.items()
    )
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
    writer.write(frame(1, 0x4, 1, block) + frame(0, 0x1, 1, bytes(5)))
    return writer


def frame(kind, flags, stream, payload):
    """A frame of HTTP/2."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
