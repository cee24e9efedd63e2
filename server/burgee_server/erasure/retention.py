"""Lets environments forget events that are older than they keep them."""

import asyncio
import logging
from contextlib import suppress

from burgee_server.ports.access import AccessStore
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.warehouse import Warehouse

log = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
"""How often it is looked whether a day has become too old. Capture refuses what is too old by itself."""


class Retention:
    """A day of events is removed as a whole, in the first hour in which all of it is too old."""

    def __init__(self, access: AccessStore, warehouse: Warehouse, clock: Clock) -> None:
        self._access = access
        self._warehouse = warehouse
        self._clock = clock
        self._changed = asyncio.Event()

    def notice(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.ENVIRONMENT:
            self._changed.set()

    async def run(self) -> None:
        """Remove what is too old, every hour and whenever an environment changes, until cancelled, at any time."""
        while True:
            self._changed.clear()
            try:
                await self._expire()
            except Exception:
                log.exception("events that are too old are still there; trying again in an hour")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()

    async def _expire(self) -> None:
        now = self._clock.now()
        first = {each.environment_id: each.keeps_from(now) for each in await self._access.retained()}
        keeps_from = {environment_id: moment for environment_id, moment in first.items() if moment is not None}
        if keeps_from and await self._warehouse.expire(keeps_from):
            log.info("removed events that were older than their environments keep them")
