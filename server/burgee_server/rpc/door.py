"""The door: every call of burgee.v1 is let in, read, run and, if it fails, answered here."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc
from google.protobuf import descriptor_pool

from burgee.wire import WireError
from burgee_server.access import Gate
from burgee_server.errors import BurgeeError, Invalid, Unauthenticated, Unavailable
from burgee_server.rpc import call
from burgee_server.rpc.decoding import decode
from burgee_server.rpc.errors import abort
from burgee_server.rpc.permissions import NEEDED

log = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SCHEME = "bearer "


class Door(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """Wraps each method once, at its first call. Methods of other packages (health, reflection) pass untouched."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler behind this door, or one that says why the call is not let in."""
        method = handler_call_details.method
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None or not method.startswith("/burgee.v1."):
                return handler
            guarded = self._guarded[method] = _guard(method, handler)
        try:
            # Here and not in the handler, where the metadata would have to be read from the wire once more.
            secret = _secret(handler_call_details.invocation_metadata)
            call.enter(await self._gate.enter(secret, NEEDED[method]))
        except BurgeeError as error:
            return _refusal(error)
        return guarded


def _guard(method: str, handler: Handler) -> Handler:
    """The handler, with messages read and errors answered in our words and not in gRPC's."""
    behaviour: Any = handler.unary_stream if handler.response_streaming else handler.unary_unary
    parse: Any = handler.request_deserializer
    service, _, name = method[1:].rpartition("/")
    descriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type

    @asynccontextmanager
    async def answering(context: Context) -> AsyncIterator[None]:
        try:
            yield
        except BurgeeError as error:
            if isinstance(error, Unavailable):
                log.error("%s: %s: %s", method, error, error.__cause__)
            await abort(context, error)
        except WireError as error:
            await abort(context, Invalid.of(error.field, error.reason))
        except grpc.aio.AbortError:
            raise
        except Exception:
            log.exception("%s failed", method)
            await context.abort(grpc.StatusCode.INTERNAL, "this is a fault of the server; its log says more")

    async def run(raw: bytes, context: Context) -> Any:
        async with answering(context):
            return await behaviour(decode(raw, parse, descriptor), context)

    async def stream(raw: bytes, context: Context) -> AsyncIterator[Any]:
        async with answering(context):
            async for response in behaviour(decode(raw, parse, descriptor), context):
                yield response

    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(stream, None, handler.response_serializer)
    return grpc.unary_unary_rpc_method_handler(run, None, handler.response_serializer)


def _refusal(error: BurgeeError) -> Handler:
    async def refuse(_raw: bytes, context: Context) -> Any:
        await abort(context, error)

    return grpc.unary_unary_rpc_method_handler(refuse)


def _secret(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The API key that a call carries. Raises Unauthenticated."""
    for name, value in metadata or ():
        if name == "authorization":
            text = value if isinstance(value, str) else value.decode(errors="replace")
            if text[: len(_SCHEME)].lower() == _SCHEME:
                return text[len(_SCHEME) :]
            raise Unauthenticated('the authorization metadata must be "Bearer <API key>"')
    raise Unauthenticated('no API key: send it as the metadata authorization: "Bearer <API key>"')
