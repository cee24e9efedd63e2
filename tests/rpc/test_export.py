"""ExportEvents over real gRPC."""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from burgee.v1 import admin_pb2, capture_pb2
from burgee.v1 import profiles_pb2 as pb
from burgee_server.exports import exports, parts
from burgee_server.rpc.paging import page_token
from burgee_server.storage.clickhouse import export
from tests.fixtures.server import caller
from tests.rpc.conftest import refused

NOON = 1_772_366_400_000_000
MINUTE = 60_000_000


def event(minute=0, **fields):
    """An event at some minute of 2026-03-01 12:00 UTC."""
    return capture_pb2.Event(
        **{"event": "opened", "distinct_id": "ann", "timestamp_micros": NOON + minute * MINUTE, **fields}
    )


def moment(minute):
    """The same minute as a Timestamp."""
    message = Timestamp()
    message.FromMicroseconds(NOON + minute * MINUTE)
    return message


async def exported(admin, **asked):
    """The messages of an export."""
    return [message async for message in admin.profiles.ExportEvents(pb.ExportEventsRequest(**asked))]


async def events(admin, **asked):
    """The events of an export."""
    return [
        event
        async for message in admin.profiles.ExportEvents(pb.ExportEventsRequest(**asked))
        for event in message.events
    ]


async def test_an_export_gives_every_event_back_as_it_was_captured(admin, loaded):
    """And first it says how many to expect, and how far it reaches."""
    before = datetime.now(UTC)
    sent = [
        event(1, uuid="00000000-0000-4000-8000-000000000001", properties_json='{ "b": 1,\n "a": null, "b": 2 }'),
        event(2, uuid="00000000-0000-4000-8000-000000000002", groups={"company": "acme", "team": "a.b"}),
        event(9, uuid="00000000-0000-4000-8000-000000000003", event="日本", distinct_id="o'neil"),
    ]
    await admin.send(*sent)
    await loaded()

    first, *rest = await exported(admin)

    assert [event for message in rest for event in message.events] == sent
    assert (len(first.events), first.estimated_events) == (0, 3)
    assert first.complete_until.ToDatetime(UTC) > before


async def test_an_export_of_an_empty_environment_says_so_and_ends(admin):
    """One message, without events."""
    [first] = await exported(admin)
    assert (list(first.events), first.estimated_events) == ([], 0)


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [
        ({"start": moment(2)}, [2, 3, 4, 5]),
        ({"end": moment(2)}, [0, 1]),
        ({"start": moment(1), "end": moment(4), "event_names": ["e1"]}, [1, 3]),
        ({"distinct_id": "u2"}, [2, 5]),
        ({"group_type": "company", "group_key": "c1"}, [1, 5]),
    ],
)
async def test_an_export_is_of_a_time_of_names_of_a_person_or_of_a_group(admin, loaded, asked, minutes):
    """Whatever is given has to match."""
    await admin.send(
        *(
            event(minute, event=f"e{minute % 2}", distinct_id=f"u{minute % 3}", groups={"company": f"c{minute % 4}"})
            for minute in range(6)
        )
    )
    await loaded()
    found = [(each.timestamp_micros - NOON) // MINUTE for each in await events(admin, **asked)]
    assert sorted(found) == minutes


async def test_an_export_goes_on_after_any_of_its_messages(admin, loaded, monkeypatch):
    """The cursor of each message leads to exactly what comes after it, also in the middle of a page."""
    monkeypatch.setattr(parts, "PART_BYTES", 300)
    monkeypatch.setattr(export, "PAGE_EVENTS", 10)
    await admin.send(*(event(minute, event=f"e{minute % 3}", properties_json='{"a": 1}') for minute in range(30)))
    await loaded()

    messages = await exported(admin)

    uuids = [event.uuid for message in messages for event in message.events]
    assert len(set(uuids)) == 30
    assert len(messages) > 6
    before = 0
    for message in messages:
        before += len(message.events)
        first, *rest = await exported(admin, cursor=message.cursor)
        assert [event.uuid for each in rest for event in each.events] == uuids[before:]
        assert first.estimated_events == 30 - before
        assert first.cursor == message.cursor


async def test_a_message_of_an_export_is_small_enough_for_any_client(admin, loaded):
    """gRPC takes 4 MB unless it is told otherwise."""
    text = '{"text": "' + "x" * 60_000 + '"}'
    for batch in range(3):
        await admin.send(*(event(batch * 40 + minute, properties_json=text) for minute in range(40)))
    await loaded()

    messages = await exported(admin)

    assert sum(len(message.events) for message in messages) == 120
    assert max(message.ByteSize() for message in messages) < 1_200_000


async def test_an_export_has_nothing_of_another_environment(admin, operator, server, loaded):
    """Also with a cursor from there."""
    await admin.send(event(1), event(2, groups={"company": "acme"}))
    await loaded()
    [_, last] = await exported(admin)
    await operator.admin.CreateProject(admin_pb2.CreateProjectRequest(key="export-elsewhere"))
    created = await operator.admin.CreateApiKey(
        admin_pb2.CreateApiKeyRequest(
            project_key="export-elsewhere", environment_key="production", name="x", role=admin_pb2.KEY_ROLE_ADMIN
        )
    )
    elsewhere = caller(server.target, created.secret)
    assert await events(elsewhere) == []
    assert await events(elsewhere, cursor=last.cursor) == []
    assert await events(elsewhere, cursor=page_token("1970-01-01", "", "0" * 32)) == []
    await elsewhere.channel.close()


async def test_no_more_than_a_few_exports_run_at_a_time(admin, loaded, monkeypatch):
    """The next is told when to come back; one that ends, or whose caller goes away, makes room."""
    monkeypatch.setattr(export, "PAGE_EVENTS", 1)
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    large = '{"text": "' + "x" * 60_000 + '"}'
    await admin.send(*(event(minute, properties_json=large) for minute in range(20)))
    await loaded()
    async with AsyncExitStack() as open_exports:
        for _ in range(exports.MAX_EXPORTS):
            call = admin.profiles.ExportEvents(pb.ExportEventsRequest())
            open_exports.callback(call.cancel)
            await call.read()
        with refused(StatusCode.RESOURCE_EXHAUSTED) as refusal:
            await exported(admin)
        assert refusal.retry_after
    found = []
    async with asyncio.timeout(20):
        while not found:  # until the server has noticed that they are gone
            with contextlib.suppress(grpc.aio.AioRpcError):
                found = await events(admin)
    assert len(found) == 20


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start": moment(1), "end": moment(1)}, "end"),
        ({"start": Timestamp(seconds=10**15)}, "start"),
        ({"event_names": ["e"] * 101}, "event_names"),
        ({"group_type": "company"}, "group_key"),
        ({"group_key": "acme"}, "group_type"),
        ({"group_type": "planet", "group_key": "mars"}, "group_type"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": page_token(1, "e", "u")}, "cursor"),
        ({"cursor": page_token("2026-13-01", "e", "0" * 32)}, "cursor"),
        ({"cursor": page_token("2026-01-01", "e", "no uuid")}, "cursor"),
        ({"cursor": page_token("2026-01-01", "e\0", "0" * 32)}, "cursor"),
    ],
)
async def test_what_cannot_be_exported_is_refused_by_field(shared_admin, asked, field):
    """INVALID_ARGUMENT, before anything is sent."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await exported(shared_admin, **asked)
