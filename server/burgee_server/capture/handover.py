"""Hands over what this node has acknowledged by itself, as soon as the journal of all nodes can be reached again."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from burgee_server.causes import cause
from burgee_server.errors import Damaged, Overloaded, Unavailable, Unsupported
from burgee_server.ports.journal import Held, Late

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
LOOK_SECONDS = 5.0
"""How often it is looked whether the journal of all nodes is back, where nothing is held that could be handed over."""


class Handover:
    """Runs until it is stopped; then hands over what is held now, if that can be done."""

    def __init__(self, held: Held, late: Late) -> None:
        self._held = held
        self._late = late
        self._stopping = asyncio.Event()
        self._told = ""
        """What was warned of, and holds still."""

    async def run(self) -> None:
        """Hand over until stopped."""
        while not self._stopping.is_set():
            if await self._once():
                await self._pause(self._held.until_held(LOOK_SECONDS))
            else:
                await self._pause(asyncio.sleep(RETRY_SECONDS))
        if not await self._once() and (events := (await self._held.holding()).events):
            log.warning("%d acknowledged events stay on this node: start it again with the same directory", events)

    def stop(self) -> None:
        """Let `run` try once more and return."""
        self._stopping.set()

    async def _once(self) -> bool:
        before = self._held.handed_over
        try:
            await self._held.hand_over(self._late)
        except Damaged:
            raise  # the next start saves what can be read
        except (Unavailable, Overloaded) as error:
            log.debug("what this node holds cannot be handed over now: %s", cause(error))
            return False
        except Unsupported as error:
            if self._told != (told := str(error)):
                log.warning("what this node holds cannot be handed over: %s", told)
                self._told = told
            return False
        except Exception:
            log.exception("what this node holds cannot be handed over; trying again in %.1f s", RETRY_SECONDS)
            return False
        self._told = ""
        if events := self._held.handed_over - before:
            log.info("%d events that this node held are handed over", events)
        return True

    async def _pause(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for something, or for the end."""
        waits = [asyncio.create_task(waiting), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
