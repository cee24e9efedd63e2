"""One environment as its watchers see it: kept up to date for as long as there are any."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from math import inf

from burgee_server.flags.catalog import Catalog
from burgee_server.flags.contents import Contents, mentioned
from burgee_server.flags.noticed import Noticed
from burgee_server.flags.reader import Reader
from burgee_server.flags.rosters import Rosters
from burgee_server.flags.updates import Updates
from burgee_server.ports.changes import Change

log = logging.getLogger(__name__)

_MEMBERS_AT_ONCE = 10_000
"""When more members of a cohort may have come or gone, all of them are read."""

_RETRY_SECONDS = 1.0


class Live:
    """Follows the change feed."""

    def __init__(self, environment_id: int, catalog: Catalog, reader: Reader) -> None:
        self.watchers = 0
        self._environment_id = environment_id
        self._catalog = catalog
        self._reader = reader
        self._contents = Contents()
        self._rosters = Rosters()
        self._names: dict[str, tuple[str, ...]] = {}
        self._cohort_keys: frozenset[str] = frozenset()
        self._noticed = Noticed(flags=True)
        self._awake = asyncio.Event()
        self._awake.set()
        self._updates = Updates(lambda: [*self._contents.snapshot(), *self._rosters.snapshot()])

    def notice(self, change: Change) -> None:
        """Take note of a change in this environment."""
        if self._noticed.add(change):
            self._awake.set()

    async def run(self) -> None:
        """Publish what changes, for ever. What could not be read is tried again."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            try:
                parts = await self._refresh()
            except Exception:
                log.exception("could not read what watchers of environment %d wait for", self._environment_id)
                self._awake.set()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if parts or not self._updates.begun:  # an environment without flags has a snapshot, too
                    self._updates.publish(parts)

    def messages(self, version: str, silence_seconds: float, seconds: float = inf) -> AsyncIterator[bytes]:
        """Serialized WatchResponses, for so many seconds; see Updates.messages."""
        return self._updates.messages(version, silence_seconds, seconds)

    async def _refresh(self) -> list[bytes]:
        """Read what changed, and only then take it over: a read that fails leaves everything as it was."""
        noticed = self._noticed.take()
        if self._noticed:
            self._awake.set()
        try:
            flags = await self._catalog.get(self._environment_id) if noticed.flags else None
            names = self._names if flags is None else mentioned(flags)
            cohort_keys = self._cohort_keys if flags is None else frozenset(key for _, key in flags.cohorts)
            types = await self._changed_types(names)
            properties = {
                (group_type, key): await self._reader.group(group_type, key, names[group_type])
                for group_type, key in noticed.groups
                if group_type in self._contents.carried and group_type not in types
            }
            cohorts = await self._changed_cohorts(cohort_keys, noticed.cohorts)
            members = {
                cohort_key: await self._reader.members(cohort_key, touched)
                for cohort_key, touched in noticed.cohorts.items()
                if cohort_key in self._rosters.carried and cohort_key not in cohorts
            }
        except BaseException:
            self._noticed.put_back(noticed)
            raise
        self._names, self._cohort_keys = names, cohort_keys
        parts: list[bytes] = []
        if flags is not None:
            parts += self._contents.put_flags(flags.flags)
            parts += self._contents.put_parent_types(flags.parent_types)
        parts += self._contents.put_types(types)
        for (group_type, key), stored in properties.items():
            parts += self._contents.put_group(group_type, key, stored)
        parts += self._rosters.put(cohorts)
        for cohort_key, held in members.items():
            parts += self._rosters.change(cohort_key, noticed.cohorts[cohort_key], held)
        parts += self._drop_what_is_too_much()
        return [*parts, *self._contents.put_carried(), *self._rosters.put_carried()]

    async def _changed_types(self, names: dict[str, tuple[str, ...]]) -> dict[str, dict[str, bytes] | None]:
        """The groups of each type of which flags mention other properties than before; None: not carried."""
        types: dict[str, dict[str, bytes] | None] = dict.fromkeys(self._names.keys() - names.keys())
        for group_type, mentions in names.items():
            if mentions != self._names.get(group_type):
                types[group_type] = await self._reader.groups(group_type, mentions)
        return types

    async def _changed_cohorts(
        self, cohort_keys: frozenset[str], noticed: Mapping[str, Collection[str]]
    ) -> dict[str, set[str] | None]:
        """The members of each cohort that flags mention and did not, or that has to be read anew; None: not carried."""
        cohorts: dict[str, set[str] | None] = dict.fromkeys(self._cohort_keys - cohort_keys)
        for cohort_key in cohort_keys:
            touched = noticed.get(cohort_key)
            is_whole = touched is not None and not 0 < len(touched) <= _MEMBERS_AT_ONCE
            is_new = cohort_key not in self._cohort_keys
            if is_new or is_whole or (touched and cohort_key not in self._rosters.carried):
                cohorts[cohort_key] = await self._reader.cohort(cohort_key)
                if is_new and cohorts[cohort_key] is None:
                    log.info("environment %d: too many members in %s to carry", self._environment_id, cohort_key)
        return cohorts

    def _drop_what_is_too_much(self) -> list[bytes]:
        types = [each for each in self._contents.carried if self._contents.count(each) > self._reader.most]
        cohorts = [each for each in self._rosters.carried if self._rosters.count(each) > self._reader.most]
        return [*self._contents.put_types(dict.fromkeys(types)), *self._rosters.put(dict.fromkeys(cohorts))]
