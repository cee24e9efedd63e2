"""What flags would have given in the past, by the flags, the properties and the cohorts of then."""

from datetime import datetime

from burgee.evaluation import Context, Explanation, Flag, FlagSet, Properties, completed, on_the_way, parent_groups
from burgee_server.errors import Invalid
from burgee_server.flags.stored import cohorts_of, named
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.flags import FlagStore
from burgee_server.ports.hierarchy import HierarchyStore
from burgee_server.ports.profiles import ProfileStore


class Past:
    """Reads one environment's flags, profiles and cohorts as they were; nothing of it is kept in memory."""

    def __init__(
        self,
        flags: FlagStore,
        profiles: ProfileStore,
        hierarchy: HierarchyStore,
        cohorts: CohortStore,
        clock: Clock,
    ) -> None:
        self._flags = flags
        self._profiles = profiles
        self._hierarchy = hierarchy
        self._cohorts = cohorts
        self._clock = clock

    async def explain(self, environment_id: int, flag_key: str, context: Context, as_of: datetime) -> Explanation:
        """What a flag would have given at a moment, and why. Raises Invalid for the future.

        A flag that was not there yet gives FLAG_NOT_FOUND, as it did then.
        """
        if as_of > self._clock.now():
            raise Invalid.of("as_of", "must not be in the future: flags and properties may still change")
        flags = FlagSet(
            await self._with_prerequisites(environment_id, flag_key, as_of),
            await self._hierarchy.parent_types(environment_id, as_of),
        )
        profiles: dict[tuple[str, str], Properties] = {}

        async def read(identity: tuple[str, str]) -> None:
            profile = await self._profiles.at(environment_id, *identity, as_of)
            if profile is not None:
                profiles[identity] = profile.properties

        for identity in on_the_way(context, flags.links, profiles):
            await read(identity)
        whole = completed(context, parent_groups(context, flags.links, profiles))
        for identity in named(whole, flags.profile_types):
            if identity not in profiles:
                await read(identity)
        memberships = {
            (group_type, key): await self._cohorts.containing(environment_id, group_type, key, as_of)
            for group_type, key in named(whole, flags.cohort_types)
        }
        profiles |= cohorts_of(memberships)
        return flags.explain(flag_key, context, profiles, as_of.timestamp())

    async def _with_prerequisites(self, environment_id: int, flag_key: str, as_of: datetime) -> list[Flag]:
        """The flag and all that it needed, as they were; each step along the chain is one read."""
        found: list[Flag] = []
        asked: set[str] = set()
        wanted = {flag_key}
        while wanted:
            asked |= wanted
            flags = await self._flags.at(environment_id, frozenset(wanted), as_of)
            found += flags
            wanted = {needed.flag_key for flag in flags for needed in flag.prerequisites} - asked
        return found
