"""The shortcut past grpc.aio, for calls that the door answers at once."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grpc._cython import cygrpc

from burgee_server.rpc.door import Handler, Metadata
from burgee_server.rpc.line import Intake, Line

if TYPE_CHECKING:
    import asyncio

_BEGIN = 16
"""Calls that begin in one turn of the event loop. Others may have come by the next, and have their turn before them."""


@dataclass(frozen=True, slots=True)
class _Details:
    """What the door is told of a call, as grpc.aio would tell it."""

    method: str
    invocation_metadata: Metadata


class Shortcut(Line):
    """The calls of one method: each is read, asked the door for and answered in one task of its own.

    grpc.aio gives a call two tasks, waits for its end beside its answer, and asks interceptors and handlers what they
    are: a third of what a flag check costs. What the door cannot answer at once goes that way from there on.
    """

    def __init__(self, intake: Intake, method: str, handler: Handler) -> None:
        self._method = method
        self._handler = handler
        self._begun = 0
        self._ordinary: set[asyncio.Task[None]] = set()
        self.ended: asyncio.Future[Any] = intake.loop.create_future()
        """Never has a result: fails when no more calls will come."""
        super().__init__(intake)

    def _begins(self, call: Any, context: Any) -> bool:
        if self.waiting or self._begun >= _BEGIN:
            return False
        self._begin(call, context)
        return True

    def _begin(self, call: Any, context: Any) -> None:
        if not self._begun:
            self._on.call_soon(self._turn)
        self._begun += 1
        self._on.create_task(self._answer(call, context))

    def _turn(self) -> None:
        """Another turn of the event loop."""
        self._begun = 0
        while self._begun < _BEGIN and (call := self._next()) is not None:
            self._begin(call, cygrpc._ServicerContext(call, None, None, self._on))

    def _end(self, error: BaseException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
            self.ended.exception()  # it is no loss if grpc.aio has stopped waiting

    async def _answer(self, call: Any, context: Any) -> None:
        metadata = context.invocation_metadata()
        environment_id = self._door.let_in_at_once(self._method, metadata)
        message = answer = None
        if environment_id is not None:  # of nobody else a message is read, which may be a large one
            message = await cygrpc._receive_message(call, self._on)
            if message is None or not self._is_running():  # it was given up, or ends with the server
                return
            answer = self._door.answer_let_in(self._method, environment_id, message)
        if answer is None:
            rest = self._answer_ordinarily(call, context, metadata, message)
            task = self._on.create_task(cygrpc._schedule_rpc_coro(rest, call, self._on, self._method))
            self._ordinary.add(task)
            task.add_done_callback(self._ordinary.discard)
            return
        with suppress(cygrpc.ExecuteBatchError):  # nobody waits for it any more
            await cygrpc.execute_batch(
                call,
                (
                    cygrpc.SendInitialMetadataOperation(None, 0),
                    cygrpc.SendMessageOperation(answer, 0),
                    cygrpc.SendStatusFromServerOperation((), cygrpc.StatusCode.ok, "", 0),
                ),
                self._on,
            )

    async def _answer_ordinarily(self, call: Any, context: Any, metadata: Metadata, message: bytes | None) -> None:
        """What grpc.aio does, from where it is: the message has been read, or is when the door lets the call in."""

        async def find(_details: Any) -> Handler:
            return self._handler

        details: Any = _Details(self._method, metadata)
        handler: Any = await self._door.intercept_service(find, details)
        if message is None and handler.unary_unary is not None:
            message = await cygrpc._receive_message(call, self._on)
            if message is None:
                return
        behaviour = handler.unary_unary or handler.stream_unary
        await cygrpc._finish_handler_with_unary_response(
            call, behaviour, message, context, handler.response_serializer, self._on
        )
