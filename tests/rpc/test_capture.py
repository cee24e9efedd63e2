"""CaptureService over real gRPC."""

import json
import time
from uuid import UUID, uuid4

import pytest
from grpc import StatusCode

from burgee.v1 import capture_pb2 as pb
from burgee.v1 import common_pb2, funnel_pb2, profiles_pb2, questions_pb2, trend_pb2
from tests.rpc.conftest import refused

GOOD = {"event": "report_created", "distinct_id": "ann"}


async def timeline(caller, **filters):
    """Every event of the caller's environment, newest first."""
    return (await caller.profiles.ListEvents(profiles_pb2.ListEventsRequest(**filters))).events


async def test_an_acknowledged_event_comes_back_as_it_was_sent(admin, loaded):
    """Every field survives journal and warehouse; text that looks like a date or holds a dot is left alone."""
    properties = {"plan": "pro", "n": 1, "x": 1.5, "yes": True, "when": "2024-01-01", "a.b": 1, "deep": {"ü": [1, "z"]}}
    event = pb.Event(
        uuid=str(uuid4()),
        event="report_created",
        distinct_id="ann@exämple",
        groups={"company": "acme", "team": "a.b'c\"`"},
        properties_json=json.dumps(properties),
        timestamp_micros=1_700_000_000_123_456,
    )
    response = await admin.capture.Capture(pb.CaptureRequest(events=[event]))
    await loaded()

    [found] = await timeline(admin)

    assert (response.accepted, response.duplicate, list(response.rejected)) == (1, 0, [])
    assert json.loads(found.properties_json) == properties
    found.properties_json = event.properties_json
    assert found == event


async def test_a_missing_uuid_and_a_missing_time_are_filled(admin, loaded):
    """The server makes a uuid, and takes its own clock."""
    before = time.time()
    await admin.send(pb.Event(**GOOD))
    await loaded()

    [found] = await timeline(admin)

    assert UUID(found.uuid).version == 7
    assert before * 1e6 - 1 <= found.timestamp_micros <= time.time() * 1e6
    assert found.properties_json in ("", "{}")


async def test_the_same_uuid_is_counted_once(admin, loaded):
    """In one batch, in another batch, spelled in another way."""
    event = pb.Event(**GOOD, uuid="123e4567-e89b-42d3-a456-426614174000", timestamp_micros=1_700_000_000_000_000)
    shouted = pb.Event(**GOOD, uuid=event.uuid.upper(), timestamp_micros=event.timestamp_micros)
    await admin.send(event, event)
    await admin.send(shouted)
    await loaded()

    assert len(await timeline(admin)) == 1


async def test_the_same_uuid_in_another_batch_is_counted_once_in_every_query(admin, loaded):
    """Timeline, totals, people, sums, parts of a split, and a funnel, in which a copy could pass for a second step."""
    at = 1_700_000_000_000_000
    event = pb.Event(**GOOD, uuid=str(uuid4()), timestamp_micros=at, properties_json='{"pages": 5}')
    for batch_id in ("first", "second", ""):
        await admin.capture.Capture(pb.CaptureRequest(events=[event], batch_id=batch_id))
        await loaded()  # so that each is inserted by itself

    async def total(**series):
        request = trend_pb2.QueryTrendRequest(
            series=[trend_pb2.TrendSeries(event="report_created", **series)],
            range=common_pb2.TimeRange(start="2023-11-14", end="2023-11-16"),
            breakdown=questions_pb2.Breakdown(attributes=["event.pages"]),
        )
        return [row.total for row in (await admin.insights.QueryTrend(request)).rows]

    steps = [funnel_pb2.FunnelStep(event="report_created")] * 2
    request = funnel_pb2.QueryFunnelRequest(
        steps=steps, range=common_pb2.TimeRange(start="2023-11-14", end="2023-11-16")
    )
    funnel = await admin.insights.QueryFunnel(request)

    assert len(await timeline(admin)) == 1
    assert await total() == [1]
    assert await total(measure=trend_pb2.MEASURE_UNIQUE_USERS) == [1]
    assert await total(measure=trend_pb2.MEASURE_SUM, property="pages") == [5]
    assert [step.count for step in funnel.rows[0].steps] == [1, 0]


async def test_a_batch_sent_again_is_acknowledged_and_counted_once(admin, loaded):
    """Events without a uuid can be told apart by nothing but the batch_id."""
    request = pb.CaptureRequest(events=[pb.Event(**GOOD), pb.Event(**GOOD)], batch_id="batch-1")
    first = await admin.capture.Capture(request)
    second = await admin.capture.Capture(request)
    await loaded()

    assert (first.accepted, first.duplicate) == (2, 0)
    assert (second.accepted, second.duplicate) == (0, 2)
    assert len(await timeline(admin)) == 2


BAD = {
    "no event name": ({"event": ""}, "event"),
    "blank event name": ({"event": "  "}, "event"),
    "event name too long": ({"event": "x" * 201}, "event"),
    "control characters": ({"event": "a\x00b"}, "event"),
    "no distinct_id": ({"distinct_id": ""}, "distinct_id"),
    "distinct_id too long": ({"distinct_id": "x" * 201}, "distinct_id"),
    "no uuid": ({"uuid": "not-a-uuid"}, "uuid"),
    "properties over 64 KB": ({"properties_json": json.dumps({"x": "y" * 65_536})}, "properties_json"),
    "properties that are a list": ({"properties_json": "[1]"}, "properties_json"),
    "properties that are a text": ({"properties_json": '"x"'}, "properties_json"),
    "properties that are null": ({"properties_json": "null"}, "properties_json"),
    "properties that are broken": ({"properties_json": '{"a": '}, "properties_json"),
    "NaN": ({"properties_json": '{"a": NaN}'}, "properties_json"),
    "Infinity": ({"properties_json": '{"a": [-Infinity]}'}, "properties_json"),
    "a number beyond a double": ({"properties_json": '{"a": [1e400]}'}, "properties_json"),
    "a decimal beyond a double": ({"properties_json": '{"a": ' + "9" * 400 + ".5}"}, "properties_json"),
    "an exponent beyond a double": ({"properties_json": '{"a": ' + "9" * 300 + "e99}"}, "properties_json"),
    "a nest of 2000 lists": ({"properties_json": '{"a": ' + "[" * 2000 + "]" * 2000 + "}"}, "properties_json"),
    "33 levels": ({"properties_json": '{"a": ' + '[{"b": ' * 16 + "1" + "}]" * 16 + "}"}, "properties_json"),
    "a time before 1970": ({"timestamp_micros": -1}, "timestamp_micros"),
    "a time in ten years": ({"timestamp_micros": int((time.time() + 10 * 365 * 86_400) * 1e6)}, "timestamp_micros"),
    "the greatest int64": ({"timestamp_micros": 2**63 - 1}, "timestamp_micros"),
    "group type with a dot": ({"groups": {"a.b": "x"}}, "groups[a.b]"),
    "reserved group type": ({"groups": {"user": "x"}}, "groups[user]"),
    "empty group type": ({"groups": {"": "x"}}, "groups[]"),
    "empty group key": ({"groups": {"company": ""}}, "groups[company]"),
    "group key too long": ({"groups": {"company": "x" * 201}}, "groups[company]"),
    "more than 100 groups": ({"groups": {f"t{n}": "x" for n in range(101)}}, "groups"),
}


@pytest.mark.parametrize(("fault", "field"), BAD.values(), ids=BAD.keys())
async def test_a_bad_event_is_rejected_by_itself_with_index_field_and_reason(shared_admin, fault, field):
    """The events around it are taken."""
    request = pb.CaptureRequest(events=[pb.Event(**GOOD), pb.Event(**GOOD | fault), pb.Event(**GOOD)])

    response = await shared_admin.capture.Capture(request)

    assert response.accepted == 2
    [rejected] = response.rejected
    assert (rejected.index, rejected.field) == (1, field)
    assert rejected.reason


async def test_events_between_bad_ones_are_stored_and_no_bad_one_is(admin, loaded):
    """Every fault in one batch."""
    events = [pb.Event(**GOOD | fault) for each, _ in BAD.values() for fault in (each, {})]

    response = await admin.capture.Capture(pb.CaptureRequest(events=events))
    await loaded()

    assert [(each.index, each.field) for each in response.rejected] == [
        (2 * number, field) for number, (_, field) in enumerate(BAD.values())
    ]
    assert response.accepted == len(await timeline(admin)) == len(BAD)


async def test_what_is_wide_is_not_deep(admin, loaded):
    """32 levels; many side by side; and brackets in texts, behind quotes that end none."""
    deep = '{"a": ' + "[" * 31 + "]" * 31 + "}"
    wide = '{"a": [' + ", ".join(['[{"b": []}]'] * 100) + "]}"
    text = json.dumps({"a": '"\\"' + "[{" * 100, "b[": "\\"})

    response = await admin.capture.Capture(
        pb.CaptureRequest(events=[pb.Event(**GOOD | {"properties_json": each}) for each in (deep, wide, text)])
    )
    await loaded()

    assert (response.accepted, list(response.rejected)) == (3, [])
    assert len(await timeline(admin)) == 3


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"ann", "distinct_id"),
        (b"sta", "event"),
        (b"pro", "properties_json"),
        (b"pla", "properties_json"),
        (b"com", "groups[\ufffd\ufffd\ufffdpany]"),
        (b"acm", "groups[company]"),
    ],
)
async def test_an_event_whose_text_is_not_utf8_is_rejected_by_itself(admin, text, field):
    """One client's broken encoding does not cost it the batch, in whatever text it is; nothing of it is stored."""
    event = pb.Event(
        event="started", distinct_id="ann", groups={"company": "acme"}, properties_json='{"plan": {"is": "pro"}}'
    )
    good = event.SerializeToString()
    bad = good.replace(text, b"\xff\xfe\xfd")
    raw = b"".join(b"\x0a" + bytes([len(event)]) + event for event in (good, bad))
    capture = admin.channel.unary_unary(
        "/burgee.v1.CaptureService/Capture", response_deserializer=pb.CaptureResponse.FromString
    )

    response = await capture(raw)

    assert response.accepted == 1
    assert [(bad.index, bad.field, bad.reason) for bad in response.rejected] == [
        (1, field, response.rejected[0].reason)
    ]
    assert response.rejected[0].reason.endswith("must be UTF-8")


async def test_the_clock_of_a_sender_that_is_an_hour_slow_is_corrected(admin, loaded):
    """By when it says that it sent the batch; an event keeps its distance from that."""
    an_hour_ago = time.time_ns() // 1000 - 3_600_000_000
    event = pb.Event(**GOOD, timestamp_micros=an_hour_ago - 10_000_000)
    before = time.time()
    await admin.capture.Capture(pb.CaptureRequest(events=[event], sent_at_micros=an_hour_ago))
    after = time.time()
    await loaded()

    [found] = await timeline(admin)

    assert before - 11 <= found.timestamp_micros / 1e6 <= after - 9


async def test_the_times_of_a_sender_whose_clock_is_right_are_kept_to_the_microsecond(admin, loaded):
    """Old ones, too: history may be captured live."""
    moments = [1_700_000_000_123_456, time.time_ns() // 1000]
    events = [pb.Event(**GOOD, timestamp_micros=moment) for moment in moments]
    await admin.capture.Capture(pb.CaptureRequest(events=events, sent_at_micros=time.time_ns() // 1000))
    await loaded()

    assert [event.timestamp_micros for event in await timeline(admin)] == [moments[1], moments[0]]


async def test_a_sent_at_before_1970_is_refused(admin):
    """It is no time that a clock could show."""
    with refused(StatusCode.INVALID_ARGUMENT, "sent_at_micros"):
        await admin.capture.Capture(pb.CaptureRequest(events=[pb.Event(**GOOD)], sent_at_micros=-1))


async def test_a_message_that_is_no_message_is_refused(admin):
    """Broken bytes are the caller's fault, and said to be."""
    capture = admin.channel.unary_unary("/burgee.v1.CaptureService/Capture")

    with refused(StatusCode.INVALID_ARGUMENT, "message"):
        await capture(b"\xff\xff\xff\xff")


async def test_more_than_ten_thousand_events_are_refused_whole(admin):
    """10,000 are taken, 10,001 are not."""
    event = pb.Event(**GOOD)
    response = await admin.capture.Capture(pb.CaptureRequest(events=[event] * 10_000))
    assert response.accepted == 10_000

    with refused(StatusCode.INVALID_ARGUMENT, "events"):
        await admin.capture.Capture(pb.CaptureRequest(events=[event] * 10_001))


async def test_more_than_four_megabytes_are_refused_whole(admin):
    """Between 4 MB and what gRPC takes, the answer says how much is too much."""
    event = pb.Event(**GOOD, properties_json=json.dumps({"x": "y" * 60_000}))

    with refused(StatusCode.INVALID_ARGUMENT, "message") as refusal:
        await admin.capture.Capture(pb.CaptureRequest(events=[event] * 80))
    assert "4,194,304" in refusal.message


async def test_a_batch_id_over_200_characters_is_refused(admin):
    """It would be kept for a day."""
    with refused(StatusCode.INVALID_ARGUMENT, "batch_id"):
        await admin.capture.Capture(pb.CaptureRequest(events=[pb.Event(**GOOD)], batch_id="x" * 201))


async def test_a_batch_of_which_all_was_rejected_may_be_mended_and_sent_again_under_its_id(admin):
    """Nothing was acknowledged under that id; of the answer to the second try nothing is missing."""
    bad, mended = (
        pb.CaptureRequest(batch_id="b-1", events=[pb.Event(event="e", distinct_id=who)]) for who in ("", "ann")
    )
    assert len((await admin.capture.Capture(bad)).rejected) == 1

    response = await admin.capture.Capture(mended)

    assert (response.accepted, response.duplicate, len(response.rejected)) == (1, 0, 0)


async def test_an_empty_batch_is_acknowledged(admin):
    """Nothing to do is no error."""
    response = await admin.capture.Capture(pb.CaptureRequest())

    assert (response.accepted, response.duplicate, len(response.rejected)) == (0, 0, 0)


async def test_a_caller_cannot_write_into_another_environment(admin, loaded):
    """The fields in which the journal keeps the environment are the server's, whatever a request holds."""
    forged = pb.Event(**GOOD).SerializeToString() + b"\xa0\x06\x01"  # environment_id = 1
    raw = b"\x0a" + bytes([len(forged)]) + forged
    capture = admin.channel.unary_unary(
        "/burgee.v1.CaptureService/Capture", response_deserializer=pb.CaptureResponse.FromString
    )

    assert (await capture(raw)).accepted == 1
    await loaded()

    assert len(await timeline(admin)) == 1


async def test_an_environment_has_no_more_than_a_thousand_group_types_and_says_so_by_event(admin):
    """Keys that are used as types by mistake fill nothing; events of known types are still taken."""
    types = [{f"type-{10 * event + index}": "x" for index in range(10)} for event in range(110)]
    events = [pb.Event(**GOOD, groups=groups) for groups in [*types, types[0]]]

    response = await admin.capture.Capture(pb.CaptureRequest(events=events))

    assert response.accepted == 101
    assert {rejected.field for rejected in response.rejected} == {"groups"}
    assert len((await admin.profiles.ListGroupTypes(profiles_pb2.ListGroupTypesRequest())).group_types) == 1_000


async def test_a_batch_can_be_asked_for_instead_of_being_sent_again(admin, operator):
    """How many of its events are durable; NOT_FOUND for one that was never acknowledged, or elsewhere."""
    events = [pb.Event(**GOOD), pb.Event(**GOOD), pb.Event(**GOOD | {"distinct_id": ""})]
    await admin.capture.Capture(pb.CaptureRequest(batch_id="b-1", events=events))

    assert (await admin.capture.GetBatch(pb.GetBatchRequest(batch_id="b-1"))).events == 2
    with refused(StatusCode.NOT_FOUND):
        await admin.capture.GetBatch(pb.GetBatchRequest(batch_id="b-2"))
    with refused(StatusCode.NOT_FOUND):
        await operator.capture.GetBatch(pb.GetBatchRequest(batch_id="b-1"))
    with refused(StatusCode.INVALID_ARGUMENT, "batch_id"):
        await admin.capture.GetBatch(pb.GetBatchRequest())
    with refused(StatusCode.INVALID_ARGUMENT, "batch_id"):
        await admin.capture.GetBatch(pb.GetBatchRequest(batch_id="x" * 201))
