"""Reads what flags mention, for those who evaluate elsewhere: as a whole, or not at all where that is too much."""

import logging
from collections.abc import Collection

from burgee.evaluation import Properties
from burgee_server.errors import NotFound
from burgee_server.flags.contents import only, stored_part
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.profiles import ProfileStore

log = logging.getLogger(__name__)

_GROUPS = 2_000
_MEMBERS = 5_000


class Reader:
    """Reads one environment. At most `most` groups of a type, and members of a cohort, are read as a whole."""

    def __init__(self, environment_id: int, profiles: ProfileStore, cohorts: CohortStore, most: int) -> None:
        self.most = most
        self._environment_id = environment_id
        self._profiles = profiles
        self._cohorts = cohorts

    async def groups(self, group_type: str, names: Collection[str]) -> dict[str, bytes] | None:
        """The parts about all groups of a type that have any of these properties. None: too many."""
        parts: dict[str, bytes] = {}
        after = ""
        while True:
            page = await self._profiles.page(self._environment_id, group_type, after=after, limit=_GROUPS)
            for profile in page:
                if stored := only(names, profile.properties):
                    parts[profile.key] = stored_part(group_type, profile.key, stored)
            if len(parts) > self.most:
                log.info("environment %d: too many groups of type %s to carry", self._environment_id, group_type)
                return None
            if len(page) < _GROUPS:
                return parts
            after = page[-1].key

    async def group(self, group_type: str, key: str, names: Collection[str]) -> Properties:
        """These properties of one group."""
        profile = await self._profiles.get(self._environment_id, group_type, key)
        return {} if profile is None else only(names, profile.properties)

    async def cohort(self, cohort_key: str) -> set[str] | None:
        """All members of a cohort; none of one that does not exist. None: too many."""
        try:
            if (await self._cohorts.get(self._environment_id, cohort_key)).member_count > self.most:
                return None
            members: set[str] = set()
            after = ""
            while page := await self._cohorts.members(self._environment_id, cohort_key, after=after, limit=_MEMBERS):
                members.update(member.key for member in page)
                after = page[-1].key
        except NotFound:
            return set()
        return members

    async def members(self, cohort_key: str, keys: Collection[str]) -> frozenset[str]:
        """Who of these is in a cohort."""
        return (await self._cohorts.held(self._environment_id, [cohort_key], keys))[cohort_key]
