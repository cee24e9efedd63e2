"""What becomes of the arguments of capture: the event that is sent, or the reason why none is."""

import json
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from burgee import Client, Dropped
from tests.unit.client.fakes import Recorder

AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)


def test_an_event_arrives_as_it_was_captured(client: Client, server: Recorder) -> None:
    """Name, user, groups, properties, time and identity reach the server unchanged."""
    client.capture(
        "report_created",
        "ann",
        {"pages": 3},
        groups={"team": "red"},
        company="acme",
        timestamp=AT,
        uuid=uuid.UUID(int=7),
    )
    assert client.flush()
    (event,) = server.events
    assert (event.event, event.distinct_id, dict(event.groups)) == (
        "report_created",
        "ann",
        {"team": "red", "company": "acme"},
    )
    assert json.loads(event.properties_json) == {"pages": 3}
    assert event.timestamp_micros == 1_772_368_200_250_000
    assert event.uuid == str(uuid.UUID(int=7))


def test_an_event_gets_identity_and_time_when_it_is_captured(client: Client, server: Recorder) -> None:
    """Without uuid and timestamp, the client makes them: a version 4 UUID, and the time of the call."""
    before = time.time_ns() // 1000
    client.capture("seen", "ann")
    after = time.time_ns() // 1000
    client.capture("seen", "ann")
    assert client.flush()
    first, second = server.events
    assert uuid.UUID(first.uuid).version == 4
    assert uuid.UUID(first.uuid).variant == uuid.RFC_4122
    assert first.uuid != second.uuid
    assert before <= first.timestamp_micros <= after


def test_a_timestamp_may_be_unix_seconds(client: Client, server: Recorder) -> None:
    """Seconds with a fraction become microseconds."""
    client.capture("seen", "ann", timestamp=1_772_368_200.25)
    assert client.flush()
    assert server.events[0].timestamp_micros == 1_772_368_200_250_000


def test_what_happens_to_the_properties_later_does_not_change_the_event(client: Client, server: Recorder) -> None:
    """Properties, nested ones too, are read before capture returns."""
    properties = {"tags": ["a"]}
    server.hold.clear()
    client.capture("seen", "ann", properties)
    properties["tags"].append("b")
    server.hold.set()
    assert client.flush()
    assert json.loads(server.events[0].properties_json) == {"tags": ["a"]}


def test_times_uuids_and_decimals_may_be_properties(client: Client, server: Recorder) -> None:
    """What JSON lacks and services have is written as the server reads it."""
    client.capture("paid", "ann", {"at": AT, "on": AT.date(), "order": uuid.UUID(int=1), "amount": Decimal("9.50")})
    assert client.flush()
    assert json.loads(server.events[0].properties_json) == {
        "at": "2026-03-01T12:30:00.250000+00:00",
        "on": "2026-03-01",
        "order": "00000000-0000-0000-0000-000000000001",
        "amount": 9.5,
    }


def test_a_group_key_of_none_is_no_group(client: Client, server: Recorder) -> None:
    """A user without a company needs no special call."""
    client.capture("seen", "ann", company=None, team="red")
    assert client.flush()
    assert dict(server.events[0].groups) == {"team": "red"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("", "ann"), "ValueError: event: 1 to 200 characters are needed"),
        (("seen", "x" * 201), "ValueError: distinct_id: 1 to 200 characters are needed"),
        (("seen", 7), "TypeError: distinct_id: a text is needed, got int"),
        (("seen", "ann", {"ratio": float("nan")}), "ValueError: Out of range float values are not JSON compliant"),
        (("seen", "ann", {"who": object()}), "TypeError: object cannot be a property"),
        (("seen", "ann", {"text": "x" * 140_000}), "ValueError: the event takes"),
    ],
)
def test_bad_input_is_told_and_not_sent(
    client: Client, server: Recorder, dropped: list[Dropped], arguments: tuple[Any, ...], reason: str
) -> None:
    """What cannot be an event is dropped with the reason; the next event goes."""
    client.capture(*arguments)
    assert [loss.reason.startswith(reason) for loss in dropped] == [True]
    client.capture("good", "ann")
    assert not client.flush()
    assert [event.event for event in server.events] == ["good"]
    assert (client.stats.dropped, client.stats.sent) == (1, 1)


@pytest.mark.parametrize("timestamp", [datetime(2026, 3, 1), 0, -5.0, float("nan")])  # noqa: DTZ001
def test_a_time_that_is_none_is_told_and_not_sent(
    client: Client, server: Recorder, dropped: list[Dropped], timestamp: Any
) -> None:
    """A datetime without a zone could mean any time; none is guessed, and none is taken for now."""
    client.capture("seen", "ann", timestamp=timestamp)
    assert not client.flush()
    assert len(dropped) == 1
    assert not server.requests
