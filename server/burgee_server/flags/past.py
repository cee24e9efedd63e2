"""What flags would have given in the past, by the flags and the properties of then."""

from datetime import datetime

from burgee.evaluation import USER, Context, Explanation, Flag, FlagSet, Properties
from burgee_server.errors import Invalid
from burgee_server.ports.clock import Clock
from burgee_server.ports.flags import FlagStore
from burgee_server.ports.profiles import ProfileStore


class Past:
    """Reads one environment's flags and profiles as they were; nothing of it is kept in memory."""

    def __init__(self, flags: FlagStore, profiles: ProfileStore, clock: Clock) -> None:
        self._flags = flags
        self._profiles = profiles
        self._clock = clock

    async def explain(self, environment_id: int, flag_key: str, context: Context, as_of: datetime) -> Explanation:
        """What a flag would have given at a moment, and why. Raises Invalid for the future.

        A flag that was not there yet gives FLAG_NOT_FOUND, as it did then.
        """
        if as_of > self._clock.now():
            raise Invalid.of("as_of", "must not be in the future: flags and properties may still change")
        flags = FlagSet(await self._with_prerequisites(environment_id, flag_key, as_of))
        wanted = {(group_type, key) for group_type, key in context.groups.items() if group_type in flags.profile_types}
        if context.distinct_id and USER in flags.profile_types:
            wanted.add((USER, context.distinct_id))
        profiles: dict[tuple[str, str], Properties] = {}
        for group_type, key in wanted:
            profile = await self._profiles.at(environment_id, group_type, key, as_of)
            if profile is not None:
                profiles[group_type, key] = profile.properties
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
