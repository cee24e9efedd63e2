"""What is left of events that wait outside the warehouse, without those that are about somebody."""

from collections import defaultdict
from collections.abc import Iterable

from burgee.evaluation.model import USER
from burgee_server.erasure.left import left_of
from burgee_server.journal.v1.journal_pb2 import StoredEvent
from burgee_server.ports.erasures import Erasure
from burgee_server.ports.quarantine import Remainder


class Concern:
    """Knows the events of the persons, and those that name the groups, of some erasures."""

    def __init__(self, erasures: Iterable[Erasure]) -> None:
        self._environments: defaultdict[int, set[tuple[bytes, bytes]]] = defaultdict(set)
        for erasure in erasures:
            named = (erasure.group_type.encode(), erasure.key.encode())
            self._environments[erasure.environment_id].add(named)
        self._keys = {key for named in self._environments.values() for _, key in named}

    def without(self, payload: bytes) -> Remainder | None:
        """What is left of a serialized StoredBatch; None if that is all of it."""
        if not any(key in payload for key in self._keys):  # text is kept as it is: most need not be read
            return None
        return left_of(payload, self._is_about)

    def _is_about(self, event: StoredEvent) -> bool:
        if (concerned := self._environments.get(event.environment_id)) is None:
            return False
        return (USER.encode(), event.distinct_id) in concerned or any(
            (group.key, group.value) in concerned for group in event.groups
        )
