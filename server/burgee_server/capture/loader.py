"""Carries the journal into the warehouse: few large inserts, each under a token, in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from burgee_server.capture.isolation import isolate
from burgee_server.ports.journal import Journal, Range
from burgee_server.ports.warehouse import Refused, Warehouse

log = logging.getLogger(__name__)

MAX_RANGE_EVENTS = 50_000
GATHER_SECONDS = 0.2
"""How long a range may fill up after its first batch: fewer, larger parts, well inside the promised 2 seconds."""
FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 10.0


class Loader:
    """Runs until it is stopped; then loads what waits, if the warehouse takes it.

    Whatever fails, on either side, is tried again, for ever, with the same range under the same token. Events that the
    warehouse refuses for their own sake go to quarantine and hold nothing up. At marks in the journal, `reached` is
    called with them: everything before is then in the warehouse or in quarantine, and nothing that comes after.
    """

    def __init__(
        self, journal: Journal, warehouse: Warehouse, reached: Callable[[Sequence[str]], Awaitable[None]]
    ) -> None:
        self._journal = journal
        self._warehouse = warehouse
        self._reached = reached
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Load until stopped."""
        retry_seconds = FIRST_RETRY_SECONDS
        while not self._stopping.is_set():
            await self._journal.wait(1.0)
            await self._pause(GATHER_SECONDS)
            try:
                await self._drain()
                retry_seconds = FIRST_RETRY_SECONDS
            except Exception:
                log.exception("events wait in the journal; trying again in %.1f s", retry_seconds)
                await self._pause(retry_seconds)
                retry_seconds = min(2 * retry_seconds, LAST_RETRY_SECONDS)

    def stop(self) -> None:
        """Let `run` load what waits now and return."""
        self._stopping.set()

    async def _drain(self) -> None:
        while (waiting := await self._journal.next_range(MAX_RANGE_EVENTS)) is not None:
            if waiting.marks:
                await self._reached(waiting.marks)
            else:
                await self._load(waiting)
            await self._journal.commit(waiting)

    async def _load(self, waiting: Range) -> None:
        try:
            await self._warehouse.load(waiting.payload, waiting.token)
        except Refused as refusal:
            log.warning("the warehouse refused a range of %d events; isolating: %s", waiting.events, refusal)
            await isolate(waiting, self._warehouse, self._journal)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
