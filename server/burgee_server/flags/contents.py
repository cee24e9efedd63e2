"""What the watchers of one environment are sent: flags, and the stored properties that flags mention.

Kept as it goes over the wire. A part is a serialized WatchResponse about one flag or one group; parts one after the
other are one WatchResponse about them all, so that each is written once and sent to thousands.
"""

import json
from collections.abc import Collection, Iterator, Mapping

from burgee import wire
from burgee.evaluation import USER, Flag, FlagSet, ParentTypes, Properties
from burgee.v1 import flags_pb2 as pb

CHUNK_BYTES = 1 << 20
"""Parts go together up to this; most gRPC clients read 4 MB."""

_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode  # json.dumps would make one each time


class Contents:
    """What was sent so far. Every change returns the parts that bring a watcher up to date."""

    def __init__(self) -> None:
        self._flags: dict[str, tuple[int, bytes]] = {}
        self._stored: dict[str, dict[str, bytes]] = {}
        self._told: frozenset[str] = frozenset()
        self._parent_types: ParentTypes = {}

    @property
    def carried(self) -> Collection[str]:
        """The group types whose stored properties are here."""
        return self._stored.keys()

    def snapshot(self) -> list[bytes]:
        """Everything."""
        return [
            pb.WatchResponse(snapshot=True).SerializeToString(),
            _carried_part(self._stored),
            *([_parents_part(self._parent_types)] if self._parent_types else []),
            *(part for _, part in self._flags.values()),
            *(part for parts in self._stored.values() for part in parts.values()),
        ]

    def put_flags(self, flags: Mapping[str, Flag]) -> list[bytes]:
        """Flags as they are now."""
        changed = []
        for key, flag in flags.items():
            known = self._flags.get(key)
            if known is None or known[0] != flag.version:
                part = pb.WatchResponse(flags=[wire.flag_to_proto(flag)]).SerializeToString()
                self._flags[key] = flag.version, part
                changed.append(part)
        return changed

    def put_types(self, types: Mapping[str, dict[str, bytes] | None]) -> list[bytes]:
        """All groups of some types, as stored_part wrote them; None: the type is not carried any more."""
        changed = []
        for group_type, parts in types.items():
            known = self._stored.pop(group_type, {})
            if parts is not None:
                changed += [part for key, part in parts.items() if known.get(key) != part]
                changed += [stored_part(group_type, key, {}) for key in known.keys() - parts.keys()]
                self._stored[group_type] = parts
        return changed

    def put_group(self, group_type: str, key: str, properties: Properties) -> list[bytes]:
        """One group of a carried type, by the properties that flags mention."""
        known = self._stored[group_type]
        part = stored_part(group_type, key, properties)
        if properties:
            before, known[key] = known.get(key), part
            return [] if before == part else [part]
        return [part] if known.pop(key, None) else []

    def put_parent_types(self, parent_types: ParentTypes) -> list[bytes]:
        """Which types groups belong to, as they are now."""
        if parent_types == self._parent_types:
            return []
        self._parent_types = parent_types
        return [_parents_part(parent_types)]

    def put_carried(self) -> list[bytes]:
        """Which types are carried, if others were when this was last asked for: the last thing to ask for an update."""
        told, self._told = self._told, frozenset(self._stored)
        return [] if told == self._told else [_carried_part(self._told)]

    def count(self, group_type: str) -> int:
        """How many groups of a carried type have any property that flags mention."""
        return len(self._stored[group_type])


def mentioned(flags: FlagSet) -> dict[str, tuple[str, ...]]:
    """The properties that flags mention, by group type; those of persons, of whom there may be millions, left out."""
    names: dict[str, list[str]] = {}
    for attribute in sorted(flags.mentions):
        if attribute.owner != USER:
            names.setdefault(attribute.owner, []).append(attribute.name)
    return {group_type: tuple(each) for group_type, each in names.items()}


def only(names: Collection[str], properties: Properties) -> Properties:
    """The properties with these names. Null counts as missing."""
    return {name: properties[name] for name in names if properties.get(name) is not None}


def stored_part(group_type: str, key: str, properties: Properties) -> bytes:
    """The part about one group."""
    stored = pb.StoredProperties(group_type=group_type, group_key=key, properties_json=_to_json(properties))
    return pb.WatchResponse(stored=[stored]).SerializeToString()


def messages(parts: Collection[bytes], version: str) -> Iterator[bytes]:
    """Parts as messages of some size; the last one has the version."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        if waiting and size + len(part) > CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
        waiting.append(part)
        size += len(part)
    yield b"".join((*waiting, pb.WatchResponse(version=version).SerializeToString()))


def _parents_part(parent_types: ParentTypes) -> bytes:
    return pb.WatchResponse(parent_types=pb.ParentTypes(parent_types=parent_types)).SerializeToString()


def _carried_part(types: Collection[str]) -> bytes:
    return pb.WatchResponse(carried=pb.CarriedTypes(group_types=sorted(types))).SerializeToString()
