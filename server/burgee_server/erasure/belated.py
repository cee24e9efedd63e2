"""What is left of events that come into the journal late, without those that were to be erased meanwhile."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from burgee.evaluation.model import USER
from burgee_server.erasure.left import left_of
from burgee_server.journal.v1.journal_pb2 import StoredEvent
from burgee_server.ports.erasures import Erasure, ErasureStore, key_digest
from burgee_server.ports.quarantine import Remainder
from burgee_server.ports.warehouse import from_micros

_EARLIER = timedelta(minutes=1)
"""By how much an event may have been taken before its batch was acknowledged."""


class Belated:
    """Their batches were acknowledged before the marks of those erasures, and come after them."""

    def __init__(self, store: ErasureStore) -> None:
        self._store = store

    async def since(self, acknowledged_at: float) -> Callable[[bytes], Remainder | None]:
        """See Late of the journal's port. Raises Unavailable."""
        oldest = from_micros(int(acknowledged_at * 1e6)) - _EARLIER
        return _Past(await self._store.since(oldest)).without


class _Past:
    """Erasures that may be done, and their keys forgotten."""

    def __init__(self, erasures: Sequence[Erasure]) -> None:
        self._erasures = {(each.environment_id, each.group_type, each.key_sha256): each for each in erasures}
        """The latest of each key: they come in the order in which they were asked for."""

    def without(self, payload: bytes) -> Remainder | None:
        """What is left of a serialized StoredBatch; None if that is all of it."""
        if not self._erasures:
            return None
        return left_of(payload, self._is_about)

    def _is_about(self, event: StoredEvent) -> bool:
        named = [(USER, event.distinct_id), *((group.key.decode(), group.value) for group in event.groups)]
        taken_at = from_micros(event.received_at_micros)
        for group_type, key in named:
            erasure = self._erasures.get((event.environment_id, group_type, key_digest(key.decode())))
            if erasure is not None and taken_at <= erasure.requested_at:
                return True
        return False
