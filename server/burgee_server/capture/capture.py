"""Takes a batch in: through the door, into the journal, and only then acknowledged."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from burgee_server.capture.admission import Rejection, admit
from burgee_server.capture.times import TimeWindow
from burgee_server.errors import Invalid, NotFound
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.names import MAX_NAME, require
from burgee_server.ports.clock import Clock
from burgee_server.ports.journal import Journal

SMALL_BATCH = 200


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: `accepted` and `duplicate` events are durable."""

    accepted: int
    duplicate: int
    rejected: tuple[Rejection, ...]


class KnownTypes(Protocol):
    """The group types of each environment."""

    async def known(self, environment_id: int) -> frozenset[str]:
        """The names of all types of an environment."""

    async def remember(self, environment_id: int, names: frozenset[str]) -> None:
        """Keep the types that are new."""


class Capture:
    """Acknowledges events after the journal's commit; a batch_id that was acknowledged before is not kept again."""

    def __init__(self, journal: Journal, group_types: KnownTypes, clock: Clock, window: TimeWindow) -> None:
        self._journal = journal
        self._group_types = group_types
        self._clock = clock
        self._window = window

    async def take(self, environment_id: int, batch: StoredBatch) -> Receipt:
        """Take a batch in. Raises Invalid for the whole batch, Overloaded when the journal is full."""
        received_micros = int(self._clock.unix_seconds() * 1_000_000)
        try:
            batch_id = batch.batch_id.decode()
        except UnicodeDecodeError as error:
            raise Invalid.of("batch_id", "must be UTF-8") from error
        require("batch_id", _id_fault(batch_id))
        known_types = await self._group_types.known(environment_id)
        check = partial(admit, batch, environment_id, received_micros, self._window, known_types)
        # A large batch takes a tenth of a second; the loop has flag checks to answer meanwhile.
        admission = check() if len(batch.events) <= SMALL_BATCH else await asyncio.to_thread(check)
        if admission.group_types:
            await self._group_types.remember(environment_id, admission.group_types)
        known = await self._journal.append(environment_id, batch_id, admission.payload, admission.accepted)
        if known is not None:
            return Receipt(0, known, admission.rejected)
        return Receipt(admission.accepted, 0, admission.rejected)

    async def known(self, environment_id: int, batch_id: str) -> int:
        """How many events were acknowledged under an id. Raises Invalid, and NotFound if none were in 24 hours."""
        require("batch_id", _id_fault(batch_id) if batch_id else "must not be empty")
        events = await self._journal.batch(environment_id, batch_id)
        if events is None:
            raise NotFound(f"no batch {batch_id!r} was acknowledged in the last 24 hours")
        return events


def _id_fault(batch_id: str) -> str:
    return f"must be at most {MAX_NAME} characters, got {len(batch_id)}" if len(batch_id) > MAX_NAME else ""
