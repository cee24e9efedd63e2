"""The group types of each environment. A new one appears by being used."""

from collections.abc import Sequence

from burgee_server.errors import Invalid
from burgee_server.names import MAX_GROUP_TYPES
from burgee_server.ports.clock import Clock
from burgee_server.ports.profiles import GroupType, ProfileStore

SHOWN = 10


class GroupTypes:
    """Knows the types without asking the store twice, as they are never taken away.

    Those that are new come by here or on another node: before anybody is told that there is no such type, the store is
    asked again. Nodes that each come upon new ones may together go a little over the limit.
    """

    def __init__(self, store: ProfileStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[int, frozenset[str]] = {}

    async def remember(self, environment_id: int, names: frozenset[str]) -> None:
        """Keep the types that are new. Raises Invalid beyond MAX_GROUP_TYPES."""
        known = await self.known(environment_id)
        if names <= known:
            return
        if len(known | names) > MAX_GROUP_TYPES:
            raise Invalid.of("group_type", f"an environment has at most {MAX_GROUP_TYPES:,} group types")
        await self._store.add_group_types(environment_id, names, self._clock.now())
        self._known.pop(environment_id, None)

    async def known(self, environment_id: int) -> frozenset[str]:
        """The names of all types of an environment."""
        if environment_id not in self._known:
            self._known[environment_id] = frozenset(known.name for known in await self.all(environment_id))
        return self._known[environment_id]

    async def all(self, environment_id: int) -> Sequence[GroupType]:
        """All types of an environment, by name."""
        return await self._store.group_types(environment_id)

    async def require(self, environment_id: int, field: str, name: str) -> None:
        """Raise Invalid, naming the types there are, if nothing was ever recorded under this one."""
        known = await self.known(environment_id)
        if name not in known:
            self._known.pop(environment_id, None)
            known = await self.known(environment_id)
        if name not in known:
            there_are = ", ".join(sorted(known)[:SHOWN]) or "none yet"
            raise Invalid.of(field, f"unknown group type {name!r}; this environment has: {there_are}")
