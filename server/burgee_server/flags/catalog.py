"""Every environment's flags, compiled and in memory."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from burgee.evaluation import FlagSet
from burgee_server.errors import NotFound
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.flags import FlagStore
from burgee_server.ports.hierarchy import HierarchyStore

_PARENT_TYPES = ""
"""Stands among the keys of flags that changed for the types that groups belong to: no flag has such a key."""


class Catalog:
    """Reads an environment's flags at first use, and what changes after each change: the next check sees it."""

    def __init__(self, store: FlagStore, hierarchy: HierarchyStore) -> None:
        self._store = store
        self._hierarchy = hierarchy
        self._kept: dict[int, FlagSet] = {}
        self._changed: defaultdict[int, set[str]] = defaultdict(set)
        self._reading: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.FLAGS:
            self._changed[change.environment_id].update(change.subject)
        elif change.kind is Kind.GROUP_TYPES:
            self._changed[change.environment_id].add(_PARENT_TYPES)

    def peek(self, environment_id: int) -> FlagSet | None:
        """The flags if they are in memory as they are now, else None. Never waits."""
        return None if self._changed.get(environment_id) else self._kept.get(environment_id)

    def kept(self) -> Mapping[int, FlagSet]:
        """The flags in memory, by environment, as they were read last."""
        return self._kept

    async def get(self, environment_id: int) -> FlagSet:
        """The flags as they are now."""
        while (flags := self.peek(environment_id)) is None:
            async with self._reading[environment_id]:
                # What changes from here on is read again, and by whoever comes next. Until it is read, nobody may
                # look at what there was: a check would not see a change that was made before it.
                changed = self._changed.pop(environment_id, set())
                kept = self._kept.pop(environment_id, None)
                try:
                    self._kept[environment_id] = await self._read(environment_id, kept, changed)
                except BaseException:
                    self._changed[environment_id] |= changed
                    if kept is not None:
                        self._kept[environment_id] = kept
                    raise
        return flags

    async def _read(self, environment_id: int, kept: FlagSet | None, changed: set[str]) -> FlagSet:
        if kept is None:
            flags_now = await self._store.all(environment_id)
            return FlagSet(flags_now, await self._hierarchy.parent_types(environment_id))
        flags, removed = [], []
        parent_types = await self._hierarchy.parent_types(environment_id) if _PARENT_TYPES in changed else None
        for key in sorted(changed - {_PARENT_TYPES}):
            try:
                flags.append((await self._store.get(environment_id, key)).flag)
            except NotFound:
                removed.append(key)
        return kept.with_changes(flags, removed, parent_types) if changed else kept
