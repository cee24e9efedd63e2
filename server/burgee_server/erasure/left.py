"""A batch without the events that are about somebody."""

from collections.abc import Callable

from burgee_server.journal.v1.journal_pb2 import StoredBatch, StoredEvent
from burgee_server.ports.quarantine import Remainder


def left_of(payload: bytes, is_about: Callable[[StoredEvent], bool]) -> Remainder | None:
    """What is left of a serialized StoredBatch without the events of which that is so; None if that is all of it."""
    batch = StoredBatch.FromString(payload)
    left = [event for event in batch.events if not is_about(event)]
    if len(left) == len(batch.events):
        return None
    return Remainder(StoredBatch(events=left).SerializeToString(), len(left))
