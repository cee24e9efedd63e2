"""What a failed call says beyond its code: `google.rpc` details, read without the googleapis package."""

from collections.abc import Iterable, Iterator

import grpc

_RETRY_INFO = "google.rpc.RetryInfo"
_BAD_REQUEST = "google.rpc.BadRequest"


def retry_after(error: grpc.RpcError) -> float | None:
    """Seconds that the server asks to wait (google.rpc.RetryInfo). None: it does not say."""
    for info in _details(error, _RETRY_INFO):
        for duration in _messages(info, 1):
            fields = dict(_fields(duration))
            seconds, nanos = fields.get(1, 0), fields.get(2, 0)
            if isinstance(seconds, int) and isinstance(nanos, int):
                return seconds + nanos / 1e9
    return None


def violations(error: grpc.RpcError) -> tuple[tuple[str, str], ...]:
    """Fields at fault, each with what is wrong with it (google.rpc.BadRequest)."""
    return tuple(
        (_text(violation, 1), _text(violation, 2))
        for request in _details(error, _BAD_REQUEST)
        for violation in _messages(request, 1)
    )


def code_and_message(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    """The canonical code, and the words that came with it."""
    if isinstance(error, grpc.Call):
        return error.code() or grpc.StatusCode.UNKNOWN, error.details() or ""
    return grpc.StatusCode.UNKNOWN, ""


def _details(error: grpc.RpcError, kind: str) -> Iterator[bytes]:
    """The details of one kind in a google.rpc.Status, which holds them as google.protobuf.Any in field 3."""
    trailers: Iterable[tuple[str, str | bytes]] = ()
    if isinstance(error, grpc.Call):
        trailers = error.trailing_metadata() or ()
    for key, status in trailers:
        if key == "grpc-status-details-bin" and isinstance(status, bytes):
            for detail in _messages(status, 3):
                if _text(detail, 1).endswith("/" + kind):
                    yield from _messages(detail, 2)


def _messages(message: bytes, number: int) -> Iterator[bytes]:
    return (value for field, value in _fields(message) if field == number and isinstance(value, bytes))


def _text(message: bytes, number: int) -> str:
    return next(_messages(message, number), b"").decode(errors="replace")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message by the wire format; ends at the first byte that is not one."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif kind == 2:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            return


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, at
