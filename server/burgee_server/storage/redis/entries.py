"""The entries of the journal's stream."""

from collections.abc import Mapping
from dataclasses import dataclass

from burgee_server.storage.redis.connection import Client

MAX_RANGE_BYTES = 32 << 20
"""A range is in memory several times over while it is loaded."""
_FIRST_PAGE = 8
_MOST_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch, or a mark."""

    entry_id: str
    payload: bytes
    events: int
    received_at: float
    mark: str | None


def entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    """An entry as Redis tells it."""
    mark = fields.get(b"m")
    return Entry(
        entry_id.decode(),
        fields.get(b"p", b""),
        int(fields.get(b"e", 0)),
        float(fields[b"r"]),
        None if mark is None else mark.decode(),
    )


async def read_range(client: Client, stream: str, max_events: int) -> list[Entry]:
    """The first entries: batches up to a bound, at least one; or the marks before the next batch.

    Batches may have one event or four megabytes, and are read in pages that go by the size of those before.
    """
    found: list[Entry] = []
    events = size = 0
    after, page = "-", _FIRST_PAGE
    while read := await client.xrange(stream, after, count=page):
        for each in (entry(*one) for one in read):
            if found and (
                (each.mark is None) is not (found[0].mark is None)
                or events + each.events > max_events
                or size + len(each.payload) > MAX_RANGE_BYTES
                or len(found) >= max_events
            ):
                return found
            found.append(each)
            events, size = events + each.events, size + len(each.payload)
        if len(read) < page:
            break
        after = f"({found[-1].entry_id}"
        average = max(size // len(found), 1)
        page = min(max((MAX_RANGE_BYTES - size) // average + 1, 1), _MOST_PAGE)
    return found


def to_number(entry_id: str) -> int:
    """An entry's id as a number, in the same order."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds) << 32 | int(sequence)


def to_id(number: int) -> str:
    """The other way."""
    return f"{number >> 32}-{number & 0xFFFFFFFF}"
