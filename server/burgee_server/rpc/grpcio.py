"""gRPC's own server, and how calls are taken out of its core: many at a time, and not those that nobody waits for."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from grpc._cython import cygrpc
from grpc.aio import _server

from burgee_server.errors import Overloaded
from burgee_server.rpc.call import name
from burgee_server.rpc.door import CAPTURE, Door, Handler, Metadata
from burgee_server.rpc.errors import status_of
from burgee_server.rpc.line import Intake, Line
from burgee_server.rpc.shortcut import Shortcut

_AT_A_TIME = 64
_FEW_AT_A_TIME = 4
"""Of a method with a line of its own: what is done for these in one turn of the loop, all others wait for."""


class GrpcioServer(_server.Server):
    """A server of grpc.aio whose calls come through _Core."""

    def __init__(self, door: Door, options: Sequence[tuple[str, Any]]) -> None:
        self._loop = cygrpc.get_working_loop()
        self._server = _Core(self._loop, door, _server._augment_channel_arguments(options, None))


class _Core(cygrpc.AioServer):  # type: ignore[misc]  # it has no types
    """Takes calls out of gRPC's core in fewer steps: a line for each method that is registered, one for all others.

    Calls of a registered method that the door answers at once do not come to grpc.aio.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, door: Door, options: Sequence[tuple[str, Any]]) -> None:
        super().__init__(loop, None, (), (door,), options, None)
        self._door = door
        self._on = loop
        self._handlers: dict[str, Handler] = {}
        self._lines: dict[bytes | None, HandedOver] = {}
        self._shortcuts: dict[bytes, Shortcut] = {}

    def add_registered_method_handlers(self, handlers: Mapping[str, Handler]) -> None:
        """Register methods, before the start."""
        super().add_registered_method_handlers(handlers)
        self._handlers.update(handlers)

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Future[Any]":
        """What grpc.aio waits for: the next call of a registered method, or of any other."""
        if method is not None and self._door.answers_at_once(path := method.decode()):
            shortcut = Shortcut(self._intake(method, _AT_A_TIME), path, self._handlers[path])
            self._shortcuts[method] = shortcut
            return shortcut.ended
        line = self._lines.get(method)
        if line is None:
            intake = self._intake(method, _AT_A_TIME if method is None else _FEW_AT_A_TIME)
            line = self._lines[method] = HandedOver(intake, turns_away=method == CAPTURE.encode())
        return line.next()

    def _intake(self, method: bytes | None, at_a_time: int) -> Intake:
        request = self._request_call if method is None else partial(self._request_registered_call, method)
        return Intake(request, self.is_running, self._door, self._on, at_a_time)


class HandedOver(Line):
    """Calls on their way from gRPC's core to grpc.aio, for the loop in which that gives them their tasks, one a turn.

    grpc.aio asks the core for one call, gives it two tasks, and asks for the next; a call whose deadline has passed
    costs as much as any. Here the core is asked for many at once.

    `turns_away`: those that the door has no room for are answered at once, and never begin.
    """

    def __init__(self, intake: Intake, *, turns_away: bool) -> None:
        self._turns_away = turns_away
        self._answering: set[asyncio.Task[None]] = set()
        self._wanted: asyncio.Future[Any] = intake.loop.create_future()
        """What grpc.aio waits for; done while it does not."""
        super().__init__(intake)

    def next(self) -> "asyncio.Future[Any]":
        """The next call. grpc.aio asks for it when it has had the one before."""
        self._wanted = self._on.create_future()
        if (call := self._next()) is not None:
            self._wanted.set_result(call)
        elif self._ended is not None:
            self._end(self._ended)
        return self._wanted

    def _begins(self, call: Any, context: Any) -> bool:
        if self._turns_away and (full := self._door.turned_away(metadata := context.invocation_metadata())) is not None:
            self._answering.add(answering := self._on.create_task(self._turn_away(call, metadata, full)))
            answering.add_done_callback(self._answering.discard)
        elif not self._wanted.done():
            self._wanted.set_result(call)
        else:
            return False
        return True

    def _end(self, error: BaseException) -> None:
        if not self._wanted.done():
            self._wanted.set_exception(error)
            self._wanted.exception()  # it is no loss if grpc.aio has stopped waiting

    async def _turn_away(self, call: Any, metadata: Metadata, error: Overloaded) -> None:
        """Answer a call that never begins, without what grpc.aio does to abort one that did."""
        name(metadata)
        code, message, trailing = status_of(error)
        with suppress(cygrpc.ExecuteBatchError):  # nobody waits for it any more
            await cygrpc.execute_batch(
                call,
                (
                    cygrpc.SendInitialMetadataOperation(None, 0),
                    cygrpc.SendStatusFromServerOperation(trailing, code.value[0], message, 0),
                ),
                self._on,
            )
