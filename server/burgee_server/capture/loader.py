"""Carries the journal into the warehouse: few large inserts, each under a token, in order."""

import asyncio
import logging

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

    A range that fails for the warehouse's reasons is tried again, for ever, under the same token. Events that the
    warehouse refuses for their own sake go to quarantine and hold nothing up.
    """

    def __init__(self, journal: Journal, warehouse: Warehouse) -> None:
        self._journal = journal
        self._warehouse = warehouse
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Load until stopped."""
        while not self._stopping.is_set():
            await self._journal.wait(1.0)
            if not self._stopping.is_set():
                await self._pause(GATHER_SECONDS)
            await self._drain()

    def stop(self) -> None:
        """Let `run` load what waits now and return."""
        self._stopping.set()

    async def _drain(self) -> None:
        while (waiting := await self._journal.next_range(MAX_RANGE_EVENTS)) is not None:
            if not await self._load(waiting):
                return
            await self._journal.commit(waiting)

    async def _load(self, waiting: Range) -> bool:
        """Load a range, trying again until it is in; False if stopped before that."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._warehouse.load(waiting.payload, waiting.token)
            except Refused as refusal:
                log.warning("the warehouse refused a range of %d events, isolating: %s", waiting.events, refusal)
                await isolate(waiting, self._warehouse, self._journal)
            except Exception:
                log.exception("could not load %d events; trying again in %.1f s", waiting.events, retry_seconds)
                await self._pause(retry_seconds)
                if self._stopping.is_set():
                    return False
                retry_seconds = min(2 * retry_seconds, LAST_RETRY_SECONDS)
                continue
            return True

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
