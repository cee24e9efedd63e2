"""Whether an event that waits outside the warehouse is about somebody."""

from burgee.evaluation.model import USER
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.erasures import Erasure


def concerns(erasure: Erasure, payload: bytes) -> bool:
    """Whether any event of a serialized StoredBatch is of the person, or names the group."""
    key = erasure.key.encode()
    for event in StoredBatch.FromString(payload).events:
        if event.environment_id != erasure.environment_id:
            continue
        if erasure.group_type == USER:
            if event.distinct_id == key:
                return True
        elif any(each.key == erasure.group_type.encode() and each.value == key for each in event.groups):
            return True
    return False
