"""An event as it goes over the wire: checked, stamped and written out when it happens, in the caller's thread.

Writing it out at once is the snapshot: what the caller does to the properties afterwards cannot change the event.
It costs 5 microseconds, less than a copy that goes deep enough.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import time_ns
from typing import Any
from uuid import UUID

from burgee.v1 import capture_pb2

MAX_EVENT_BYTES = 128 << 10
"""Larger events are refused here: they would take their whole batch down. The server's own limits are lower."""

_MAX_NAME_LENGTH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode_event(
    event: str,
    distinct_id: str,
    properties: Mapping[str, Any] | None,
    groups: Mapping[str, str | None],
    timestamp: datetime | float | None,
    uuid: str | UUID | None,
) -> bytes:
    """A CaptureRequest with this one event; several of them, one after the other, are a CaptureRequest with them all.

    A group whose key is None is left out. Raises ValueError, TypeError or whatever a hostile property raises.
    """
    check_name("event", event)
    check_name("distinct_id", distinct_id)
    request = capture_pb2.CaptureRequest()
    request.events.add(
        uuid=new_uuid() if uuid is None else str(uuid),
        event=event,
        distinct_id=distinct_id,
        groups={group_type: key for group_type, key in groups.items() if key is not None},
        properties_json=_encode_json(dict(properties)) if properties else "",
        timestamp_micros=time_ns() // 1000 if timestamp is None else _micros(timestamp),
    )
    encoded = request.SerializeToString()
    if len(encoded) > MAX_EVENT_BYTES:
        raise ValueError(f"the event takes {len(encoded)} bytes; at most {MAX_EVENT_BYTES} are possible")
    return encoded


def decode_event(encoded: bytes) -> capture_pb2.Event:
    """The event that encode_event wrote."""
    return capture_pb2.CaptureRequest.FromString(encoded).events[0]


def plain_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy with nothing but JSON in it. Times become RFC 3339, UUIDs text, decimals numbers.

    NaN and infinity raise ValueError, what else JSON does not know TypeError.
    """
    plain: dict[str, Any] = json.loads(_encode_json(dict(properties)))
    return plain


def check_name(field: str, name: str) -> None:
    """Raises TypeError or ValueError, with the field's name, unless it is a text of 1 to 200 characters."""
    if not isinstance(name, str):
        raise TypeError(f"{field}: a text is needed, got {type(name).__name__}")
    if not 0 < len(name) <= _MAX_NAME_LENGTH:
        raise ValueError(f"{field}: 1 to {_MAX_NAME_LENGTH} characters are needed")


def new_uuid() -> str:
    """A random UUID, version 4: uuid.uuid4 takes three times as long."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _micros(timestamp: datetime | float) -> int:
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None:
            raise ValueError("timestamp: a datetime needs a time zone")
        micros = (timestamp - _EPOCH) // _MICROSECOND
    else:
        micros = round(timestamp * 1_000_000)
    if micros <= 0:
        raise ValueError("timestamp: a time after 1970-01-01 UTC is needed")
    return micros


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be a property")


_encode_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain).encode
