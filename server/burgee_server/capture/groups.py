"""The groups of events as they arrive: entries of a protobuf map, which mostly are the same ones again and again."""

from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError

from burgee_server.capture.faults import MOST_TEXT_BYTES, Fault, text_fault
from burgee_server.journal.v1.journal_pb2 import ArrivingEvent, StoredGroup
from burgee_server.names import MAX_GROUP_TYPES, MAX_NAME, group_type_fault

MAX_GROUPS = 100
REMEMBERED = 20_000
REMEMBERED_BYTES = 100
"""Entries of up to this many bytes are remembered, so many at a time: some megabytes."""

_types: dict[bytes, str] = {}
"""The group type of entries that are right, and written as protobuf writes them."""


def check_groups(event: ArrivingEvent, known: set[str]) -> None:
    """Raise the first fault of an event's groups; else add their types, and write each type once.

    Of two entries of one type the later counts, as in every map of protobuf.
    """
    arrived = event.groups[:]
    if len(arrived) > MAX_GROUPS:
        raise Fault("groups", f"at most {MAX_GROUPS} groups an event, got {len(arrived)}")
    entries = dict(map(_read, arrived))
    if len(known | entries.keys()) > MAX_GROUP_TYPES:
        raise Fault("groups", f"an environment has at most {MAX_GROUP_TYPES:,} group types; is a key used as a type?")
    known.update(entries)
    if (written := list(entries.values())) != arrived:
        event.groups[:] = written


def types_of(events: Sequence[ArrivingEvent]) -> set[str] | None:
    """The group types that events name; None if there is anything about their groups for check_groups() to do or say.

    A fifth of the time of check_groups() for each.
    """
    combinations = {tuple(map(_types.get, event.groups[:])) for event in events}
    if any(None in types for types in combinations):
        found = _look_at({entry for event in events for entry in event.groups[:]})
        if found is None:
            return None
        combinations = {tuple(map(found.get, event.groups[:])) for event in events}
    if any(len(types) > MAX_GROUPS or len(types) != len(set(types)) for types in combinations):
        return None
    return {group_type for types in combinations for group_type in types if group_type}


def _look_at(entries: Iterable[bytes]) -> dict[bytes, str] | None:
    """The group type of each entry, remembered from now on; None if one is wrong, or written in another way."""
    found: dict[bytes, str] = {}
    for entry in entries:
        group_type = _types.get(entry)
        if group_type is None:
            try:
                group_type, written = _read(entry)
            except Fault:
                return None
            if written != entry:
                return None
        found[entry] = group_type
    if len(_types) > REMEMBERED:
        _types.clear()
    _types.update((entry, of) for entry, of in found.items() if len(entry) <= REMEMBERED_BYTES)
    return found


def _read(entry: bytes) -> tuple[str, bytes]:
    """The type of an entry, and the entry as protobuf writes it. Raises Fault."""
    try:
        group = StoredGroup.FromString(entry)
    except DecodeError as error:
        raise Fault("groups", "must be a map of texts") from error
    name = group.key[:MOST_TEXT_BYTES].decode(errors="replace")[:MAX_NAME]
    if fault := text_fault(group.key) or group_type_fault(name):
        raise Fault(f"groups[{name}]", f"the group type {fault}")
    if fault := text_fault(group.value):
        raise Fault(f"groups[{name}]", f"the group key {fault}")
    return name, StoredGroup(key=group.key, value=group.value).SerializeToString()
