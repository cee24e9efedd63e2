"""Carries the journal into the warehouse: few large inserts, in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from burgee_server.capture.isolator import Isolator
from burgee_server.errors import Damaged, Unavailable, Unsupported
from burgee_server.meters import Work
from burgee_server.ports.journal import Journal, Range
from burgee_server.ports.warehouse import Refused, Warehouse

log = logging.getLogger(__name__)

MAX_RANGE_EVENTS = 50_000
GATHER_SECONDS = 0.2
"""How long a range may fill up: fewer, larger parts, well inside the promised 2 seconds."""
KEEPS_UP_EVENTS = 40_000
KEEPS_UP_BYTES = 16 << 20
KEEPS_UP_SECONDS = 0.5
"""A loader whose range has more events or bytes, or whose last insert took longer, does not keep up: then it has its
share of the processor, and goes on at once."""
FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 10.0


class Loader:
    """Runs until it is stopped; then loads what waits at that time, if the warehouse takes it: from nodes that go on,
    more comes all the while, which is for the loader after this one.

    Whatever fails, on either side, is tried again, for ever, with the same range; only a Damaged journal ends it. A
    range that the warehouse refuses is the isolator's from then on, and holds nothing up. At marks in the journal,
    `reached` is called with them: everything before is then in the warehouse, set aside or in quarantine, and nothing
    that comes after.
    """

    def __init__(
        self,
        journal: Journal,
        warehouse: Warehouse,
        isolator: Isolator,
        reached: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._journal = journal
        self._warehouse = warehouse
        self._isolator = isolator
        self._reached = reached
        self._stopping = asyncio.Event()
        self._took_seconds = 0.0
        """The last insert."""
        self.work = Work()
        """Each insert, the events and bytes that it brought."""

    async def run(self) -> None:
        """Load until stopped."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            last = self._stopping.is_set()
            try:
                await (self._drain_once() if last else self._drain())
            except Damaged:
                raise  # the next start saves what can be read
            except Exception as error:
                if isinstance(error, Unavailable | Unsupported):
                    log.warning("events wait in the journal; trying again in %.1f s: %s", retry_seconds, error)
                else:
                    log.exception("events wait in the journal; trying again in %.1f s", retry_seconds)
                pause, retry_seconds = retry_seconds, min(2 * retry_seconds, LAST_RETRY_SECONDS)
            else:
                pause, retry_seconds = GATHER_SECONDS, FIRST_RETRY_SECONDS
                if not last:
                    await self._until_appended()
            if last:
                return
            await self._pause(pause)

    def stop(self) -> None:
        """Let `run` load what waits now and return."""
        self._stopping.set()

    async def _drain(self) -> None:
        """Load until nothing waits any more, or this is stopped; who keeps up lets some gather in between.

        Not after a range behind marks: the next marks may have cut it short, however much waits behind them.
        """
        behind_marks = False
        while (waiting := await self._journal.next_range(MAX_RANGE_EVENTS)) is not None:
            await self._carry(waiting)
            if not waiting.marks and not behind_marks and self._keeps_up(waiting):
                await self._pause(GATHER_SECONDS)
            behind_marks = bool(waiting.marks)
            if self._stopping.is_set():
                return

    async def _drain_once(self) -> None:
        """Load as many events as wait now, or a few more."""
        left = (await self._journal.backlog()).events
        while (waiting := await self._journal.next_range(MAX_RANGE_EVENTS)) is not None:
            await self._carry(waiting)
            left -= waiting.events
            if left <= 0:
                return

    async def _carry(self, waiting: Range) -> None:
        if waiting.marks:
            await self._reached(waiting.marks)
            await self._journal.commit(waiting)
            return
        began = monotonic()
        try:
            with self.work.once():
                patient = self._keeps_up(waiting)
                await self._warehouse.load(waiting.payload, again=waiting.again, patient=patient)
        except Refused as refusal:
            log.warning("%d events are set aside: the warehouse refused them (%s)", waiting.events, refusal.kind)
            await self._isolator.set_aside(waiting)
        else:
            self.work.amounts.update(events=waiting.events, bytes=len(waiting.payload))
            await self._journal.commit(waiting)
            self._isolator.notice_taken()
        finally:
            self._took_seconds = monotonic() - began

    def _keeps_up(self, waiting: Range) -> bool:
        is_small = waiting.events <= KEEPS_UP_EVENTS and len(waiting.payload) <= KEEPS_UP_BYTES
        return is_small and self._took_seconds <= KEEPS_UP_SECONDS

    async def _until_appended(self) -> None:
        """Wait for something to load, or for the end."""
        waits = [asyncio.create_task(self._journal.wait(60.0)), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
