"""The quarantine over real gRPC, filled by events that the real warehouse refuses."""

import uuid as uuids
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from burgee.v1 import admin_pb2, common_pb2, profiles_pb2, trend_pb2
from burgee.v1 import capture_pb2 as pb
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.warehouse import to_micros
from burgee_server.rpc import paging
from tests.fixtures.server import caller
from tests.fixtures.until import until
from tests.rpc.conftest import refused
from tests.rpc.test_large_answers import walk

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAD_JSON = b'{"a": '


class Ward:
    """Gets events past the door of an environment, into the journal."""

    def __init__(self, server, admin, environment_id):
        self._server = server
        self._admin = admin
        self.environment_id = environment_id

    async def append(self, *events):
        """Events as (name, properties_json); returns their uuids."""
        batch = StoredBatch()
        for name, properties_json in events:
            batch.events.add(
                uuid=str(uuids.uuid4()).encode(),
                event=name.encode(),
                distinct_id=b"ann",
                groups=[{"key": b"company", "value": b"acme"}],
                properties_json=properties_json,
                timestamp_micros=to_micros(NOON),
                environment_id=self.environment_id,
                received_at_micros=to_micros(NOON + timedelta(seconds=1)),
            )
        await self._server.house.stores.journal.append(
            self.environment_id, "", batch.SerializeToString(), len(batch.events)
        )
        return [event.uuid.decode() for event in batch.events]

    async def quarantined(self, count):
        """Wait until so many events are in quarantine; returns them, newest first."""

        async def as_many():
            return [events] if len(events := await self.list()) == count else None

        [events] = await until(as_many)
        return events

    async def list(self, **filters):
        """What is in quarantine."""
        request = pb.ListQuarantinedEventsRequest(filter=pb.QuarantineFilter(**filters), page_size=1000)
        return list((await self._admin.capture.ListQuarantinedEvents(request)).events)

    async def names(self):
        """The names of all events that can be queried, sorted."""
        request = profiles_pb2.ListEventsRequest(page_size=1000)
        return sorted(event.event for event in (await self._admin.profiles.ListEvents(request)).events)


@pytest.fixture
async def ward(server, admin):
    """The quarantine of the admin's environment."""
    request = admin_pb2.ListProjectsRequest()
    [project] = (await admin.admin.ListProjects(request)).projects
    environment = await server.house.stores.access.environment(project.key, "production")
    return Ward(server, admin, environment.environment_id)


@pytest.fixture
def blame_all(server, monkeypatch):
    """While this holds, every event of a refused range is taken to be at fault."""
    with monkeypatch.context() as patch:

        async def faults(payload):
            return dict.fromkeys(range(len(StoredBatch.FromString(payload).events)), "blamed")

        patch.setattr(server.house.stores.warehouse, "faults", faults)
        yield patch.undo


async def audit(admin):
    """Actions, subjects and details of the audit log, newest first."""
    entries = (await admin.admin.ListAuditEntries(admin_pb2.ListAuditEntriesRequest())).entries
    return [(entry.actor, entry.action, entry.subject, entry.detail) for entry in entries]


async def test_events_that_the_warehouse_refuses_are_in_quarantine_and_those_around_them_are_not(ward, loaded):
    """Many bad ones among good ones: every good one can be queried, every bad one can be read with its reason."""
    events = [("bad" if number % 3 else "good", BAD_JSON if number % 3 else b"{}") for number in range(900)]
    sent = await ward.append(*events)
    await ward.append(("other", b"{}"))
    await loaded()

    assert await ward.names() == ["good"] * 300 + ["other"]
    found = await ward.list()
    assert [event.event.uuid for event in reversed(found)] == [uuid for n, uuid in enumerate(sent) if n % 3]


async def test_an_event_in_quarantine_is_as_it_was_acknowledged(ward, admin):
    """Whole, with the reason and the times; and by its id it is found by itself."""
    [uuid] = await ward.append(("bad", BAD_JSON))
    [event] = await ward.quarantined(1)

    assert event.event == pb.Event(
        uuid=uuid,
        event="bad",
        distinct_id="ann",
        groups={"company": "acme"},
        properties_json=BAD_JSON.decode(),
        timestamp_micros=to_micros(NOON),
    )
    assert event.reason.startswith("properties_json: ")
    assert event.received_at.ToDatetime(UTC) == NOON + timedelta(seconds=1)
    assert abs(event.quarantined_at.ToDatetime(UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    request = pb.GetQuarantinedEventRequest(quarantine_id=event.quarantine_id)
    assert (await admin.capture.GetQuarantinedEvent(request)).event == event


async def test_the_quarantine_comes_in_pages_newest_first(ward, admin, monkeypatch):
    """Every event once, also where pages end early: here after each, since it is larger than what a page may be."""
    await ward.append(*((f"bad-{number}", BAD_JSON) for number in range(5)))
    await ward.quarantined(5)

    names, token = [], ""
    while len(names) < 5:
        request = pb.ListQuarantinedEventsRequest(page_size=2, page_token=token)
        page = await admin.capture.ListQuarantinedEvents(request)
        names += [event.event.event for event in page.events]
        token = page.next_page_token

    assert names == ["bad-4", "bad-3", "bad-2", "bad-1", "bad-0"]
    assert token == ""
    monkeypatch.setattr(paging, "MAX_PAGE_BYTES", 1)
    sizes, events = await walk(admin.capture.ListQuarantinedEvents, pb.ListQuarantinedEventsRequest())
    assert (sizes, [event.event.event for event in events]) == ([1] * 5, names)


async def test_the_quarantine_is_filtered_by_reason_and_time(ward):
    """From then on, and before then."""
    await ward.append(("bad", BAD_JSON))
    [event] = await ward.quarantined(1)
    at = event.quarantined_at
    later = Timestamp(seconds=at.seconds + 60)

    assert await ward.list(reason="properties_json", start=at, end=later) == [event]
    assert await ward.list(reason="uuid") == []
    assert await ward.list(start=later) == []
    assert await ward.list(end=at) == []
    assert await ward.list(quarantine_ids=[event.quarantine_id + 1]) == []


async def test_a_replay_loads_what_the_warehouse_takes_now_and_leaves_the_rest(ward, admin, blame_all, loaded):
    """Those that go in leave the quarantine; the other one has the reason of this time."""
    await ward.append(("good", b"{}"), ("bad", BAD_JSON), ("fine", b""))
    assert {event.reason for event in await ward.quarantined(3)} == {"blamed"}
    blame_all()

    answer = await admin.capture.ReplayQuarantinedEvents(pb.ReplayQuarantinedEventsRequest())

    assert (answer.replayed, answer.refused) == (2, 1)
    assert await ward.names() == ["fine", "good"]
    [left] = await ward.list()
    assert left.event.event == "bad"
    assert left.reason.startswith("properties_json: ")
    assert (await audit(admin))[0] == ("tests", "quarantine.replay", "all", "2 loaded, 1 refused again")


async def test_a_replay_of_chosen_events_leaves_the_others(ward, admin, blame_all):
    """By id; and the audit log says that they were chosen."""
    await ward.append(("one", b"{}"), ("two", b"{}"), ("bad", BAD_JSON))
    _, two, _ = await ward.quarantined(3)
    blame_all()

    request = pb.ReplayQuarantinedEventsRequest(filter=pb.QuarantineFilter(quarantine_ids=[two.quarantine_id]))
    answer = await admin.capture.ReplayQuarantinedEvents(request)

    assert (answer.replayed, answer.refused) == (1, 0)
    assert await ward.names() == ["two"]
    assert [event.event.event for event in await ward.list()] == ["bad", "one"]
    assert (await audit(admin))[0][1:] == ("quarantine.replay", "1 chosen", "1 loaded, 0 refused again")


async def test_an_event_that_was_captured_again_meanwhile_counts_once_when_it_is_replayed(
    ward, admin, blame_all, loaded
):
    """In the timeline and in a trend."""
    [uuid, _] = await ward.append(("good", b"{}"), ("bad", BAD_JSON))
    await ward.quarantined(2)
    blame_all()
    again = pb.Event(uuid=uuid, event="good", distinct_id="ann", timestamp_micros=to_micros(NOON))
    await admin.send(again)
    await loaded()

    await admin.capture.ReplayQuarantinedEvents(pb.ReplayQuarantinedEventsRequest())

    assert await ward.names() == ["good"]
    trend = await admin.insights.QueryTrend(
        trend_pb2.QueryTrendRequest(
            series=[trend_pb2.TrendSeries(event="good")],
            range=common_pb2.TimeRange(start="2026-03-01", end="2026-03-02"),
        )
    )
    assert [row.total for row in trend.rows] == [1]


async def test_a_large_quarantine_is_replayed_to_the_end(ward, admin, blame_all):
    """More events than are loaded at a time, the refused ones in between."""
    await ward.append(*((f"e{number:03}", BAD_JSON if number % 50 == 0 else b"{}") for number in range(250)))
    await ward.quarantined(250)
    blame_all()

    answer = await admin.capture.ReplayQuarantinedEvents(pb.ReplayQuarantinedEventsRequest())

    assert (answer.replayed, answer.refused) == (245, 5)
    assert len(await ward.names()) == 245


async def test_a_purge_deletes_what_it_is_told_to_and_nothing_without_being_told(ward, admin):
    """An empty filter alone is refused: it may be a mistake."""
    await ward.append(("one", BAD_JSON), ("two", BAD_JSON))
    two, one = await ward.quarantined(2)

    for request in (
        pb.PurgeQuarantinedEventsRequest(),
        pb.PurgeQuarantinedEventsRequest(all=True, filter=pb.QuarantineFilter(reason="x")),
    ):
        with refused(StatusCode.INVALID_ARGUMENT, "filter"):
            await admin.capture.PurgeQuarantinedEvents(request)
    chosen = pb.QuarantineFilter(quarantine_ids=[one.quarantine_id])
    answer = await admin.capture.PurgeQuarantinedEvents(pb.PurgeQuarantinedEventsRequest(filter=chosen))
    assert answer.purged == 1
    assert await ward.list() == [two]

    answer = await admin.capture.PurgeQuarantinedEvents(pb.PurgeQuarantinedEventsRequest(all=True))
    assert answer.purged == 1
    assert await ward.list() == []
    assert [entry[1:] for entry in (await audit(admin))[:2]] == [
        ("quarantine.purge", "all", "1 purged"),
        ("quarantine.purge", "1 chosen", "1 purged"),
    ]


async def test_nobody_reaches_the_quarantine_of_another_environment(ward, admin, operator):
    """Not to read, not to replay, not to purge; not even an operator, whose key opens another environment."""
    await ward.append(("bad", BAD_JSON))
    [event] = await ward.quarantined(1)
    chosen = pb.QuarantineFilter(quarantine_ids=[event.quarantine_id])

    with refused(StatusCode.NOT_FOUND):
        await operator.capture.GetQuarantinedEvent(pb.GetQuarantinedEventRequest(quarantine_id=event.quarantine_id))
    listed = await operator.capture.ListQuarantinedEvents(pb.ListQuarantinedEventsRequest(filter=chosen))
    replayed = await operator.capture.ReplayQuarantinedEvents(pb.ReplayQuarantinedEventsRequest(filter=chosen))
    purged = await operator.capture.PurgeQuarantinedEvents(pb.PurgeQuarantinedEventsRequest(filter=chosen))

    assert (len(listed.events), replayed.replayed, replayed.refused, purged.purged) == (0, 0, 0, 0)
    assert await ward.list() == [event]


@pytest.mark.parametrize(
    ("role", "may_read", "may_empty"),
    [(admin_pb2.KEY_ROLE_SERVICE, False, False), (admin_pb2.KEY_ROLE_READER, True, False)],
    ids=["SERVICE", "READER"],
)
async def test_reading_and_emptying_need_their_permissions(server, admin, role, may_read, may_empty):
    """A reader reads; only an admin empties."""
    created = await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="other", role=role))
    other = caller(server.target, created.secret)
    calls = [
        (may_read, other.capture.ListQuarantinedEvents, pb.ListQuarantinedEventsRequest()),
        (may_empty, other.capture.ReplayQuarantinedEvents, pb.ReplayQuarantinedEventsRequest()),
        (may_empty, other.capture.PurgeQuarantinedEvents, pb.PurgeQuarantinedEventsRequest(all=True)),
    ]
    for allowed, call, request in calls:
        if allowed:
            await call(request)
        else:
            with refused(StatusCode.PERMISSION_DENIED):
                await call(request)
    await other.channel.close()


BAD_FILTERS = {
    "too many ids": ({"quarantine_ids": range(1_001)}, "filter.quarantine_ids"),
    "too long a reason": ({"reason": "x" * 201}, "filter.reason"),
    "a time beyond the calendar": ({"start": Timestamp(seconds=10**12)}, "filter.start"),
    "an end before the calendar": ({"end": Timestamp(seconds=-(10**12))}, "filter.end"),
}


@pytest.mark.parametrize(("filters", "field"), BAD_FILTERS.values(), ids=BAD_FILTERS.keys())
async def test_a_filter_that_makes_no_sense_is_refused_by_field(admin, filters, field):
    """By every call that takes one."""
    wanted = pb.QuarantineFilter(**filters)
    for call, request in (
        (admin.capture.ListQuarantinedEvents, pb.ListQuarantinedEventsRequest(filter=wanted)),
        (admin.capture.ReplayQuarantinedEvents, pb.ReplayQuarantinedEventsRequest(filter=wanted)),
        (admin.capture.PurgeQuarantinedEvents, pb.PurgeQuarantinedEventsRequest(filter=wanted)),
    ):
        with refused(StatusCode.INVALID_ARGUMENT, field):
            await call(request)


@pytest.mark.parametrize("quarantine_id", [0, -1, 2**63 - 1])
async def test_an_event_that_is_not_in_quarantine_is_not_found(admin, quarantine_id):
    """Whatever its number."""
    with refused(StatusCode.NOT_FOUND):
        await admin.capture.GetQuarantinedEvent(pb.GetQuarantinedEventRequest(quarantine_id=quarantine_id))
