"""What an event may hold, field by field. Ten checks an event, a hundred thousand events a second: each counts."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from burgee_server.capture.times import Times
from burgee_server.journal.v1.journal_pb2 import StoredEvent, StoredGroup
from burgee_server.names import MAX_GROUP_TYPES, MAX_NAME, group_type_fault, name_fault

MAX_GROUPS = 100
MAX_PROPERTIES_BYTES = 65_536
MAX_DEPTH = 32
"""Of objects and lists within each other. To the warehouse each level of a list is a column, with all levels in its
name: lists of a thousand levels took megabytes for each part that had one."""
_MOST_TEXT_BYTES = 4 * MAX_NAME
"""No text of 200 characters has more bytes of UTF-8."""

# Two searches that begin with a letter are quicker than one that begins with a choice of two.
_EXPONENT, _CAPITAL_EXPONENT = re.compile(rb"e\+?[0-9]{3}"), re.compile(rb"E\+?[0-9]{3}")
_LONG = 200
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _LONG)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_CANONICAL_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _AnyObject(msgspec.Struct):
    """An object of which nothing is kept: looked through in a third of the time that a dict takes."""


_object = msgspec.json.Decoder(_AnyObject)
_all_of_it = msgspec.json.Decoder(dict[str, Any])


class Fault(Exception):
    """What is wrong with an event: the field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def check_event(event: StoredEvent, times: Times, group_types: set[str]) -> None:
    """Raise the first fault of an event; else make its uuid canonical, set its time right, add the types it names."""
    if fault := _text_fault(event.event):
        raise Fault("event", fault)
    if fault := _text_fault(event.distinct_id):
        raise Fault("distinct_id", fault)
    timestamp = times.settle(event.timestamp_micros)
    if not times.earliest <= timestamp <= times.latest:
        raise Fault("timestamp_micros", times.fault(timestamp))
    event.timestamp_micros = timestamp
    if (uuid := event.uuid) and not _CANONICAL_UUID.fullmatch(uuid):
        event.uuid = _canonical(uuid)
    if properties := event.properties_json:
        _check_properties(properties)
    if groups := event.groups:
        _check_groups(groups, group_types)


def _check_properties(text: bytes) -> None:
    if len(text) > MAX_PROPERTIES_BYTES:
        raise Fault("properties_json", f"must be at most {MAX_PROPERTIES_BYTES:,} bytes, got {len(text):,}")
    try:
        _object.decode(text)
        if not text.isascii():
            text.decode()  # what is looked through is not read as text
        if (
            _EXPONENT.search(text)
            or _CAPITAL_EXPONENT.search(text)
            or (len(text) > _LONG and _LONG_NUMBER.search(text))
        ):
            _all_of_it.decode(text)  # finds 1e400, which the warehouse could not take; reading every number costs more
    except UnicodeDecodeError as error:
        raise Fault("properties_json", "must be UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Fault("properties_json", f"must be a JSON object (NaN and Infinity are not JSON): {error}") from error
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and _is_deep(text):
        raise Fault("properties_json", f"may be nested {MAX_DEPTH} levels deep")


def _is_deep(text: bytes) -> bool:
    """Whether right JSON has more than MAX_DEPTH levels: each turn takes away the innermost."""
    brackets = _STRING.sub(b"", text).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _check_groups(groups: Sequence[StoredGroup], known: set[str]) -> None:
    if len(groups) > MAX_GROUPS:
        raise Fault("groups", f"at most {MAX_GROUPS} groups an event, got {len(groups)}")
    new = set()
    for group in groups:
        group_type, fault = _group_type(group.key)
        if fault:
            raise Fault(f"groups[{group_type}]", f"the group type {fault}")
        if fault := _text_fault(group.value):
            raise Fault(f"groups[{group_type}]", f"the group key {fault}")
        if group_type not in known:
            new.add(group_type)
    if len(known) + len(new) > MAX_GROUP_TYPES:
        raise Fault("groups", f"an environment has at most {MAX_GROUP_TYPES:,} group types; is a key used as a type?")
    known |= new


def _canonical(uuid: bytes) -> bytes:
    try:
        return str(UUID(uuid.decode())).encode()
    except ValueError as error:
        raise Fault("uuid", "must be a UUID, such as 123e4567-e89b-42d3-a456-426614174000, or empty") from error


def _text_fault(text: bytes) -> str:
    if len(text) > _MOST_TEXT_BYTES:
        return f"must be at most {MAX_NAME} characters"
    try:
        return name_fault(text.decode())
    except UnicodeDecodeError:
        return "must be UTF-8"


def _group_type(text: bytes) -> tuple[str, str]:
    """The name of a group type, as far as it can be shown, and what is wrong with it."""
    # What is too long never gets into the cache, which is bounded by number.
    return _short_group_type(text) if len(text) <= _MOST_TEXT_BYTES else _read_group_type(text)


def _read_group_type(text: bytes) -> tuple[str, str]:
    name = text[:_MOST_TEXT_BYTES].decode(errors="replace")[:MAX_NAME]
    return name, _text_fault(text) or group_type_fault(name)


_short_group_type = lru_cache(maxsize=10_000)(_read_group_type)
