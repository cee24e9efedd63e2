"""Reads newline-delimited JSON into batches of events that come out the same whenever the file is read."""

import gzip
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast
from uuid import UUID, uuid5

import msgspec

from burgee.v1 import capture_pb2

BATCH_EVENTS = 5_000
BATCH_BYTES = 2 * 1024 * 1024

_NAMESPACE = UUID("0d8f6f0e-6a3c-5d0b-9a5e-5b1c9a1f7f57")
_GZIP_MAGIC = b"\x1f\x8b"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GREATEST = 2.0**62
_FIELDS = frozenset({"event", "distinct_id", "timestamp", "groups", "properties", "uuid"})
_decoder = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is not an event, or that the server did not take."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class LineBatch:
    """A request, the line that each of its events came from, and the lines that did not make it into it."""

    request: capture_pb2.CaptureRequest
    lines: tuple[int, ...]
    faults: tuple[Fault, ...]


class Source:
    """A file of lines, or standard input for "-", plain or gzip. A context manager."""

    def __init__(self, path: Path) -> None:
        is_stdin = str(path) == "-"
        self._raw = io.BufferedReader(io.FileIO(os.dup(0) if is_stdin else path), 1 << 20)
        self._regular = not is_stdin and path.is_file()
        self.size = path.stat().st_size if self._regular else None
        """Bytes to read; None where nobody knows."""

    def lines(self) -> BinaryIO:
        """The lines, unpacked. Raises EOFError where gzip data ends too early."""
        packed = self._raw.peek(2)[:2] == _GZIP_MAGIC
        return cast("BinaryIO", gzip.open(self._raw)) if packed else self._raw

    def position(self) -> int:
        """Bytes read so far, as they are on disk."""
        return self._raw.tell() if self._regular else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._raw.close()


def read_batches(lines: Iterable[bytes]) -> Iterator[LineBatch]:
    """Batches of up to 5,000 events or about 2 MB, each with a batch_id made of its content.

    The same lines give the same batches with the same ids, whenever they are read: what the server has it knows again.
    """
    request, numbers, faults, size = capture_pb2.CaptureRequest(), [], [], 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        try:
            request.events.append(_read(text, number))
        except _NotAnEvent as error:
            faults.append(Fault(number, error.field, error.reason))
            continue
        numbers.append(number)
        size += len(text)
        if len(numbers) == BATCH_EVENTS or size >= BATCH_BYTES:
            yield _batch(request, numbers, faults)
            request, numbers, faults, size = capture_pb2.CaptureRequest(), [], [], 0
    if numbers or faults:
        yield _batch(request, numbers, faults)


def _batch(request: capture_pb2.CaptureRequest, numbers: list[int], faults: list[Fault]) -> LineBatch:
    digest = hashlib.sha256(request.SerializeToString(deterministic=True))
    request.batch_id = f"import:{digest.hexdigest()}"
    return LineBatch(request, tuple(numbers), tuple(faults))


class _NotAnEvent(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def _read(text: bytes, number: int) -> capture_pb2.Event:
    """The event in a line. A line without a uuid gets one made of its number and its text."""
    try:
        fields = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _NotAnEvent("line", f"must be a JSON object: {error}") from error
    if unknown := fields.keys() - _FIELDS:
        raise _NotAnEvent(sorted(unknown)[0], f"is not a field of an event; there are: {', '.join(sorted(_FIELDS))}")
    properties = fields.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise _NotAnEvent("properties", "must be a JSON object")
    groups = fields.get("groups") or {}
    if not isinstance(groups, dict) or not all(isinstance(key, str) for key in groups.values()):
        raise _NotAnEvent("groups", 'must be a JSON object of texts, such as {"company": "acme"}')
    return capture_pb2.Event(
        uuid=_text(fields, "uuid") or str(uuid5(_NAMESPACE, f"{number}:{hashlib.sha256(text).hexdigest()}")),
        event=_text(fields, "event"),
        distinct_id=_text(fields, "distinct_id"),
        groups=groups,
        properties_json=msgspec.json.encode(properties).decode() if properties else "",
        timestamp_micros=_micros(fields.get("timestamp")),
    )


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name) or ""
    if not isinstance(value, str):
        raise _NotAnEvent(name, f"must be a text, got {type(value).__name__}")
    return value


def _micros(timestamp: Any) -> int:
    """Microseconds since 1970. A line must have a time: the time of the import would differ from run to run."""
    if isinstance(timestamp, int | float) and not isinstance(timestamp, bool):
        return _in_range(timestamp * 1_000_000)
    if isinstance(timestamp, str):
        try:
            at = datetime.fromisoformat(timestamp)
        except ValueError as error:
            raise _NotAnEvent("timestamp", "must be Unix seconds, or RFC 3339 such as 2026-03-01T12:00:00Z") from error
        return _in_range(((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) / timedelta(microseconds=1))
    raise _NotAnEvent("timestamp", "must be Unix seconds, or RFC 3339 such as 2026-03-01T12:00:00Z")


def _in_range(micros: float) -> int:
    """What the wire can carry; the server says which times make sense."""
    if not -_GREATEST < micros < _GREATEST:
        raise _NotAnEvent("timestamp", "is out of range: Unix seconds, not milliseconds or less?")
    return round(micros)
