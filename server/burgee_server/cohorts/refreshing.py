"""Keeps the members of computed cohorts: computes who is in, and puts the difference among the members."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from burgee.evaluation import Flag, named_cohorts
from burgee_server.errors import Invalid, Stale
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import Cohort, CohortStore
from burgee_server.ports.computing import Computing
from burgee_server.ports.flags import FlagStore

log = logging.getLogger(__name__)

SETTLED_AT_ONCE = 10_000
"""Members that one transaction changes: whoever else writes waits for it."""
RETRY_SECONDS = 10.0
_READ_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A cohort that was just computed, how many came in, and how many left."""

    cohort: Cohort
    added: int
    removed: int


class Refreshing:
    """Computes on demand, and behind the calls whatever flags ask for, when it is older than `max_age`."""

    def __init__(
        self,
        store: CohortStore,
        flags: FlagStore,
        computing: Computing,
        feed: ChangeFeed,
        clock: Clock,
        max_age: timedelta,
    ) -> None:
        self._store = store
        self._flags = flags
        self._computing = computing
        self._feed = feed
        self._clock = clock
        self._max_age = max_age
        self._turns: defaultdict[tuple[int, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wake = asyncio.Event()

    def notice(self, change: Change) -> None:
        """Listen to the change feed with this: a flag may ask for a cohort that was not computed yet."""
        if change.kind in (Kind.FLAGS, Kind.COHORT):
            self._wake.set()

    async def fresh(self, environment_id: int, key: str, max_age: timedelta | None = None) -> Cohort:
        """A cohort whose members are no older than that; None: than the settings say. Listed ones are never old.

        Raises NotFound, and what computing raises.
        """
        oldest = self._max_age if max_age is None else max_age
        cohort = await self._store.get(environment_id, key)
        if not self._is_old(cohort, oldest):
            return cohort
        async with self._turns[environment_id, key]:
            cohort = await self._store.get(environment_id, key)
            if not self._is_old(cohort, oldest):  # somebody else has waited for the same
                return cohort
            return (await self._refresh(environment_id, key)).cohort

    async def refresh(self, environment_id: int, key: str) -> Refreshed:
        """Compute a cohort now. Raises NotFound, Invalid for a listed one, and what computing raises."""
        async with self._turns[environment_id, key]:
            return await self._refresh(environment_id, key)

    async def run(self) -> None:
        """Keep fresh what flags ask for, until cancelled, which can be done at any time."""
        while True:
            self._wake.clear()
            seconds = await self._keep_fresh()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _keep_fresh(self) -> float:
        """Refresh what is old; how long nothing else will be."""
        seconds = self._max_age.total_seconds()
        try:
            asked = await self._asked_for()
        except Exception:
            log.exception("cannot read which cohorts are computed; trying again in %.0f s", RETRY_SECONDS)
            return min(seconds, RETRY_SECONDS)
        for environment_id, cohort in asked:
            try:
                fresh = await self.fresh(environment_id, cohort.key)
            except Exception:
                log.exception("environment %d: a cohort that flags ask for cannot be computed", environment_id)
                seconds = min(seconds, RETRY_SECONDS)
                continue
            if fresh.computed_at is not None:
                left = self._max_age - (self._clock.now() - fresh.computed_at)
                seconds = min(seconds, max(left.total_seconds(), 0.0))
        return seconds

    async def _asked_for(self) -> Sequence[tuple[int, Cohort]]:
        """The computed cohorts that flags ask for, of every environment."""
        computed = await self._store.computed()
        named = {
            environment_id: _named(await self._flags.all(environment_id))
            for environment_id in {environment_id for environment_id, _ in computed}
        }
        return [(environment_id, cohort) for environment_id, cohort in computed if cohort.key in named[environment_id]]

    def _is_old(self, cohort: Cohort, oldest: timedelta) -> bool:
        if cohort.computed is None:
            return False
        return cohort.computed_at is None or self._clock.now() - cohort.computed_at >= oldest

    async def _refresh(self, environment_id: int, key: str) -> Refreshed:
        while True:
            cohort = await self._store.get(environment_id, key)
            if cohort.computed is None:
                raise Invalid.of("cohort_key", f"{key!r} is a list, which is not computed")
            try:
                return await self._settle(environment_id, cohort)
            except Stale:
                continue  # it is computed otherwise since: what was found is not it

    async def _settle(self, environment_id: int, cohort: Cohort) -> Refreshed:
        at = self._clock.now()
        found = await self._computing.members(environment_id, cohort.key)
        current = await self._members(environment_id, cohort.key)
        add, remove = await asyncio.to_thread(_difference, current, found)
        changes = [(key, True) for key in add] + [(key, False) for key in remove]
        added = removed = first = 0
        while True:
            some = changes[first : first + SETTLED_AT_ONCE]
            first += len(some)
            change = await self._store.settle(
                environment_id,
                cohort.key,
                cohort.version,
                [key for key, comes in some if comes],
                [key for key, comes in some if not comes],
                at,
                computed_at=at if first == len(changes) else None,
            )
            added += len(change.added)
            removed += len(change.removed)
            if touched := (*change.added, *change.removed):
                subject = (cohort.key, cohort.group_type, *touched)
                await self._feed.publish(Change(Kind.COHORT, environment_id, subject))
            if first == len(changes):
                return Refreshed(change.cohort, added, removed)

    async def _members(self, environment_id: int, key: str) -> set[str]:
        members: set[str] = set()
        after = ""
        while page := await self._store.members(environment_id, key, after=after, limit=_READ_AT_ONCE):
            members.update(member.key for member in page)
            after = page[-1].key
        return members


def _difference(current: set[str], found: Sequence[str]) -> tuple[list[str], list[str]]:
    """Who came, and who went."""
    now = set(found)
    return sorted(now - current), sorted(current - now)


def _named(flags: Sequence[Flag]) -> frozenset[str]:
    return frozenset(key for flag in flags if not flag.archived for _, key in named_cohorts(flag))
