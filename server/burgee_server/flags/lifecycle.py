"""Creates and changes flags: nothing that cannot be evaluated is ever saved."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from burgee.evaluation import Flag
from burgee_server.errors import Stale
from burgee_server.flags.checking import Surroundings, checked
from burgee_server.flags.comparison import Comparison, compare
from burgee_server.flags.copying import CopyPlan, plan_copy
from burgee_server.flags.difference import difference, is_same, summary
from burgee_server.names import note_fault, require
from burgee_server.ports.access import Authorship
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.flags import FlagChange, FlagStore, FlagVersion
from burgee_server.ports.hierarchy import HierarchyStore
from burgee_server.ports.turns import Turns


class Lifecycle:
    """Every change is a new version, announced on the feed before it is answered."""

    def __init__(
        self,
        store: FlagStore,
        cohorts: CohortStore,
        hierarchy: HierarchyStore,
        turns: Turns,
        feed: ChangeFeed,
        clock: Clock,
    ) -> None:
        self._store = store
        self._cohorts = cohorts
        self._hierarchy = hierarchy
        self._turns = turns
        self._feed = feed
        self._clock = clock

    async def create(self, environment_id: int, flag: Flag, actor: str, note: str) -> FlagVersion:
        """Keep a new flag. Raises Invalid naming every path at fault, AlreadyExists."""
        async with self._turns[environment_id]:
            flag = checked(flag, await self._around(environment_id), None)
            version = await self._store.create(environment_id, flag, self._by(actor, note))
            await self._announce(environment_id, flag.key)
        return version

    async def update(
        self, environment_id: int, flag: Flag, expected_version: int, actor: str, note: str
    ) -> FlagVersion:
        """Replace a flag's configuration; `expected_version` 0 means whatever is current.

        Raises Invalid naming every path at fault, NotFound, Stale. An archived flag stays archived.
        """
        async with self._turns[environment_id]:
            current = (await self._store.get(environment_id, flag.key)).flag
            if expected_version not in (0, current.version):
                raise Stale(f"flag {flag.key!r} is at version {current.version}, not {expected_version}: read it again")
            flag = checked(flag, await self._around(environment_id), current)
            return await self._save(environment_id, current, flag, "flag.update", self._by(actor, note))

    async def archive(self, environment_id: int, flag_key: str, actor: str, note: str) -> FlagVersion:
        """Take a flag out of use. Raises NotFound. Archiving it twice changes nothing."""
        return await self._change(
            environment_id, flag_key, lambda flag: replace(flag, archived=True), "archive", actor, note
        )

    async def enable(self, environment_id: int, flag_key: str, *, enabled: bool, actor: str, note: str) -> FlagVersion:
        """Switch a flag on or off, whoever else is changing it. Raises NotFound. Doing it twice changes nothing."""
        action = "enable" if enabled else "disable"
        return await self._change(
            environment_id, flag_key, lambda flag: replace(flag, enabled=enabled), action, actor, note
        )

    async def restore(self, environment_id: int, flag_key: str, version: int, actor: str, note: str) -> FlagVersion:
        """Make a flag again what it was at a version, archived or not. Raises NotFound, Invalid.

        If it is just so already, nothing changes.
        """
        async with self._turns[environment_id]:
            restored = (await self._store.version(environment_id, flag_key, version)).flag
            checked(restored, await self._around(environment_id), restored)
            note = note or f"version {version} restored"
            return await self._change(
                environment_id, flag_key, lambda flag: replace(restored, version=flag.version), "restore", actor, note
            )

    async def copy(
        self,
        environment_id: int,
        from_environment_id: int,
        keys: Sequence[str],
        *,
        overwrite: bool,
        actor: str,
        note: str,
    ) -> CopyPlan:
        """Copy flags from another environment, those that others need first. Raises Invalid naming what cannot be.

        Nothing is written if anything would be wrong. Raises Stale if a flag is changed here meanwhile; what was
        copied before that stays, and the same call again does the rest.
        """
        async with self._turns[environment_id]:
            around = await self._around(environment_id)
            plan = plan_copy(await self._all(from_environment_id), around, keys, overwrite=overwrite)
            by = self._by(actor, note)
            for flag in plan.flags:
                if flag.key in around.flags:
                    await self._save(environment_id, around.flags[flag.key], flag, "flag.copy", by)
                else:
                    await self._store.create(environment_id, flag, by)
                    await self._announce(environment_id, flag.key)
        return plan

    async def compare(self, environment_id: int, flag: Flag, group_type: str) -> Comparison:
        """A flag as it would be beside what it is. Raises Invalid where saving it would."""
        around = await self._around(environment_id)
        parent_types = await self._hierarchy.parent_types(environment_id)
        return compare(checked(flag, around, around.flags.get(flag.key)), around.flags, group_type, parent_types)

    async def get(self, environment_id: int, flag_key: str) -> FlagVersion:
        """A flag as it is. Raises NotFound."""
        return await self._store.get(environment_id, flag_key)

    async def page(
        self, environment_id: int, *, after: str, limit: int, include_archived: bool
    ) -> Sequence[FlagVersion]:
        """Flags by key."""
        return await self._store.page(environment_id, after=after, limit=limit, include_archived=include_archived)

    async def versions(
        self, environment_id: int, flag_key: str, *, before: int | None, limit: int
    ) -> Sequence[tuple[FlagVersion, tuple[FlagChange, ...]]]:
        """Versions of a flag, newest first, each with what it changed; nothing for the first. Raises NotFound."""
        versions = await self._store.versions(environment_id, flag_key, before=before, limit=limit + 1)
        changes = [difference(older.flag, newer.flag) for newer, older in pairwise(versions)]
        return list(zip(versions[:limit], [*changes, ()], strict=False))

    async def _around(self, environment_id: int) -> Surroundings:
        return Surroundings(await self._all(environment_id), await self._cohorts.types(environment_id))

    async def _all(self, environment_id: int) -> dict[str, Flag]:
        return {flag.key: flag for flag in await self._store.all(environment_id)}

    async def _change(
        self, environment_id: int, flag_key: str, change: Callable[[Flag], Flag], action: str, actor: str, note: str
    ) -> FlagVersion:
        """Save what `change` makes of the flag as it is, and again if somebody was faster."""
        while True:
            current = await self._store.get(environment_id, flag_key)
            by = self._by(actor, note)  # after that read, so that versions are in order of time
            flag = change(current.flag)
            if is_same(flag, current.flag):
                return current
            with suppress(Stale):
                return await self._save(environment_id, current.flag, flag, f"flag.{action}", by)

    async def _save(self, environment_id: int, current: Flag, flag: Flag, action: str, by: Authorship) -> FlagVersion:
        detail = summary(difference(current, flag))
        version = await self._store.save(environment_id, flag, current.version, action, detail, by)
        await self._announce(environment_id, flag.key)
        return version

    async def _announce(self, environment_id: int, flag_key: str) -> None:
        await self._feed.publish(Change(Kind.FLAGS, environment_id, (flag_key,)))

    def _by(self, actor: str, note: str) -> Authorship:
        require("change_note", note_fault(note))
        return Authorship(actor, self._clock.now(), note)
