"""Calls on their way out of gRPC's core: those that are late never begin, and connections take turns."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Any

from grpc._cython import cygrpc

from burgee_server.rpc.door import Door
from burgee_server.rpc.waiting import WaitingCalls

log = logging.getLogger(__name__)

_MOST_WAITING = 10_000
"""Calls that are taken out before their turn; as many more wait in the core, and then it turns calls away."""
_LATE_SECONDS = 0.02
"""How long a late call is kept: one that is let go of before the core has said DEADLINE_EXCEEDED is CANCELLED."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where the calls of a line come from."""

    request: Callable[[], Coroutine[Any, Any, Any]]
    """Asks the core for the next one."""
    is_running: Callable[[], bool]
    """Whether the server does."""
    door: Door
    loop: asyncio.AbstractEventLoop
    at_a_time: int
    """For how many the core is asked at once."""


class Line(ABC):
    """Asks the core for many calls at once, and puts those that are not late into the lines of their connections.

    A late one costs a fifth of what grpc.aio takes to begin and end it: the core answers it.
    """

    def __init__(self, intake: Intake) -> None:
        self._request = intake.request
        self._is_running = intake.is_running
        self._door = intake.door
        self._on = intake.loop
        self.waiting: WaitingCalls[tuple[Any, float | None]] = WaitingCalls()
        self._numbers = count()
        self._late: deque[tuple[float, Any]] = deque()
        """Calls for the core to answer, and until when they are kept for that."""
        self._room = asyncio.Event()
        self._ended: BaseException | None = None
        self.taking = {self._on.create_task(self._take()) for _ in range(intake.at_a_time)}

    @abstractmethod
    def _begins(self, call: Any, context: Any) -> bool:
        """Whether a call begins, or ends, as it comes; else it waits for its turn."""

    @abstractmethod
    def _end(self, error: BaseException) -> None:
        """No more will come, and none waits: grpc.aio is to hear why, which ends with its server, or ends it."""

    def _put(self, call: Any, context: Any, remaining: float | None) -> None:
        """Have a call wait for its connection's turn."""
        until = None if remaining is None else monotonic() + remaining
        self.waiting.add(context.peer(), next(self._numbers), (call, until))

    def _next(self) -> Any:
        """The first call of the connection whose turn it is; None: nobody waits. Those now late are let go of."""
        while (waited := self.waiting.next()) is not None:
            self._room.set()
            call, until = waited
            if until is None or until > monotonic():
                return call
            self._leave(call)
        return None

    async def _take(self) -> None:
        """Ask the core for one call after the other, until the server stops."""
        try:
            while await self._has_room():
                try:
                    call = await self._request()
                except cygrpc._RequestCallError:  # this one request has failed; grpc.aio, too, makes another
                    if not self._is_running():
                        raise
                    continue
                try:
                    if self._ended is None:
                        self._sort(call)
                except Exception:  # it is ended by the core when nothing has it any more; the others go on
                    log.exception("a call could not be taken in")
                del call
        except BaseException as error:
            self._ended = error
            self.waiting = WaitingCalls()  # they end with the server, and know it: each would keep the other
            self._late.clear()
            self._room.set()
            self._end(error)

    async def _has_room(self) -> bool:
        """Waits until there is room for one more; whether any is still to be taken out."""
        while self._ended is None and len(self.waiting) >= _MOST_WAITING:
            self._room.clear()
            await self._room.wait()
        return self._ended is None

    def _sort(self, call: Any) -> None:
        context = cygrpc._ServicerContext(call, None, None, self._on)
        remaining = context.time_remaining()
        if remaining is not None and remaining <= 0:
            self._leave(call)
        elif not self._begins(call, context):
            self._put(call, context, remaining)

    def _leave(self, call: Any) -> None:
        """Leave a late call to the core."""
        self._door.count_late()
        self._late.append((monotonic() + _LATE_SECONDS, call))
        if len(self._late) == 1:
            self._on.call_later(_LATE_SECONDS, self._let_go)

    def _let_go(self) -> None:
        """Let go of late calls that the core has had the time to answer."""
        now = monotonic()
        while self._late and self._late[0][0] <= now:
            self._late.popleft()
        if self._late:
            self._on.call_later(self._late[0][0] - now, self._let_go)
