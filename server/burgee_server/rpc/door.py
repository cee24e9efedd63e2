"""The door: every call of burgee.v1 is let in, read, run and, if it fails, answered here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from time import perf_counter
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor

from burgee.wire import WireError
from burgee_server.access import Gate
from burgee_server.causes import cause
from burgee_server.errors import BurgeeError, Invalid, Overloaded, Unauthenticated, Unavailable
from burgee_server.rpc import call
from burgee_server.rpc.calls import Calls, MethodCalls
from burgee_server.rpc.decoding import decode
from burgee_server.rpc.detours import Detours
from burgee_server.rpc.errors import abort, code_of
from burgee_server.rpc.limits import CaptureLimits
from burgee_server.rpc.permissions import NEEDED
from burgee_server.rpc.running import RunningCalls
from burgee_server.rpc.streams import OpenStreams

log = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]
AtOnce: TypeAlias = Callable[[int, bytes], bytes | None]

CAPTURE = "/burgee.v1.CaptureService/Capture"
_QUESTIONS = "/burgee.v1.InsightService/"
"""Calls that take up to a minute, by the beginning of their path."""

_NONE: Mapping[str, AtOnce] = MappingProxyType({})

_AUTHORIZATION = "authorization"
_SCHEME = "bearer "
_SCHEME_ENDS = len(_SCHEME)

_LATE_SECONDS = 0.05
"""A call that is ended no longer before its deadline was ended by it: clocks begin at different moments."""


class Door(grpc.aio.ServerInterceptor):
    """Wraps each method once, at its first call. Methods of other packages (health, reflection) pass untouched.

    `reads_first`: the transport has read a message before it asks whether to let the call in. `at_once`: what answers a
    method's calls without waiting, from the environment and the message to the answer, or None if it has to wait.
    """

    def __init__(
        self,
        gate: Gate,
        running: RunningCalls,
        streams: OpenStreams,
        limits: CaptureLimits,
        calls: Calls,
        *,
        reads_first: bool,
        at_once: Mapping[str, AtOnce] = _NONE,
    ) -> None:
        self._gate = gate
        self._running = running
        self._streams = streams
        self._limits = limits
        self._calls = calls
        self._reads_first = reads_first
        self._at_once = at_once
        self._guarded: dict[str, Handler] = {}

    def answers_at_once(self, method: str) -> bool:
        """Whether there is any call of a method that `answer_at_once` answers."""
        return method in self._at_once

    def answer_at_once(self, method: str, metadata: Metadata, message: bytes) -> bytes | None:
        """The answer, let in and counted as any other, of a call that needs nothing but what is in memory.

        None for all others, those that are to be refused, named or written about among them: they go the ordinary way,
        which has a task and what it knows of the call. Here there is neither.
        """
        environment_id = self.let_in_at_once(method, metadata)
        return None if environment_id is None else self.answer_let_in(method, environment_id, message)

    def let_in_at_once(self, method: str, metadata: Metadata) -> int | None:
        """The environment of a call that may be answered at once, as far as can be told without its message."""
        if method not in self._at_once or self._running.stopping or log.isEnabledFor(logging.DEBUG):
            return None
        authorization: str | bytes | None = None
        for name, value in metadata:
            if name == call.REQUEST_ID:
                return None
            if name == _AUTHORIZATION and authorization is None:
                authorization = value
        try:
            principal = self._gate.peek(_bearer(authorization), NEEDED[method])
        except Exception:
            return None  # it is raised again, and answered, on the ordinary way
        return None if principal is None else principal.environment_id

    def answer_let_in(self, method: str, environment_id: int, message: bytes) -> bytes | None:
        """What `answer_at_once` answers a call that was let in at once."""
        began = perf_counter()
        try:
            answered = self._at_once[method](environment_id, message)
        except Exception:
            return None  # it is raised again, and answered, on the ordinary way
        if answered is not None:
            self._calls.of(method, is_stream=False).end(began, "OK")
        return answered

    def count_given_up(self, method: str, *, had_deadline: bool) -> None:
        """Count a call that was given up before it was let in: mostly by its deadline, if it had one."""
        if (calls := self._calls.by_method.get(method)) is not None:
            code = grpc.StatusCode.DEADLINE_EXCEEDED if had_deadline else grpc.StatusCode.CANCELLED
            calls.end(perf_counter(), code.name)

    def count_late(self) -> None:
        """Count a call that did not begin because its deadline had passed before its turn: its method is not known."""
        self._calls.late += 1

    def turned_away(self, metadata: Metadata) -> Overloaded | None:
        """That there is no room for a call of Capture, which is counted as any other; None: there is, or no valid key.

        For a transport that can say so before a call costs it anything.
        """
        calls = self._calls.by_method.get(CAPTURE)
        if calls is None or self._running.stopping or not self._limits.is_full():
            return None
        try:
            if self._gate.peek(_secret(metadata), NEEDED[CAPTURE]) is None:
                return None
        except Unauthenticated:
            return None
        error = self._limits.full()
        calls.end(perf_counter(), code_of(error).name)
        return error

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The handler behind this door, or one that says why the call is not let in."""
        method = handler_call_details.method
        metadata = handler_call_details.invocation_metadata or ()
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None or not method.startswith("/burgee.v1."):
                return handler
            calls = self._calls.of(method, bool(handler.unary_stream))
            if handler.unary_stream:
                guarded = _guard_stream(method, handler, self._streams, calls)
            else:
                guarded = _guard(
                    method, handler, self._running, calls, self._at_once.get(method), self._streams.detours
                )
            self._guarded[method] = guarded
        # Here and not in the handler, where the metadata would have to be read from the wire once more.
        call.name(metadata)
        try:
            self._running.check()
            secret, needed = _secret(metadata), NEEDED[method]
            principal = self._gate.peek(secret, needed) or await self._gate.enter(secret, needed)
            if method == CAPTURE:
                await self._limits.check(principal)
            call.enter(principal)
        except Exception as error:
            return _refusal(method, error, self._calls.by_method[method], reads_first=self._reads_first)
        return guarded


def _guard(
    method: str,
    handler: Handler,
    running: RunningCalls,
    calls: MethodCalls,
    at_once: AtOnce | None,
    detours: Detours,
) -> Handler:
    """The handler, with messages read and errors answered in our words and not in gRPC's.

    One without a deserializer is given the bytes, and reads them itself if it has to. What is answered without waiting
    needs no task to be known of.
    """
    behaviour: Any = handler.unary_unary
    parse: Any = handler.request_deserializer
    descriptor = _request_of(method)
    stays = method.startswith(_QUESTIONS)

    async def run(raw: bytes, context: Context) -> Any:
        began = perf_counter()
        if call.was_named():  # not always: it costs a flag check a twentieth of its time
            context.set_trailing_metadata(call.trailing_metadata())
        if at_once is not None and (answered := _answer(at_once, raw)) is not None:
            calls.end(began, "OK")
            return answered
        calls.running += 1
        code = "OK"
        try:
            task = running.begin()
            try:
                with detours.stay(context.peer()) if stays else nullcontext():
                    return await behaviour(decode(raw, parse, descriptor) if parse else raw, context)
            except asyncio.CancelledError:
                if (stopping := running.why_cancelled(task)) is None:
                    raise
                raise stopping from None
            finally:
                running.end(task)
        except BaseException as error:
            code = _code(error, context)
            await _fail(method, context, error)
        finally:
            calls.running -= 1
            calls.end(began, code)
            if log.isEnabledFor(logging.DEBUG):
                _note(method, code, began)

    return grpc.unary_unary_rpc_method_handler(run, None, handler.response_serializer)


def _answer(at_once: AtOnce, raw: bytes) -> bytes | None:
    """The answer of a call that waits for nothing; None: it does, or it fails, or it is written about."""
    if log.isEnabledFor(logging.DEBUG):
        return None
    try:
        return at_once(call.environment_id(), raw)
    except Exception:
        return None  # it is raised again, and answered, on the ordinary way


def _guard_stream(method: str, handler: Handler, streams: OpenStreams, calls: MethodCalls) -> Handler:
    """The same for a stream; and it ends with the key that let it in.

    A message that many streams share comes as bytes: serialized once, and not for each of them.
    """
    behaviour: Any = handler.unary_stream
    parse: Any = handler.request_deserializer
    serialize: Any = handler.response_serializer
    descriptor = _request_of(method)

    async def run(raw: bytes, context: Context) -> None:
        began = perf_counter()
        calls.running += 1
        code = "OK"
        if call.was_named():  # not always: it costs a flag check a twentieth of its time
            context.set_trailing_metadata(call.trailing_metadata())
        try:
            with streams.open(call.principal().api_key_id, context.peer()):
                async with aclosing(behaviour(decode(raw, parse, descriptor), context)) as messages:
                    async for message in messages:
                        await context.write(message if isinstance(message, bytes) else serialize(message))
        except BaseException as error:
            code = _code(error, context)
            await _fail(method, context, error)
        finally:
            calls.running -= 1
            calls.end(began, code)
            if log.isEnabledFor(logging.DEBUG):
                _note(method, code, began)

    return grpc.unary_stream_rpc_method_handler(run)


def _request_of(method: str) -> Descriptor:
    service, _, name = method[1:].rpartition("/")
    return descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type


def _note(method: str, code: str, began: float) -> None:
    """Write down that a call has ended, and whose it was."""
    caller = call.principal()
    seconds = perf_counter() - began
    fields = {
        "method": method,
        "code": code,
        "seconds": round(seconds, 6),
        "api_key_id": caller.api_key_id,
        "environment_id": caller.environment_id,
    }
    log.debug("%s %s %.1f ms", method, code, seconds * 1000, extra={"fields": fields})


def _code(error: BaseException, context: Context) -> str:
    """The canonical code that a call ends with."""
    if isinstance(error, BurgeeError):
        return code_of(error).name
    if isinstance(error, WireError):
        return grpc.StatusCode.INVALID_ARGUMENT.name
    if isinstance(error, asyncio.CancelledError):  # by the caller, or by gRPC at the deadline
        remaining = context.time_remaining()
        late = remaining is not None and remaining <= _LATE_SECONDS
        return (grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED).name
    return grpc.StatusCode.INTERNAL.name


async def _fail(method: str, context: Context, error: BaseException) -> NoReturn:
    """End the call with what is told to the caller of an error."""
    if isinstance(error, grpc.aio.AbortError) or not isinstance(error, Exception):
        raise error
    if isinstance(error, WireError):
        error = Invalid.of(error.field, error.reason)
    if isinstance(error, Unavailable):
        log.error("%s: %s: %s", method, error, cause(error.__cause__))
    if isinstance(error, BurgeeError):
        await abort(context, error)
    log.error("%s failed", method, exc_info=error)
    told = f"this is a fault of the server; its log says more of request {call.request_id()}"
    await context.abort(grpc.StatusCode.INTERNAL, told, call.trailing_metadata())
    raise AssertionError("abort always raises")


def _refusal(method: str, error: Exception, calls: MethodCalls, *, reads_first: bool) -> Handler:
    async def refuse(_messages: Any, context: Context) -> Any:
        calls.end(perf_counter(), _code(error, context))
        if isinstance(error, BurgeeError):
            await abort(context, error)
        await _fail(method, context, error)

    if reads_first:
        return grpc.unary_unary_rpc_method_handler(refuse)
    # As if for a stream of messages, of which none is read: the answer does not wait until a large one has come in.
    return grpc.stream_unary_rpc_method_handler(refuse)


def _secret(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The API key that a call carries. Raises Unauthenticated."""
    for name, value in metadata:
        if name == _AUTHORIZATION:
            return _bearer(value)
    return _bearer(None)


def _bearer(authorization: str | bytes | None) -> str:
    """The API key in what the metadata say; None: they say nothing. Raises Unauthenticated."""
    if authorization is None:
        raise Unauthenticated('no API key: send it as the metadata authorization: "Bearer <API key>"')
    text = authorization if isinstance(authorization, str) else authorization.decode(errors="replace")
    if text[:_SCHEME_ENDS].lower() == _SCHEME:
        return text[_SCHEME_ENDS:]
    raise Unauthenticated('the authorization metadata must be "Bearer <API key>"')
