"""gRPC's own server, and how calls are taken out of its core: many at a time, and not those that nobody waits for."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from time import monotonic
from typing import Any

import grpc
from grpc._cython import cygrpc
from grpc.aio import _server

from burgee_server.errors import Overloaded
from burgee_server.rpc.call import name
from burgee_server.rpc.door import CAPTURE, Door
from burgee_server.rpc.errors import abort
from burgee_server.rpc.waiting import WaitingCalls

log = logging.getLogger(__name__)

_AT_A_TIME = 64
_FEW_AT_A_TIME = 4
"""Of a method with a line of its own: what is done for these in one turn of the loop, all others wait for."""
_MOST_WAITING = 10_000
"""Calls that are taken out before their turn; as many more wait in the core, and then it turns calls away."""
_LATE_SECONDS = 0.02
"""How long a late call is kept: one that is let go of before the core has said DEADLINE_EXCEEDED is CANCELLED."""


class GrpcioServer(_server.Server):
    """A server of grpc.aio whose calls come through _Core."""

    def __init__(self, door: Door, options: Sequence[tuple[str, Any]]) -> None:
        self._loop = cygrpc.get_working_loop()
        self._server = _Core(self._loop, door, _server._augment_channel_arguments(options, None))


class _Core(cygrpc.AioServer):  # type: ignore[misc]  # it has no types
    """Takes calls out of gRPC's core in fewer steps: a line for each method that is registered, one for all others."""

    def __init__(self, loop: asyncio.AbstractEventLoop, door: Door, options: Sequence[tuple[str, Any]]) -> None:
        super().__init__(loop, None, (), (door,), options, None)
        self._door = door
        self._on = loop
        self._lines: dict[bytes | None, Line] = {}

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Future[Any]":
        """What grpc.aio waits for: the next call of a registered method, or of any other."""
        line = self._lines.get(method)
        if line is None:
            if method is None:
                line = Line(self._request_call, self._door, self._on, _AT_A_TIME, turns_away=False)
            else:
                request = partial(self._request_registered_call, method)
                turns_away = method == CAPTURE.encode()
                line = Line(request, self._door, self._on, _FEW_AT_A_TIME, turns_away=turns_away)
            self._lines[method] = line
        return line.next()


class Line:
    """Calls on their way from gRPC's core to grpc.aio: lets go of those that are late, and has connections take turns.

    grpc.aio asks the core for one call, gives it two tasks, and asks for the next; a call whose deadline has passed
    costs as much as any. Here the core is asked for many at once. One that is late never begins, which costs a fifth:
    the core answers it. The others wait for the loop in which grpc.aio gives them their tasks, one a turn.

    `turns_away`: those that the door has no room for are answered at once, and never begin either.
    """

    def __init__(
        self,
        request: Callable[[], Coroutine[Any, Any, Any]],
        door: Door,
        loop: asyncio.AbstractEventLoop,
        at_a_time: int,
        *,
        turns_away: bool,
    ) -> None:
        self._request = request
        self._turns_away = turns_away
        self._answering: set[asyncio.Task[None]] = set()
        self._door = door
        self._on = loop
        self.waiting: WaitingCalls[tuple[Any, float | None]] = WaitingCalls()
        self._numbers = count()
        self._wanted: asyncio.Future[Any] = loop.create_future()
        """What grpc.aio waits for; done while it does not."""
        self._late: deque[tuple[float, Any]] = deque()
        """Calls for the core to answer, and until when they are kept for that."""
        self._room = asyncio.Event()
        self._ended: BaseException | None = None
        self.taking = {loop.create_task(self._take()) for _ in range(at_a_time)}

    def next(self) -> "asyncio.Future[Any]":
        """The next call. grpc.aio asks for it when it has had the one before."""
        self._wanted = self._on.create_future()
        self._hand_over()
        return self._wanted

    async def _take(self) -> None:
        """Ask the core for one call after the other, until the server stops."""
        try:
            while await self._has_room():
                call = await self._request()
                try:
                    self._sort(call)
                except Exception:  # it is ended by the core when nothing has it any more; the others go on
                    log.exception("a call could not be taken in")
                del call
        except BaseException as error:
            self._ended = error
            self.waiting = WaitingCalls()  # they end with the server, and know it: each would keep the other
            self._late.clear()
            self._room.set()
            self._hand_over()

    async def _has_room(self) -> bool:
        """Waits until there is room for one more; whether any is still to be taken out."""
        while self._ended is None and len(self.waiting) >= _MOST_WAITING:
            self._room.clear()
            await self._room.wait()
        return self._ended is None

    def _sort(self, call: Any) -> None:
        """Hand a call over if it is wanted at once; else put it into the line of its connection."""
        context = cygrpc._ServicerContext(call, None, None, self._on)
        remaining = context.time_remaining()
        if remaining is not None and remaining <= 0:
            self._leave(call)
        elif self._turns_away and (full := self._door.turned_away(context.invocation_metadata())) is not None:
            self._answering.add(answering := self._on.create_task(_answer(context, full)))
            answering.add_done_callback(self._answering.discard)
        elif not self._wanted.done():
            self._wanted.set_result(call)
        else:
            until = None if remaining is None else monotonic() + remaining
            self.waiting.add(context.peer(), next(self._numbers), (call, until))

    def _hand_over(self) -> None:
        """The first call of the connection whose turn it is; one that has become late while it waited is let go of."""
        while (waited := self.waiting.next()) is not None:
            self._room.set()
            call, until = waited
            if until is None or until > monotonic():
                self._wanted.set_result(call)
                return
            self._leave(call)
        if self._ended is not None and not self._wanted.done():
            self._wanted.set_exception(self._ended)
            self._wanted.exception()  # it is no loss if grpc.aio has stopped waiting

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


async def _answer(context: Any, error: Overloaded) -> None:
    """Answer a call that never begins, if there is still somebody to hear it."""
    name(context.invocation_metadata())
    with suppress(grpc.aio.AbortError, cygrpc.ExecuteBatchError):
        await abort(context, error)
