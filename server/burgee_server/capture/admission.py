"""The door: decides event by event what is taken in, and writes what is taken as the journal keeps it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import msgspec

from burgee_server.capture.times import Times, TimeWindow
from burgee_server.errors import Invalid
from burgee_server.journal.v1.journal_pb2 import StoredBatch, StoredEvent, StoredGroup
from burgee_server.names import MAX_GROUP_TYPES, MAX_NAME, group_type_fault, name_fault

MAX_EVENTS = 10_000
MAX_GROUPS = 100
MAX_PROPERTIES_BYTES = 65_536

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_all_of_it = msgspec.json.Decoder(dict[str, Any])
_LARGE_EXPONENT = re.compile(rb"[eE]\+?[0-9]{3}")
_LONG = 200
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _LONG)
MAX_TEXT_BYTES = 4 * MAX_NAME
"""No text of 200 characters has more bytes of UTF-8."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that was not taken: its index in the batch, the field at fault, and why."""

    index: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a batch at the door."""

    payload: bytes
    """The events that were taken, as a serialized StoredBatch."""
    accepted: int
    rejected: tuple[Rejection, ...]
    group_types: frozenset[str]
    """The types that were new."""


class _Fault(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def admit(
    batch: StoredBatch, environment_id: int, now_micros: int, window: TimeWindow, known_types: frozenset[str]
) -> Admission:
    """Check a batch, complete its events, and drop what is wrong. Changes `batch`.

    `known_types` are the group types that the environment has already: new ones are taken up to a limit.
    Raises Invalid only where the batch as a whole is wrong.
    """
    if len(batch.events) > MAX_EVENTS:
        raise Invalid.of("events", f"at most {MAX_EVENTS:,} events a batch, got {len(batch.events):,}")
    if batch.sent_at_micros < 0:
        raise Invalid.of("sent_at_micros", "must be microseconds since 1970 UTC, or 0")
    times = window.at(now_micros, batch.sent_at_micros)
    rejected: list[Rejection] = []
    group_types = set(known_types)
    for index, event in enumerate(batch.events):
        try:
            _check(event, times, group_types)
        except _Fault as fault:
            rejected.append(Rejection(index, fault.field, fault.reason))
            continue
        if not event.uuid:
            event.uuid = str(uuid4()).encode()
        event.environment_id = environment_id
        event.received_at_micros = now_micros
    for rejection in reversed(rejected):
        del batch.events[rejection.index]
    batch.ClearField("batch_id")
    batch.ClearField("sent_at_micros")
    batch.DiscardUnknownFields()
    return Admission(
        batch.SerializeToString(), len(batch.events), tuple(rejected), frozenset(group_types) - known_types
    )


def _check(event: StoredEvent, times: Times, group_types: set[str]) -> None:
    """Raise the first fault of an event; else add the group types that it names, and set its time right."""
    if fault := _text_fault(event.event):
        raise _Fault("event", fault)
    if fault := _text_fault(event.distinct_id):
        raise _Fault("distinct_id", fault)
    timestamp = times.settle(event.timestamp_micros)
    if fault := times.fault(timestamp):
        raise _Fault("timestamp_micros", fault)
    event.timestamp_micros = timestamp
    if event.uuid:
        event.uuid = _uuid(event.uuid)
    if event.properties_json:
        _check_properties(event.properties_json)
    if event.groups:
        group_types |= _check_groups(event.groups, group_types)


def _check_properties(text: bytes) -> None:
    if len(text) > MAX_PROPERTIES_BYTES:
        raise _Fault("properties_json", f"must be at most {MAX_PROPERTIES_BYTES:,} bytes, got {len(text):,}")
    try:
        _object.decode(text)
        if not text.isascii():
            text.decode()  # inside of values, the decoder does not look
        if _LARGE_EXPONENT.search(text) or (len(text) > _LONG and _LONG_NUMBER.search(text)):
            _all_of_it.decode(text)  # finds 1e400, which the warehouse could not take; reading every number costs more
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Fault("properties_json", f"must be a JSON object (NaN and Infinity are not JSON): {error}") from error


def _check_groups(groups: Sequence[StoredGroup], known: set[str]) -> set[str]:
    if len(groups) > MAX_GROUPS:
        raise _Fault("groups", f"at most {MAX_GROUPS} groups an event, got {len(groups)}")
    types = set()
    for group in groups:
        group_type, fault = _group_type(group.key)
        field = f"groups[{group_type}]"
        if fault:
            raise _Fault(field, f"the group type {fault}")
        if fault := _text_fault(group.value):
            raise _Fault(field, f"the group key {fault}")
        types.add(group_type)
    if len(known | types) > MAX_GROUP_TYPES:
        raise _Fault("groups", f"an environment has at most {MAX_GROUP_TYPES:,} group types; is a key used as a type?")
    return types


def _uuid(text: bytes) -> bytes:
    try:
        return str(UUID(text.decode())).encode()
    except ValueError as error:
        raise _Fault("uuid", "must be a UUID, such as 123e4567-e89b-42d3-a456-426614174000, or empty") from error


def _text_fault(text: bytes) -> str:
    if len(text) > MAX_TEXT_BYTES:  # and never into the cache, which is bounded by number
        return f"must be at most {MAX_NAME} characters"
    return _short_text_fault(text)


@lru_cache(maxsize=65_536)
def _short_text_fault(text: bytes) -> str:
    try:
        return name_fault(text.decode())
    except UnicodeDecodeError:
        return "must be UTF-8"


def _group_type(text: bytes) -> tuple[str, str]:
    """The name of a group type, as far as it can be shown, and what is wrong with it."""
    fault = _text_fault(text)
    name = text[:MAX_TEXT_BYTES].decode(errors="replace")[:MAX_NAME]
    return name, fault or group_type_fault(name)
