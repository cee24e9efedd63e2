"""What is stored of those whom a context names, as flag checks need it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from burgee.evaluation import (
    COHORT,
    USER,
    Context,
    FlagSet,
    Profiles,
    Properties,
    cohort,
    completed,
    on_the_way,
    parent_groups,
)
from burgee_server.errors import Unavailable


class StoredProperties(Protocol):
    """Where the properties of persons and groups are read."""

    def peek(self, environment_id: int, group_type: str, key: str) -> Properties | None:
        """The properties if they are in memory, else None. The same object until they change."""

    async def get(self, environment_id: int, group_type: str, key: str) -> Properties:
        """The properties as they are now; none for a profile that does not exist."""


class StoredMemberships(Protocol):
    """Where it is read which cohorts persons and groups are in."""

    def peek(self, environment_id: int, group_type: str, key: str) -> frozenset[str] | None:
        """The keys of the cohorts if they are in memory, else None. The same object until they change."""

    async def get(self, environment_id: int, group_type: str, key: str) -> frozenset[str]:
        """The keys of the cohorts that somebody is in now."""


@dataclass(slots=True)
class Known:
    """What memory had of somebody and of the groups above, by type and key, and all of it as the core is handed it."""

    properties: Mapping[tuple[str, str], Properties]
    memberships: Mapping[tuple[str, str], frozenset[str]]
    profiles: Profiles


class Stored:
    """Reads from memory, and what is not there yet from where memory has it."""

    def __init__(self, properties: StoredProperties, memberships: StoredMemberships) -> None:
        self._properties = properties
        self._memberships = memberships

    def peek(self, environment_id: int, flags: FlagSet, context: Context) -> Known | None:
        """What the flags may ask of those whom the context names, and of those above; None unless all is in memory."""
        properties: dict[tuple[str, str], Properties] = {}
        peek = self._properties.peek
        if flags.links:
            for group_type, key in on_the_way(context, flags.links, properties):
                if (found := peek(environment_id, group_type, key)) is None:
                    return None
                properties[group_type, key] = found
            context = completed(context, parent_groups(context, flags.links, properties))
        for identity in named(context, flags.profile_types):
            if (found := peek(environment_id, *identity)) is None:
                return None
            properties[identity] = found
        if not flags.cohort_types:
            return Known(properties, {}, properties)
        memberships: dict[tuple[str, str], frozenset[str]] = {}
        for identity in named(context, flags.cohort_types):
            cohort_keys = self._memberships.peek(environment_id, *identity)
            if cohort_keys is None:
                return None
            memberships[identity] = cohort_keys
        return Known(properties, memberships, {**properties, **cohorts_of(memberships)})

    async def read(self, environment_id: int, flags: FlagSet, context: Context) -> Known:
        """What the flags may ask of those whom the context names, and of the groups above them.

        What cannot be read now is left out, and Unavailable is raised when it is asked for: a flag that does not depend
        on it gives what it always gives, and one that does is never guessed at.
        """
        properties: dict[tuple[str, str], Properties] = {}
        memberships: dict[tuple[str, str], frozenset[str]] = {}
        unread: dict[tuple[str, str], Unavailable] = {}

        async def read(identity: tuple[str, str]) -> None:
            found = self._properties.peek(environment_id, *identity)
            if found is None:
                try:
                    found = await self._properties.get(environment_id, *identity)
                except Unavailable as error:
                    unread[identity] = error
                    return
            properties[identity] = found

        for identity in on_the_way(context, flags.links, properties):
            await read(identity)
        context = completed(context, parent_groups(context, flags.links, properties))
        for identity in named(context, flags.profile_types):
            if identity not in properties:
                await read(identity)
        for identity in named(context, flags.cohort_types) if flags.cohort_types else ():
            cohort_keys = self._memberships.peek(environment_id, *identity)
            if cohort_keys is None:
                try:
                    cohort_keys = await self._memberships.get(environment_id, *identity)
                except Unavailable as error:
                    unread[COHORT, ""] = error
                    continue
            memberships[identity] = cohort_keys
        profiles: Profiles = {**properties, **cohorts_of(memberships)} if memberships else properties
        return Known(properties, memberships, _Partial(profiles, unread) if unread else profiles)

    def has(self, environment_id: int, known: Known) -> bool:
        """Whether memory still has the very objects: what changed since has been put in their place."""
        for (group_type, key), properties in known.properties.items():
            if self._properties.peek(environment_id, group_type, key) is not properties:
                return False
        for (group_type, key), cohort_keys in known.memberships.items():
            if self._memberships.peek(environment_id, group_type, key) is not cohort_keys:
                return False
        return True


class _Partial(dict[tuple[str, str], Properties]):
    """Profiles of which some could not be read: whoever asks for one of those is told why."""

    def __init__(self, profiles: Profiles, unread: Mapping[tuple[str, str], Unavailable]) -> None:
        super().__init__(profiles)
        self._unread = unread

    def get(self, identity: tuple[str, str], default: Any = None, /) -> Any:
        """As of any mapping. Raises Unavailable."""
        group_type, _ = identity
        error = self._unread.get((COHORT, "") if group_type == COHORT else identity)
        if error is not None:
            raise error
        return super().get(identity, default)


def named(context: Context, types: Collection[str]) -> list[tuple[str, str]]:
    """Who of these types, `user` and group types, a context names."""
    keys, found = context.groups, []
    for group_type in types:  # at every check: a comprehension, or to look for each twice, would take longer
        if (key := keys.get(group_type)) is not None:
            found.append((group_type, key))
    if USER in types and context.distinct_id:
        found.append((USER, context.distinct_id))
    return found


def cohorts_of(memberships: Mapping[tuple[str, str], Collection[str]]) -> Profiles:
    """The cohorts that somebody is in, with them as their only members."""
    return {
        (COHORT, cohort_key): cohort([key])
        for (_, key), cohort_keys in memberships.items()
        for cohort_key in cohort_keys
    }
