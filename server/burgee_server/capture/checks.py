"""What an event may hold, field by field. Ten checks an event, a hundred thousand events a second: each counts."""

import re
from typing import Any
from uuid import UUID

import msgspec

from burgee_server.capture.faults import Fault, text_fault
from burgee_server.capture.groups import check_groups
from burgee_server.capture.times import Times
from burgee_server.journal.v1.journal_pb2 import ArrivingEvent

MAX_PROPERTIES_BYTES = 65_536
MAX_DEPTH = 32
"""Of objects and lists within each other. To the warehouse each level of a list is a column, with all levels in its
name: lists of a thousand levels took megabytes for each part that had one."""

# Two searches that begin with a letter are quicker than one that begins with a choice of two.
_EXPONENT, _CAPITAL_EXPONENT = re.compile(rb"e\+?[0-9]{3}"), re.compile(rb"E\+?[0-9]{3}")
_LONG = 200
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * _LONG
"""Looked for where each digit is a 0: no text takes long then. A pattern begins anew at each digit of a number."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_CANONICAL_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX_UUID = rb"(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_ANY_UUID = re.compile(rb"(?:urn:uuid:)?(?:%b|\{%b\})" % (_HEX_UUID, _HEX_UUID), re.IGNORECASE)
"""Python reads many other texts as UUIDs, such as thirty-two digits of any script, with blanks around."""


class AnyObject(msgspec.Struct):
    """An object of which nothing is kept: looked through in a third of the time that a dict takes."""


_object = msgspec.json.Decoder(AnyObject)
_all_of_it = msgspec.json.Decoder(dict[str, Any])


def check_event(event: ArrivingEvent, times: Times, group_types: set[str]) -> None:
    """Raise the first fault of an event; else make its uuid canonical, set its time right, add the types it names."""
    if fault := text_fault(event.event):
        raise Fault("event", fault)
    if fault := text_fault(event.distinct_id):
        raise Fault("distinct_id", fault)
    timestamp = times.settle(event.timestamp_micros)
    if not times.earliest <= timestamp <= times.latest:
        raise Fault("timestamp_micros", times.fault(timestamp))
    event.timestamp_micros = timestamp
    if (uuid := event.uuid) and not _CANONICAL_UUID.fullmatch(uuid):
        event.uuid = _canonical(uuid)
    if properties := event.properties_json:
        _check_properties(properties)
    if event.groups:
        check_groups(event, group_types)


def _check_properties(text: bytes) -> None:
    if len(text) > MAX_PROPERTIES_BYTES:
        raise Fault("properties_json", f"must be at most {MAX_PROPERTIES_BYTES:,} bytes, got {len(text):,}")
    try:
        _object.decode(text)
        if not text.isascii():
            text.decode()  # what is looked through is not read as text
        if has_large_numbers(text, len(text)):
            _all_of_it.decode(text)  # finds 1e400, which the warehouse could not take; reading every number costs more
    except UnicodeDecodeError as error:
        raise Fault("properties_json", "must be UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Fault("properties_json", f"must be a JSON object (NaN and Infinity are not JSON): {error}") from error
    if is_deep(text):
        raise Fault("properties_json", f"may be nested {MAX_DEPTH} levels deep")


def has_large_numbers(text: bytes, longest: int) -> bool:
    """Whether there may be a number in JSON that is too large; `longest` is how long it can be at most."""
    return bool(
        _EXPONENT.search(text)
        or _CAPITAL_EXPONENT.search(text)
        or (longest > _LONG and _LONG_NUMBER in text.translate(_DIGITS))
    )


def is_deep(text: bytes) -> bool:
    """Whether right JSON has more than MAX_DEPTH levels: each turn takes away the innermost."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", text).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _canonical(uuid: bytes) -> bytes:
    if not _ANY_UUID.fullmatch(uuid):
        raise Fault("uuid", "must be a UUID, such as 123e4567-e89b-42d3-a456-426614174000, or empty")
    return str(UUID(uuid.decode().lower())).encode()
