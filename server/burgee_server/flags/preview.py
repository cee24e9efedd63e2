"""What a change of a flag would do to everybody that is known, before it is saved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from burgee.evaluation import COHORT, USER, Context, Flag, Profiles, Properties, cohort, parent_key
from burgee_server.flags.comparison import Comparison
from burgee_server.flags.lifecycle import Lifecycle
from burgee_server.flags.tally import Part, Tally, Transition
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import CohortStore

SLICE = 1_000
"""Groups that are evaluated in one go: some 10 milliseconds in which nobody else is served."""

Group = tuple[str, Properties]


class KnownGroups(Protocol):
    """Where groups, and persons, are read."""

    def pages(self, environment_id: int, group_type: str) -> AsyncIterator[Sequence[Group]]:
        """Everybody of a type, identified or seen in an event, once, in byte order of their keys."""

    async def some(self, environment_id: int, group_type: str, keys: Collection[str]) -> Mapping[str, Properties]:
        """The properties of those of these groups that were identified, by key."""


class Previews:
    """Looks at every known group of an environment; saves nothing."""

    def __init__(self, lifecycle: Lifecycle, groups: KnownGroups, cohorts: CohortStore, clock: Clock) -> None:
        self._lifecycle = lifecycle
        self._groups = groups
        self._cohorts = cohorts
        self._clock = clock

    async def begin(self, environment_id: int, flag: Flag, group_type: str, breakdown_property: str) -> "Preview":
        """Begin to look at groups of a type; an empty one is chosen by the flag. Raises Invalid where saving would.

        Everybody is asked about at one moment, this one.
        """
        comparison = await self._lifecycle.compare(environment_id, flag, group_type)
        groups = self._groups.pages(environment_id, comparison.group_type)

        async def members(owner: str, keys: Collection[str]) -> Mapping[str, frozenset[str]]:
            cohort_keys = [cohort_key for each, cohort_key in comparison.cohorts if each == owner]
            return await self._cohorts.held(environment_id, cohort_keys, keys) if cohort_keys else {}

        async def above(group_type: str, keys: Collection[str]) -> Mapping[str, Properties]:
            return await self._groups.some(environment_id, group_type, keys)

        return Preview(comparison, groups, members, above, breakdown_property, self._clock.unix_seconds())


class Preview:
    """Ask for `changes` to the end, then for `whole` and `parts`."""

    def __init__(
        self,
        comparison: Comparison,
        groups: AsyncIterator[Sequence[Group]],
        members: Callable[[str, Collection[str]], Awaitable[Mapping[str, frozenset[str]]]],
        above: Callable[[str, Collection[str]], Awaitable[Mapping[str, Properties]]],
        breakdown_property: str,
        now: float,
    ) -> None:
        self.comparison = comparison
        self._groups = groups
        self._members = members
        self._above = above
        self._tally = Tally(breakdown_property)
        self._now = now

    async def changes(self) -> AsyncIterator[Mapping[Transition, Sequence[str]]]:
        """Group keys by variant before and after, of those that change, a few at a time."""
        async for page in self._groups:
            profiles = await self._profiles(page)
            for first in range(0, len(page), SLICE):
                if changed := self._look_at(page[first : first + SLICE], profiles):
                    yield changed
                await asyncio.sleep(0)

    def whole(self) -> Part:
        """How many there are, and how many change, by variant."""
        return self._tally.whole(self.comparison.variants)

    def parts(self) -> Sequence[Part]:
        """The same by value of the breakdown property, the greatest part first."""
        return self._tally.parts(self.comparison.variants)

    async def _profiles(self, groups: Sequence[Group]) -> Profiles:
        """What is stored of these groups and of those above them, and who of all is in cohorts that are asked for."""
        levels = {self.comparison.group_type: dict(groups)}
        for child, parent in self.comparison.links:
            keys = {parent_key(properties.get(parent)) for properties in levels[child].values()} - {""}
            found = await self._above(parent, keys) if keys else {}
            levels[parent] = {key: found.get(key, {}) for key in keys}
        profiles = {(owner, key): properties for owner, known in levels.items() for key, properties in known.items()}
        for owner, known in levels.items():
            for cohort_key, members in (await self._members(owner, known)).items():
                profiles[COHORT, cohort_key] = cohort(members)
        return profiles

    def _look_at(self, groups: Sequence[Group], profiles: Profiles) -> dict[Transition, list[str]]:
        changed: dict[Transition, list[str]] = {}
        flag_key, group_type, now = self.comparison.flag_key, self.comparison.group_type, self._now
        before, after, add = self.comparison.before.evaluate, self.comparison.after.evaluate, self._tally.add
        is_person = group_type == USER
        for key, properties in groups:
            context = Context(key) if is_person else Context("", {group_type: key})
            variants = before(flag_key, context, profiles, now).variant, after(flag_key, context, profiles, now).variant
            add(properties, variants)
            if variants[0] != variants[1]:
                changed.setdefault(variants, []).append(key)
        return changed
