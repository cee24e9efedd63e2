"""Whether an event that waits outside the warehouse is to be removed."""

from collections.abc import Sequence

from burgee.evaluation.model import USER
from burgee_server.journal.v1.journal_pb2 import StoredBatch, StoredEvent
from burgee_server.ports.warehouse import Removal, to_micros


def concerns(environment_id: int, removals: Sequence[Removal], payload: bytes) -> bool:
    """Whether any event of a serialized StoredBatch is of one of these persons, or names one of these groups."""
    return any(
        event.environment_id == environment_id and any(_concerns(removal, event) for removal in removals)
        for event in StoredBatch.FromString(payload).events
    )


def _concerns(removal: Removal, event: StoredEvent) -> bool:
    if event.received_at_micros > to_micros(removal.received_until):
        return False
    group_type, key = removal.group_type.encode(), removal.key.encode()
    if removal.group_type == USER:
        return event.distinct_id == key
    return any(each.key == group_type and each.value == key for each in event.groups)
