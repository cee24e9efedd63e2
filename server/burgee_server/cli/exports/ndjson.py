"""NDJSON: an event a line, as `burgee import` reads it."""

from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from burgee.v1.capture_pb2 import Event
from burgee_server.ports.warehouse import from_micros

_LINE_BREAKS = str.maketrans("\r\n", "  ")


class _Line(msgspec.Struct, omit_defaults=True):
    event: str
    distinct_id: str
    timestamp: str
    uuid: str
    groups: dict[str, str] = {}
    properties: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_encoder = msgspec.json.Encoder()


class NdjsonWriter:
    """Writes to an open file, which stays the caller's."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, events: Sequence[Event]) -> None:
        """Write events, each as a line."""
        self._file.write(b"".join(_encoder.encode(_line(event)) + b"\n" for event in events))

    def close(self) -> None:
        """Nothing is held back."""


def _line(event: Event) -> _Line:
    """Properties stay as they were captured, but for line breaks, which in JSON can only be space between its words."""
    properties = event.properties_json
    if "\n" in properties or "\r" in properties:
        properties = properties.translate(_LINE_BREAKS)
    return _Line(
        event.event,
        event.distinct_id,
        from_micros(event.timestamp_micros).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        event.uuid,
        dict(event.groups),
        msgspec.Raw(properties.encode()) if properties else msgspec.UNSET,
    )
