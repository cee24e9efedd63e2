"""Gives every error its canonical status, with google.rpc details that a program can read."""

from functools import lru_cache
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from burgee_server.errors import (
    AlreadyExists,
    BurgeeError,
    Damaged,
    Denied,
    InUse,
    Invalid,
    NotFound,
    Overloaded,
    Stale,
    Stopping,
    TimedOut,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from burgee_server.rpc import call

# All of it travels as headers, of which clients take 8 KB; beyond that they see an error of their own making. In bytes:
# a message goes twice, as it is, with up to three characters for each byte, and with the details, in base64.
MAX_MESSAGE_BYTES = 500
MAX_FIELD_BYTES = 120
MAX_REASON_BYTES = 400
MAX_VIOLATIONS_BYTES = 2_500

_CODES: dict[type[BurgeeError], grpc.StatusCode] = {
    Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    Stale: grpc.StatusCode.ABORTED,
    InUse: grpc.StatusCode.FAILED_PRECONDITION,
    Unsupported: grpc.StatusCode.FAILED_PRECONDITION,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Denied: grpc.StatusCode.PERMISSION_DENIED,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Stopping: grpc.StatusCode.UNAVAILABLE,
    TimedOut: grpc.StatusCode.DEADLINE_EXCEEDED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    Damaged: grpc.StatusCode.DATA_LOSS,
}


def code_of(error: BurgeeError) -> grpc.StatusCode:
    """The canonical code of an error."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


async def abort(context: Any, error: BurgeeError) -> NoReturn:
    """End the call with the error's status."""
    await context.abort(*status_of(error))
    raise AssertionError("abort always raises")


def status_of(error: BurgeeError) -> tuple[grpc.StatusCode, str, tuple[Any, ...]]:
    """What a call ends with that fails so: the code, the message, and the trailing metadata."""
    code, message = code_of(error), _cut(str(error), MAX_MESSAGE_BYTES)
    if isinstance(error, Overloaded | Unavailable | Stopping):
        details = _to_retry(code, message, error.retry_after)
    else:
        details = _details(code, message, _bad_request(error) if isinstance(error, Invalid) else None)
    return code, message, (*details, *call.trailing_metadata())


@lru_cache(maxsize=1_000)
def _to_retry(code: grpc.StatusCode, message: str, seconds: float) -> tuple[Any, ...]:
    """Kept: a server with too much to do turns away hundreds in a second with the same few."""
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMicroseconds(int(seconds * 1_000_000))
    return _details(code, message, retry)


def _details(code: grpc.StatusCode, message: str, detail: Message | None) -> tuple[Any, ...]:
    """The metadata that carries the status of google.rpc."""
    status = status_pb2.Status(code=code.value[0], message=message)
    if detail is not None:
        status.details.add().Pack(detail)
    return tuple(rpc_status.to_status(status).trailing_metadata)


def _bad_request(error: Invalid) -> error_details_pb2.BadRequest:
    """The violations, as many as there is room for."""
    request = error_details_pb2.BadRequest()
    for violation in error.violations:
        request.field_violations.add(
            field=_cut(violation.field, MAX_FIELD_BYTES), description=_cut(violation.reason, MAX_REASON_BYTES)
        )
        if request.ByteSize() > MAX_VIOLATIONS_BYTES:
            del request.field_violations[-1]
            break
    return request


def _cut(text: str, length: int) -> str:
    """The text, in so many bytes at most."""
    encoded = text.encode()
    if len(encoded) <= length:
        return text
    return f"{encoded[: length - len('…'.encode())].decode(errors='ignore')}…"
