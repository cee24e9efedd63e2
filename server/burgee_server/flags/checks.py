"""Answers flag checks from flags and profiles in memory; what is not there yet is read first."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Protocol

from burgee.evaluation import COHORT, USER, Context, Explanation, FlagSet, Properties, Resolution, cohort
from burgee_server.flags.catalog import Catalog
from burgee_server.ports.clock import Clock

SLICE = 500
"""How many answers are given before whoever waits is let in: a few milliseconds."""


class StoredProperties(Protocol):
    """Where the properties of persons and groups are read, for flag checks."""

    def peek(self, environment_id: int, group_type: str, key: str) -> Properties | None:
        """The properties if they are in memory, else None."""

    async def get(self, environment_id: int, group_type: str, key: str) -> Properties:
        """The properties as they are now; none for a profile that does not exist."""


class Memberships(Protocol):
    """Where the cohorts of persons and groups are read, for flag checks."""

    def peek(self, environment_id: int, group_type: str, key: str) -> frozenset[str] | None:
        """The keys of the cohorts that somebody is in, if they are in memory, else None."""

    async def get(self, environment_id: int, group_type: str, key: str) -> frozenset[str]:
        """The keys of the cohorts that somebody is in now."""


class Checks:
    """What the flags of an environment give a context, by the properties passed and those stored."""

    def __init__(self, catalog: Catalog, stored: StoredProperties, memberships: Memberships, clock: Clock) -> None:
        self._catalog = catalog
        self._stored = stored
        self._memberships = memberships
        self._clock = clock

    async def evaluate(self, environment_id: int, flag_key: str, context: Context) -> Resolution:
        """What one flag gives. Never raises for the flag or the context."""
        flags = self._catalog.peek(environment_id) or await self._catalog.get(environment_id)
        profiles = await self._profiles(environment_id, flags, context)
        return flags.evaluate(flag_key, context, profiles, self._clock.unix_seconds())

    async def evaluate_all(self, environment_id: int, context: Context) -> Sequence[Resolution]:
        """What every flag gives, by key."""
        flags = await self._catalog.get(environment_id)
        profiles = await self._profiles(environment_id, flags, context)
        return flags.evaluate_all(context, profiles, self._clock.unix_seconds())

    async def evaluate_many(
        self, environment_id: int, flag_keys: Sequence[str], contexts: Iterable[Context]
    ) -> AsyncIterator[Sequence[Resolution]]:
        """What these flags (none: all) give each context, from one state of the flags; others are let in between."""
        flags = await self._catalog.get(environment_id)
        now = self._clock.unix_seconds()
        answered = 0
        for context in contexts:
            profiles = await self._profiles(environment_id, flags, context)
            given: Sequence[Resolution]
            if flag_keys:
                given = [flags.evaluate(key, context, profiles, now) for key in flag_keys]
            else:
                given = flags.evaluate_all(context, profiles, now)
            yield given
            answered += len(given)
            if answered >= SLICE:
                answered = 0
                await asyncio.sleep(0)

    async def count(self, environment_id: int) -> int:
        """How many flags answer when none are named."""
        flags = await self._catalog.get(environment_id)
        return sum(not flag.archived for flag in flags.flags.values())

    async def explain(self, environment_id: int, flag_key: str, context: Context) -> Explanation:
        """Why one flag gives what it gives."""
        flags = await self._catalog.get(environment_id)
        profiles = await self._profiles(environment_id, flags, context)
        return flags.explain(flag_key, context, profiles, self._clock.unix_seconds())

    async def _profiles(
        self, environment_id: int, flags: FlagSet, context: Context
    ) -> dict[tuple[str, str], Properties]:
        """What is stored that the flags may ask for: properties, and the cohorts that the context is in."""
        found: dict[tuple[str, str], Properties] = {}
        for group_type, key in named(context, flags.profile_types):
            properties = self._stored.peek(environment_id, group_type, key)
            if properties is None:
                properties = await self._stored.get(environment_id, group_type, key)
            found[group_type, key] = properties
        for group_type, key in named(context, flags.cohort_types):
            cohort_keys = self._memberships.peek(environment_id, group_type, key)
            if cohort_keys is None:
                cohort_keys = await self._memberships.get(environment_id, group_type, key)
            for cohort_key in cohort_keys:
                found[COHORT, cohort_key] = cohort([key])
        return found


def named(context: Context, types: Collection[str]) -> list[tuple[str, str]]:
    """Who of these types, `user` and group types, a context names."""
    keys = context.groups
    found = [(group_type, keys[group_type]) for group_type in types if group_type in keys]
    if USER in types and context.distinct_id:
        found.append((USER, context.distinct_id))
    return found
