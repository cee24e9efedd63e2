"""Cuts a page of events into parts that fit a message, without making objects of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from burgee.v1.capture_pb2 import Event
from burgee_server.ports.selection import EventKey, EventPage
from burgee_server.ports.warehouse import from_micros

PART_BYTES = 1 << 20
"""Enough for any event, and far below the 4 MB that gRPC takes unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some events of an export."""

    payload: bytes
    """Serialized burgee.v1.Events, each as an entry of a repeated field 1."""
    last: EventKey
    """What comes after this comes in later parts."""


def parts_of(page: EventPage) -> Iterator[Part]:
    """The page in parts of PART_BYTES and at most one event more; none for a page without events."""
    payload, end = page.payload, len(page.payload)
    start = position = 0
    while position < end:
        entry = position
        size, body = _length(payload, entry + 1)
        position = body + size
        if position == end:
            yield Part(payload[start:], page.last)
        elif position - start >= PART_BYTES:
            yield Part(payload[start:position], _key(payload[body:position]))
            start = position


def _length(payload: bytes, position: int) -> tuple[int, int]:
    """The varint at a position, and the position after it."""
    length = shift = 0
    while (byte := payload[position]) > 0x7F:
        length |= (byte & 0x7F) << shift
        shift += 7
        position += 1
    return length | byte << shift, position + 1


def _key(serialized: bytes) -> EventKey:
    event = Event.FromString(serialized)
    return EventKey(from_micros(event.timestamp_micros).date(), event.event, event.uuid)
