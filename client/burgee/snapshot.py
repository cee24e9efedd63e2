"""Everything that is needed to evaluate an environment's flags here, and how it follows what Watch sends."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from burgee.evaluation import Context, Flag, FlagSet, Profiles, Properties, Resolution
from burgee.v1.flags_pb2 import WatchResponse
from burgee.wire import WireError, flag_from_proto

_NOTHING: Mapping[str, str] = MappingProxyType({})


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
    unread: Mapping[str, str]
    """What is wrong with the flags that were sent and cannot be read here, by key."""
    unsure: frozenset[str]
    """The flags that only the server can answer: those that cannot be read here, and all that depend on them."""
    certain: frozenset[str]
    """The flags that read no stored property that is not carried, and are not among the unsure."""
    complete: bool
    """Whether all flags that are not archived are certain."""
    changed: frozenset[str]
    """The keys of the flags that are new, gone or not as they were in the snapshot before."""
    evaluate: Callable[[str, Context, Profiles, float], Resolution]
    """That of the flags, for speed."""

    @classmethod
    def of(
        cls, flags: FlagSet, version: str = "", stored: dict[tuple[str, str], Properties] | None = None,
        carried: frozenset[str] = frozenset(), unread: Mapping[str, str] = _NOTHING, changed: Iterable[str] = (),
    ) -> "Snapshot":  # fmt: skip
        """A snapshot of flags and of the stored properties of the carried types."""
        known = flags.flags
        keys = known.keys()
        unknown = unread.keys() | flags.broken.keys()
        unsure = unknown and unknown.union(key for key in keys if not unknown.isdisjoint(flags.reach_of(key)))
        certain = frozenset(
            key for key in keys - unsure if all(each.owner in carried for each in flags.mentions_of(key))
        )
        complete = not unread and all(known[key].archived for key in keys - certain)
        return cls(
            version, flags, {} if stored is None else stored, carried,
            unread, frozenset(unsure), certain, complete, frozenset(changed), flags.evaluate,
        )  # fmt: skip

    @property
    def profiles(self) -> Profiles:
        """Stored properties, for flags that are not certain: reading them may raise NotCarried."""
        return Carried(self.stored, self.carried)

    @property
    def unreadable(self) -> dict[str, str]:
        """What is wrong with the flags that cannot be read or evaluated here, by key."""
        return {**self.flags.broken, **self.unread}


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
    flags, unread = _read_flags(parts)
    stored = {
        (each.group_type, each.group_key): _properties(each.properties_json) for part in parts for each in part.stored
    }
    carried = next((part.carried for part in parts if part.HasField("carried")), None)
    if before and not anew and not flags and not unread and carried is None:
        # Nothing but stored properties: copying all of them for each that changes would be dear.
        _put(before.stored, stored)
        return replace(before, version=version, changed=frozenset())
    known, unknown = old.flags, before.unread if before else _NOTHING
    if not anew:
        unread = {**{key: fault for key, fault in unknown.items() if key not in flags}, **unread}
    changed = [flag for key, flag in flags.items() if known.get(key) != flag]
    removed = known.keys() - flags.keys() if anew else known.keys() & unread.keys()
    differ = {flag.key for flag in changed} | removed | {key for key, _ in unknown.items() ^ unread.items()}
    types = before.carried if carried is None and before else frozenset(carried.group_types if carried else ())
    kept = {} if anew or not before else {group: each for group, each in before.stored.items() if group[0] in types}
    _put(kept, stored)
    return Snapshot.of(old.with_changes(changed, removed), version, kept, types, unread, differ)


def _read_flags(parts: Iterable[WatchResponse]) -> tuple[dict[str, Flag], dict[str, str]]:
    """The flags that can be read, and what is wrong with the others, by key; of several with one key, the last."""
    flags: dict[str, Flag] = {}
    unread: dict[str, str] = {}
    for part in parts:
        for message in part.flags:
            flags.pop(message.key, None)
            unread.pop(message.key, None)
            try:
                flags[message.key] = flag_from_proto(message)
            except WireError as error:  # a newer server may know types and operators that are not known here
                unread[message.key] = str(error)
    return flags, unread


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
