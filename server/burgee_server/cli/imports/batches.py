"""A chunk of a file as what is sent of it, and what is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from burgee.v1.capture_pb2 import CaptureRequest
from burgee_server.cli.imports.reading import Reading
from burgee_server.cli.imports.records import Chunk, Fault, NotAnEvent, Record

_MOST_REQUEST_BYTES = 3_900_000
"""The server takes 4 MB."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is not imported, and why."""

    record: Record
    fault: Fault


@dataclass(slots=True)
class Batch:
    """What a chunk holds: the events, each with its record, and the rest."""

    batch_id: str
    request: CaptureRequest = field(default_factory=CaptureRequest)
    records: list[Record] = field(default_factory=list)
    """Of the events, in their order."""
    rejected: list[Rejected] = field(default_factory=list)
    left_out: int = 0
    """Records that the mapping skips."""


def batch_id_of(chunk: Chunk, salt: str) -> str:
    """The same for the same chunk read in the same way: what the server has it knows again.

    `salt` is what the way hangs on: the digest of a mapping.
    """
    return f"import:{salt}:{chunk.digest}"


def read_batch(chunk: Chunk, reading: Reading, batch_id: str) -> Batch:
    """Read a chunk."""
    batch = Batch(batch_id)
    add = batch.request.events.append
    for record in chunk.records():
        try:
            event = reading(record)
        except NotAnEvent as error:
            batch.rejected.append(Rejected(record, Fault(record.number, error.field, error.reason)))
            continue
        if event is None:
            batch.left_out += 1
            continue
        if (size := event.ByteSize()) > _MOST_REQUEST_BYTES:
            fault = Fault(record.number, "record", f"is an event of {size:,} bytes: properties may have 65,536")
            batch.rejected.append(Rejected(record, fault))
            continue
        add(event)
        batch.records.append(record)
    batch.request.batch_id = batch_id
    return batch


def requests_of(batch: Batch) -> Iterator[tuple[CaptureRequest, Sequence[Record]]]:
    """The batch as requests that the server takes, cut in halves where it is too large; with the records of each."""
    parts = [(0, len(batch.records), batch.batch_id)] if batch.records else []
    while parts:
        start, end, batch_id = parts.pop()
        request = batch.request
        if end - start < len(batch.records):
            request = CaptureRequest(events=batch.request.events[start:end], batch_id=batch_id)
        if request.ByteSize() > _MOST_REQUEST_BYTES and end - start > 1:
            middle = (start + end) // 2
            parts += [(middle, end, f"{batch_id}r"), (start, middle, f"{batch_id}l")]
        else:
            yield request, batch.records[start:end]
