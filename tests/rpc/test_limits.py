"""Limits of Capture, and how long an environment keeps events, over real gRPC."""

import asyncio
import time
from datetime import UTC, datetime

import grpc
import pytest
from grpc import StatusCode

from burgee.v1 import admin_pb2, capture_pb2, profiles_pb2
from burgee_server.access import Principal
from burgee_server.ports.access import Environment, Role
from burgee_server.rpc.door import CAPTURE
from tests.fixtures.server import caller
from tests.fixtures.until import until
from tests.rpc.conftest import refused

SOMEBODY = Principal("key_1", "k", Role.SERVICE, Environment(1, 1, "p", "production", datetime(2026, 3, 1, tzinfo=UTC)))
DAY_MICROS = 86_400 * 1_000_000


def events(count, **fields):
    """So many events of ann."""
    return [capture_pb2.Event(event="opened", distinct_id="ann", **fields)] * count


async def test_a_key_with_a_limit_is_turned_away_and_others_are_not(server, admin):
    """It is told when to come back; a higher limit is in force at once, for a key that is in use."""
    request = admin_pb2.CreateApiKeyRequest(name="noisy", role=admin_pb2.KEY_ROLE_SERVICE, events_per_second=10)
    made = await admin.admin.CreateApiKey(request)
    assert made.api_key.events_per_second == 10
    noisy = caller(server.target, made.secret)

    await noisy.send(*events(200))
    with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
        await noisy.send(*events(1))
    await admin.send(*events(1))

    assert 15 < refusal.retry_after < 20
    assert "'noisy' may send 10 events a second" in refusal.message
    change = admin_pb2.UpdateApiKeyRequest(api_key_id=made.api_key.api_key_id, events_per_second=0)
    assert (await admin.admin.UpdateApiKey(change)).api_key.events_per_second == 0
    await noisy.send(*events(1))
    await noisy.channel.close()


async def test_when_the_server_is_full_capture_is_refused_and_nothing_else(server, admin):
    """With RESOURCE_EXHAUSTED and a time to come back, before the message is read."""
    with server.house.limits.inside(SOMEBODY, 1 << 40):
        with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
            await admin.capture.Capture(capture_pb2.CaptureRequest(events=events(1)))
        await admin.profiles.ListPersons(profiles_pb2.ListPersonsRequest())
    assert 0 < refusal.retry_after < 20
    await admin.send(*events(1))


async def test_a_capture_that_there_is_no_room_for_is_answered_before_it_begins(server, admin, monkeypatch):
    """The gate is not entered for it; it has its name, and is counted. Who has no valid key is told of that instead."""
    await admin.send(*events(1))
    house, gate = server.house, server.house.gate
    counted, entered = house.calls.by_method[CAPTURE].codes, []
    enter = gate.enter

    async def note(secret, needed):
        entered.append(secret)
        return await enter(secret, needed)

    monkeypatch.setattr(gate, "enter", note)
    with house.limits.inside(SOMEBODY, 1 << 40):
        before = counted["RESOURCE_EXHAUSTED"]
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await admin.capture.Capture(capture_pb2.CaptureRequest(), metadata=(("x-request-id", "mine"),))
        nobody = caller(server.target, "nobody")
        with refused(StatusCode.UNAUTHENTICATED):
            await nobody.capture.Capture(capture_pb2.CaptureRequest())

    assert failed.value.code() is StatusCode.RESOURCE_EXHAUSTED
    assert dict(failed.value.trailing_metadata())["x-request-id"] == "mine"
    assert counted["RESOURCE_EXHAUSTED"] == before + 1
    assert entered == ["nobody"]
    await nobody.channel.close()


async def test_who_opens_calls_and_sends_nothing_keeps_nobody_out(server, admin, monkeypatch):
    """More than there are places, again and again: once it is known, others are taken."""
    monkeypatch.setattr(server.house.limits, "_max_calls", 40)
    request = admin_pb2.CreateApiKeyRequest(name="silent", role=admin_pb2.KEY_ROLE_SERVICE)
    metadata = (("authorization", f"Bearer {(await admin.admin.CreateApiKey(request)).secret}"),)
    taken, codes = 0, set()
    async with grpc.aio.insecure_channel(server.target) as channel:
        silent = channel.stream_unary("/burgee.v1.CaptureService/Capture")
        async with asyncio.timeout(30):
            while taken < 100:
                calls = [silent(metadata=metadata) for _ in range(60)]
                await asyncio.sleep(0)  # they are on their way before the others
                for _ in range(5):
                    try:
                        await admin.capture.Capture(capture_pb2.CaptureRequest(events=events(1)))
                        taken += 1
                    except grpc.aio.AioRpcError as error:
                        codes.add(error.code())
                        taken = 0
                for call in calls:
                    call.cancel()
    assert codes <= {StatusCode.RESOURCE_EXHAUSTED}


async def test_an_environment_keeps_events_for_as_long_as_it_is_told(server, admin, loaded):
    """What is too old goes, and is not taken in any more, with the field; another environment's stay."""
    now = int(time.time() * 1e6)
    old, young = events(1, timestamp_micros=now - 40 * DAY_MICROS), events(1, timestamp_micros=now - DAY_MICROS)
    await admin.send(*old, *young)
    await loaded()
    request = admin_pb2.UpdateEnvironmentRequest(key="production", retention_days=30)

    assert (await admin.admin.UpdateEnvironment(request)).environment.retention_days == 30

    async def one_is_left():
        return len((await admin.profiles.ListEvents(profiles_pb2.ListEventsRequest())).events) <= 1

    await until(one_is_left)
    answer = await admin.capture.Capture(capture_pb2.CaptureRequest(events=[*old, *young, *events(1)]))
    assert (answer.accepted, [(bad.index, bad.field) for bad in answer.rejected]) == (2, [(0, "timestamp_micros")])
    assert "keeps no events from before 20" in answer.rejected[0].reason
    [environment] = (await admin.admin.ListEnvironments(admin_pb2.ListEnvironmentsRequest())).environments
    assert environment.retention_days == 30


async def test_limits_beyond_reason_are_refused_with_the_field(admin):
    """And a key or an environment that is not there is not found."""
    update = admin.admin.UpdateEnvironment
    with refused(StatusCode.INVALID_ARGUMENT, "retention_days"):
        await update(admin_pb2.UpdateEnvironmentRequest(key="production", retention_days=40_000))
    with refused(StatusCode.NOT_FOUND):
        await update(admin_pb2.UpdateEnvironmentRequest(key="nowhere", retention_days=1))
    with refused(StatusCode.INVALID_ARGUMENT, "events_per_second"):
        request = admin_pb2.CreateApiKeyRequest(name="x", role=admin_pb2.KEY_ROLE_SERVICE, events_per_second=10**7)
        await admin.admin.CreateApiKey(request)
    with refused(StatusCode.NOT_FOUND):
        await admin.admin.UpdateApiKey(admin_pb2.UpdateApiKeyRequest(api_key_id="nothing", events_per_second=1))
