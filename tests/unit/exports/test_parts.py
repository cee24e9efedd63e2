"""Pages of events cut into messages, as bytes."""

from datetime import date

import pytest

from burgee.v1.capture_pb2 import CaptureRequest, Event
from burgee_server.exports import parts
from burgee_server.exports.parts import parts_of
from burgee_server.ports.selection import EventKey, EventPage

LAST = EventKey(date(2026, 3, 9), "later", "u-last")


def page(*events: Event) -> EventPage:
    """A page of these."""
    return EventPage(CaptureRequest(events=events).SerializeToString(), LAST)


def events_of(*sizes: int) -> list[Event]:
    """Events with properties of so many bytes."""
    return [
        Event(uuid=f"u{n}", event=f"e{n}", timestamp_micros=1_772_366_400_000_000 + n, properties_json="x" * size)
        for n, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    "sizes", [(0,), (0, 0), (5_000,), (100,) * 50, (0, 20_000, 0), (130, 127, 128, 16_383, 16_384, 3_000_000, 1)]
)
def test_parts_are_the_page_in_order(monkeypatch, sizes):
    """Nothing is lost at the seams, whatever lengths the lengths have."""
    monkeypatch.setattr(parts, "PART_BYTES", 1_000)
    whole = events_of(*sizes)
    found = [CaptureRequest.FromString(part.payload).events for part in parts_of(page(*whole))]
    assert [event for each in found for event in each] == whole
    assert all(sum(event.ByteSize() for event in each[:-1]) < 1_000 for each in found)


def test_a_part_says_where_it_ends(monkeypatch):
    """By its last event; the last part by the page, which may end behind its events."""
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    found = [part.last for part in parts_of(page(*events_of(1, 2, 3)))]
    assert found == [EventKey(date(2026, 3, 1), "e0", "u0"), EventKey(date(2026, 3, 1), "e1", "u1"), LAST]


def test_a_page_without_events_has_no_parts():
    """Nobody needs an empty message."""
    assert list(parts_of(page())) == []
