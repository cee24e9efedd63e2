"""The Journal port on two journals: that of all nodes and, while it cannot be reached, one of this node's own."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from uuid import uuid4

from burgee_server.causes import cause
from burgee_server.errors import Unavailable
from burgee_server.journal.v1.held_pb2 import HeldBatch, HeldBatches
from burgee_server.ports.journal import Backlog, Journal, Late, Range
from burgee_server.ports.quarantine import Remainder

log = logging.getLogger(__name__)

MOST_EVENTS = 50_000
"""Of a range that is handed over at a time."""
AT_ONCE = 16
"""How many batches are on their way to the journal of all nodes."""


class HoldingJournal:
    """Appends to `shared`, or to `own` while that raises Unavailable; all else is asked of `shared`.

    What `own` has is envelopes: each a batch with its environment and its id, so that `shared` can be given them later
    as if they had come there at first. Without `holds`, nothing new is held: what is left from before is handed over.
    """

    def __init__(
        self, shared: Journal, own: Journal, *, holds: bool, unix_seconds: Callable[[], float] = time.time
    ) -> None:
        self._shared = shared
        self._own = own
        self._holds = holds
        self._unix_seconds = unix_seconds
        self._late: deque[tuple[float, float]] = deque()
        """When something was handed over, and when the oldest of it had been acknowledged."""
        self.away = False
        self.handed_over = 0

    async def claim(self, installation: str) -> str:
        """See the port. What is held by somebody else's node is nothing for this installation either."""
        owner = await self._own.claim(installation)
        if owner != installation:
            return owner
        try:
            return await self._shared.claim(installation)
        except Unavailable as error:
            if not self._holds:
                raise
            log.warning("events are kept on this node until they can be handed over: %s", cause(error))
            self.away = True
            return installation

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """See the port. Raises Unavailable only if nothing is held."""
        if not (self._holds and self.away):
            try:
                return await self._shared.append(environment_id, batch_id, payload, events)
            except Unavailable as error:
                if not self._holds:
                    raise
                if not self.away:
                    log.warning("events are kept on this node until they can be handed over: %s", cause(error))
                self.away = True
        # Without an id of its own, it would be kept twice if it is handed over twice, around a crash.
        known_as = batch_id or f"held-{uuid4().hex}"
        held = HeldBatch(environment_id=environment_id, batch_id=known_as, events=events, payload=payload)
        envelope = HeldBatches(batches=(held,)).SerializeToString()
        return await self._own.append(environment_id, known_as, envelope, events)

    async def batch(self, environment_id: int, batch_id: str) -> int | None:
        """See the port. Raises Unavailable if the journal that may know it cannot be reached."""
        held = await self._own.batch(environment_id, batch_id)
        return held if held is not None else await self._shared.batch(environment_id, batch_id)

    async def mark(self, text: str) -> None:
        """See the port. What is held comes later, and is looked through then: see hand_over."""
        await self._shared.mark(text)

    async def next_range(self, max_events: int) -> Range | None:
        """See the port."""
        return await self._shared.next_range(max_events)

    async def commit(self, done: Range) -> None:
        """See the port."""
        await self._shared.commit(done)

    async def set_aside(self, refused: Range) -> None:
        """See the port."""
        await self._shared.set_aside(refused)

    async def wait(self, seconds: float) -> None:
        """See the port."""
        await self._shared.wait(seconds)

    async def complete_until(self) -> float:
        """See the port. Knows what this node holds, or has handed over a moment ago; of other nodes', nothing."""
        held = await self._own.complete_until()
        shared = await self._shared.complete_until()
        while self._late and self._late[0][0] < shared:
            self._late.popleft()
        return min(held, shared, *(acknowledged_at for _, acknowledged_at in self._late))

    async def backlog(self) -> Backlog:
        """See the port: of the journal of all nodes."""
        return await self._shared.backlog()

    async def close(self) -> None:
        """See the port."""
        await self._own.close()
        await self._shared.close()

    async def holding(self) -> Backlog:
        """See the port Held."""
        return await self._own.backlog()

    async def hand_over(self, late: Late) -> None:
        """See the port Held."""
        while (held := await self._own.next_range(MOST_EVENTS)) is not None:
            await self._shared.backlog()  # it says what is wrong with it, which appending keeps from callers
            acknowledged_at = await self._own.complete_until()
            leave = await late(acknowledged_at)
            batches = HeldBatches.FromString(held.payload).batches
            for first in range(0, len(batches), AT_ONCE):
                await _all(self._give(batch, leave) for batch in batches[first : first + AT_ONCE])
            self._late.append((self._unix_seconds(), acknowledged_at))
            await self._own.commit(held)
            self.handed_over += held.events
            self.away = False
        if self.away:
            await self._shared.backlog()
            self.away = False

    async def until_held(self, seconds: float) -> None:
        """See the port Held."""
        await self._own.wait(seconds)

    async def _give(self, batch: HeldBatch, leave: Callable[[bytes], Remainder | None]) -> None:
        left = await asyncio.to_thread(leave, batch.payload) or Remainder(batch.payload, batch.events)
        await self._shared.append(batch.environment_id, batch.batch_id, left.payload, left.events)


async def _all(given: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all of them, and raise what one of them raised."""
    for outcome in await asyncio.gather(*given, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
