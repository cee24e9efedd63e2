"""Examines what the loader has set aside, so that one refused event holds up no other."""

import asyncio
import logging
from collections.abc import Iterator

from burgee_server.capture.batches import events_of
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.journal import Journal, Range
from burgee_server.ports.quarantine import Part, QuarantineStore, RefusedEvent
from burgee_server.ports.warehouse import Refused, Warehouse

log = logging.getLogger(__name__)

EXAMINED_EVENTS = 2_000
EXAMINED_BYTES = 1 << 19
"""How much is examined at a time: while its statement is made, nothing else runs."""
FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 60.0


class Isolator:
    """Works beside the loader, until it is cancelled; that is safe at any moment, and so is a crash.

    What became of a part is written down in one step, before anything of it is loaded; and of a part, only what is not
    in the warehouse is loaded.
    A part that the warehouse refuses although none of its events is at fault by itself waits, and is tried again, for
    as long as the warehouse takes nothing else either: then the fault is the warehouse's. If it does take others, the
    part is halved, down to the event that is refused.
    """

    def __init__(self, journal: Journal, store: QuarantineStore, warehouse: Warehouse) -> None:
        self._journal = journal
        self._store = store
        self._warehouse = warehouse
        self._woken = asyncio.Event()
        self._taken = 0
        self._taken_before: dict[int, int] = {}

    async def set_aside(self, refused: Range) -> None:
        """Take over a range that the warehouse refused."""
        await self._journal.set_aside(refused)
        self._woken.set()

    def notice_taken(self) -> None:
        """Hear that the warehouse took something."""
        self._taken += 1

    async def run(self) -> None:
        """Examine each part once when it comes, and those that must wait again and again."""
        after, left, retry_seconds = 0, False, FIRST_RETRY_SECONDS
        while True:
            self._woken.clear()
            part = None
            try:
                async with self._store.alone():
                    if (part := await self._store.next_part(after)) is not None:
                        after = part.part_id
                        await self._settle(part)
                        continue
            except Refused as refusal:
                log.error("the warehouse refuses events without a fault (%s); they wait", refusal.kind)
                left = True
            except Exception:
                log.exception("events that were set aside wait")
                left = True
            if part is not None:
                continue
            if not left:
                retry_seconds = FIRST_RETRY_SECONDS
                await self._woken.wait()
            elif not await self._woken_within(retry_seconds):
                after, left, retry_seconds = 0, False, min(2 * retry_seconds, LAST_RETRY_SECONDS)

    async def _settle(self, part: Part) -> None:
        """Bring a part one step further. Raises Refused if it must wait."""
        if not part.examined:
            await self._examine(part)
            return
        try:
            await self._warehouse.load(part.payload, again=True)
        except Refused as refusal:
            if self._taken_before.setdefault(part.part_id, self._taken) == self._taken:
                raise
            await self._halve(part, str(refusal))
        else:
            await self._store.release(part)
            self.notice_taken()
        self._taken_before.pop(part.part_id, None)

    async def _examine(self, part: Part) -> None:
        """Put the events that are at fault by themselves into quarantine."""
        events = await asyncio.to_thread(events_of, part.payload)
        rest: list[bytes] = []
        refused: list[RefusedEvent] = []
        for some in _pieces(events):
            faults = await self._warehouse.faults(b"".join(some))
            rest += [event for index, event in enumerate(some) if index not in faults]
            refused += [_refused(some[index], reason) for index, reason in faults.items()]
        await self._store.divide(part, [(b"".join(rest), len(rest))] if rest else [], refused)
        if refused:
            log.warning("%d of %d events that were set aside are in quarantine now", len(refused), part.events)

    async def _halve(self, part: Part, reason: str) -> None:
        events = await asyncio.to_thread(events_of, part.payload)
        if len(events) == 1:
            await self._store.divide(part, [], [_refused(events[0], reason)])
            log.warning("an event is in quarantine now that the warehouse refuses for no reason that is known here")
            return
        middle = len(events) // 2
        halves = [(b"".join(half), len(half)) for half in (events[:middle], events[middle:])]
        await self._store.divide(part, halves, [])

    async def _woken_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True


def _pieces(events: list[bytes]) -> Iterator[list[bytes]]:
    """Runs of events that are small enough to be examined at once."""
    piece: list[bytes] = []
    size = 0
    for event in events:
        if piece and (len(piece) == EXAMINED_EVENTS or size + len(event) > EXAMINED_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(event)
        size += len(event)
    yield piece


def _refused(event: bytes, reason: str) -> RefusedEvent:
    environment_id = StoredBatch.FromString(event).events[0].environment_id
    return RefusedEvent(environment_id, event, reason)
