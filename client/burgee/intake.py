"""How a snapshot follows what Watch sends."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from burgee.evaluation import COHORT, Flag, FlagSet, Properties, cohort, violations
from burgee.snapshot import Answers, Snapshot
from burgee.v1.flags_pb2 import CohortChange, WatchResponse
from burgee.wire import WireError, flag_from_proto

_Stored: TypeAlias = dict[tuple[str, str], Properties]


class Intake:
    """Puts messages of Watch together."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self._parts: list[WatchResponse] = []

    @property
    def version(self) -> str:
        """Where to go on from."""
        return self.snapshot.version if self.snapshot else ""

    def take(self, message: WatchResponse) -> Snapshot | None:
        """The snapshot that a message completes, or None. Raises ValueError, and leaves the snapshot as it was."""
        if message.snapshot:
            self._parts.clear()
        self._parts.append(message)
        if not message.version:
            return None
        parts, self._parts = self._parts, []
        self.snapshot = _apply(self.snapshot, parts)
        return self.snapshot

    def interrupt(self) -> None:
        """The stream has ended: what was not completed never will be."""
        self._parts.clear()


def _apply(before: Snapshot | None, parts: Sequence[WatchResponse]) -> Snapshot:
    version, anew = parts[-1].version, parts[0].snapshot
    if before is None and not anew:
        raise ValueError("changes came without a snapshot before them")
    flags, unread = _read_flags(parts)
    stored = {
        (each.group_type, each.group_key): _properties(each.properties_json) for part in parts for each in part.stored
    }
    members = [change for part in parts for change in part.cohorts]
    carried = next((part.carried for part in parts if part.HasField("carried")), None)
    cohorts = next((part.carried_cohorts for part in parts if part.HasField("carried_cohorts")), None)
    parents = next((dict(part.parent_types.parent_types) for part in parts if part.HasField("parent_types")), None)
    if before and not anew and not flags and not unread and carried is None and cohorts is None and parents is None:
        # Nothing but stored properties and members: copying all of them for each that changes would be dear.
        _put(before.stored, stored)
        _change_members(before.stored, members)
        return replace(before, version=version, changed=frozenset(), answers=Answers())
    old = before or Snapshot.of(FlagSet(()))
    known = old.flags.flags
    if not anew:
        unread = {**{key: fault for key, fault in old.unread.items() if key not in flags}, **unread}
    changed = [flag for key, flag in flags.items() if known.get(key) != flag]
    removed = known.keys() - flags.keys() if anew else known.keys() & unread.keys()
    differ = {flag.key for flag in changed} | removed | {key for key, _ in old.unread.items() ^ unread.items()}
    last = Snapshot.of(FlagSet(())) if anew else old
    types = last.carried if carried is None else frozenset(carried.group_types)
    cohort_keys = last.cohorts if cohorts is None else frozenset(cohorts.cohort_keys)
    kept = {group: each for group, each in last.stored.items() if group[0] in types}
    for cohort_key in cohort_keys:
        kept[COHORT, cohort_key] = last.stored.get((COHORT, cohort_key)) or {}
    for cohort_key in {each.cohort_key for each in members} & cohort_keys:
        kept[COHORT, cohort_key] = cohort(kept[COHORT, cohort_key])  # a copy: those before us still read the other
    _put(kept, stored)
    _change_members(kept, members)
    if anew and parents is None:
        parents = {}
    known_flags = old.flags.with_changes(changed, removed, parents)
    return Snapshot.of(known_flags, version, kept, types, cohort_keys, unread, differ)


def _read_flags(parts: Iterable[WatchResponse]) -> tuple[dict[str, Flag], dict[str, str]]:
    """The flags that can be evaluated, and what is wrong with the others, by key; of several with one key, the last.

    A newer server may know types, operators and rules that are not known here.
    """
    flags: dict[str, Flag] = {}
    unread: dict[str, str] = {}
    for part in parts:
        for message in part.flags:
            flags.pop(message.key, None)
            unread.pop(message.key, None)
            try:
                flag = flag_from_proto(message)
            except WireError as error:
                unread[message.key] = str(error)
                continue
            if wrong := violations(flag):
                unread[message.key] = ": ".join(wrong[0])
            else:
                flags[message.key] = flag
    return flags, unread


def _put(stored: _Stored, changed: Mapping[tuple[str, str], Properties]) -> None:
    for group, properties in changed.items():
        if properties:
            stored[group] = properties
        else:
            stored.pop(group, None)


def _change_members(stored: _Stored, changes: Iterable[CohortChange]) -> None:
    for change in changes:
        members = stored.get((COHORT, change.cohort_key))
        if isinstance(members, dict):
            members.update(cohort(change.added))
            for key in change.removed:
                members.pop(key, None)


def _properties(text: str) -> Properties:
    properties = json.loads(text)
    if not isinstance(properties, dict):
        raise ValueError("stored properties are not a JSON object")
    return properties
