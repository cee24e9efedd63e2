"""Takes a batch in: through the door, into the journal, and only then acknowledged."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from burgee_server.capture.admission import Admission, Rejection, admit
from burgee_server.capture.times import TimeWindow
from burgee_server.companion import Companion
from burgee_server.errors import Invalid, NotFound
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch
from burgee_server.names import MAX_NAME, require
from burgee_server.ports.access import Environment
from burgee_server.ports.clock import Clock
from burgee_server.ports.journal import Journal
from burgee_server.ports.warehouse import to_micros

SMALL_BYTES = 32_768
"""A batch of this size is checked in a millisecond; a larger one by the companion: it may take a tenth of a second."""


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

    def __init__(
        self, journal: Journal, group_types: KnownTypes, clock: Clock, window: TimeWindow, companion: Companion
    ) -> None:
        self._journal = journal
        self._group_types = group_types
        self._clock = clock
        self._window = window
        self._companion = companion
        self.events: Counter[str] = Counter()
        """How many there were, by what became of them: accepted, duplicate, rejected."""

    async def take(self, environment: Environment, read: Callable[[bytes], ArrivingBatch], raw: bytes) -> Receipt:
        """Take a batch in, which `read` reads: a function of a module, since it may run in another process.

        Raises Invalid for the whole batch, Overloaded when the journal is full.
        """
        environment_id, now = environment.environment_id, self._clock.now()
        known_types = await self._group_types.known(environment_id)
        arguments = (read, raw, environment, now, self._window, known_types)
        if len(raw) <= SMALL_BYTES:
            batch_id, admission = _admit(*arguments)
        else:
            batch_id, admission = await self._companion.run(_admit, *arguments)
        if admission.group_types:
            await self._group_types.remember(environment_id, admission.group_types)
        if admission.accepted:
            known = await self._journal.append(environment_id, batch_id, admission.payload, admission.accepted)
        else:  # its id stays free for what is sent under it when it is mended
            known = await self._journal.batch(environment_id, batch_id) if batch_id else None
        self.events["rejected"] += len(admission.rejected)
        if known is not None:
            self.events["duplicate"] += known
            return Receipt(0, known, admission.rejected)
        self.events["accepted"] += admission.accepted
        return Receipt(admission.accepted, 0, admission.rejected)

    async def known(self, environment_id: int, batch_id: str) -> int:
        """How many events were acknowledged under an id. Raises Invalid, and NotFound if none were in 24 hours."""
        require("batch_id", _id_fault(batch_id) if batch_id else "must not be empty")
        events = await self._journal.batch(environment_id, batch_id)
        if events is None:
            raise NotFound(f"no batch {batch_id!r} was acknowledged in the last 24 hours")
        return events


def _admit(
    read: Callable[[bytes], ArrivingBatch],
    raw: bytes,
    environment: Environment,
    now: datetime,
    window: TimeWindow,
    known_types: frozenset[str],
) -> tuple[str, Admission]:
    batch = read(raw)
    try:
        batch_id = batch.batch_id.decode()
    except UnicodeDecodeError as error:
        raise Invalid.of("batch_id", "must be UTF-8") from error
    require("batch_id", _id_fault(batch_id))
    kept_from = environment.keeps_from(now)
    kept_from_micros = 0 if kept_from is None else to_micros(kept_from)
    return batch_id, admit(batch, environment.environment_id, to_micros(now), window, known_types, kept_from_micros)


def _id_fault(batch_id: str) -> str:
    return f"must be at most {MAX_NAME} characters, got {len(batch_id)}" if len(batch_id) > MAX_NAME else ""
