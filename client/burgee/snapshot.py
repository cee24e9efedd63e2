"""Everything that is needed to evaluate an environment's flags here, and how it follows what Watch sends."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from burgee.evaluation import FlagSet, Profiles, Properties
from burgee.evaluation.flag_set import Decide
from burgee.v1.flags_pb2 import WatchResponse
from burgee.wire import flag_from_proto


class NotCarried(Exception):
    """The answer depends on a stored property that only the server knows."""


class Carried(Mapping[tuple[str, str], Properties]):
    """Stored properties of the group types that are carried. To look for any other raises NotCarried."""

    def __init__(self, profiles: Profiles, types: frozenset[str]) -> None:
        self._profiles = profiles
        self._types = types

    def __getitem__(self, identity: tuple[str, str]) -> Properties:
        if identity[0] not in self._types:
            raise NotCarried
        return self._profiles[identity]

    def get(self, identity: tuple[str, str], default: Any = None) -> Any:
        """The same as `[]`, and quicker than what Mapping makes of that: every flag asks in this way."""
        if identity[0] not in self._types:
            raise NotCarried
        return self._profiles.get(identity, default)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The flags at a version. What is stored of one group may change in place, and always as a whole."""

    version: str
    flags: FlagSet
    stored: dict[tuple[str, str], Properties]
    carried: frozenset[str]
    uncertain: bool
    """Whether any flag reads a stored property that is not carried."""
    certain: dict[str, Decide]
    """Flags that read none, each as it is decided; those that `consider` was asked for."""

    @classmethod
    def of(
        cls, flags: FlagSet, version: str = "", stored: dict[tuple[str, str], Properties] | None = None,
        carried: frozenset[str] = frozenset(),
    ) -> "Snapshot":  # fmt: skip
        """A snapshot of flags and of the stored properties of the carried types."""
        return cls(version, flags, {} if stored is None else stored, carried, not flags.profile_types <= carried, {})

    def consider(self, flag_key: str) -> Decide | None:
        """How a flag is decided that reads no stored property that is not carried; None for others and unknown ones."""
        if self.uncertain and any(each.owner not in self.carried for each in self.flags.mentions_of(flag_key)):
            return None
        decide = self.flags.decider(flag_key)
        if decide is not None:
            self.certain[flag_key] = decide
        return decide

    @property
    def profiles(self) -> Profiles:
        """Stored properties, for flags that may not be certain: reading them may raise NotCarried."""
        return Carried(self.stored, self.carried) if self.uncertain else self.stored


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
    old = before.flags if before else FlagSet(())
    known = old.flags
    flags = {flag.key: flag for part in parts for flag in map(flag_from_proto, part.flags)}
    stored = {
        (each.group_type, each.group_key): _properties(each.properties_json) for part in parts for each in part.stored
    }
    carried = next((part.carried for part in parts if part.HasField("carried")), None)
    if before and not anew and not flags and carried is None:
        # Nothing but stored properties: copying all of them for each that changes would be dear.
        _put(before.stored, stored)
        return replace(before, version=version)
    changed = [flag for key, flag in flags.items() if known.get(key) != flag]
    removed = known.keys() - flags.keys() if anew else ()
    types = before.carried if carried is None and before else frozenset(carried.group_types if carried else ())
    if anew or not before:
        kept: dict[tuple[str, str], Properties] = {}
    elif types >= before.carried:
        kept = before.stored
    else:
        kept = {group: each for group, each in before.stored.items() if group[0] in types}
    _put(kept, stored)
    return Snapshot.of(old.with_changes(changed, removed), version, kept, types)


def _put(stored: dict[tuple[str, str], Properties], changed: Mapping[tuple[str, str], Properties]) -> None:
    for group, properties in changed.items():
        if properties:
            stored[group] = properties
        else:
            stored.pop(group, None)


def _properties(text: str) -> Properties:
    properties = json.loads(text)
    if not isinstance(properties, dict):
        raise ValueError("stored properties are not a JSON object")
    return properties
