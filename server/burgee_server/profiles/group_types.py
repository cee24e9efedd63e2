"""The group types of each environment. A new one appears by being used."""

from collections.abc import Sequence

from burgee_server.errors import Invalid
from burgee_server.ports.clock import Clock
from burgee_server.ports.profiles import GroupType, ProfileStore


class GroupTypes:
    """Knows the types without asking the store twice: they are never taken away."""

    def __init__(self, store: ProfileStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[int, frozenset[str]] = {}

    async def remember(self, environment_id: int, names: frozenset[str]) -> None:
        """Keep the types that are new."""
        if names <= self._known.get(environment_id, frozenset()):
            return
        await self._store.add_group_types(environment_id, names, self._clock.now())
        self._known[environment_id] = self._known.get(environment_id, frozenset()) | names

    async def known(self, environment_id: int) -> frozenset[str]:
        """The names of all types of an environment."""
        return frozenset(group_type.name for group_type in await self.all(environment_id))

    async def all(self, environment_id: int) -> Sequence[GroupType]:
        """All types of an environment, by name."""
        return await self._store.group_types(environment_id)

    async def require(self, environment_id: int, field: str, name: str) -> None:
        """Raise Invalid, naming the types there are, if nothing was ever recorded under this one."""
        if name in self._known.get(environment_id, frozenset()):
            return
        known = await self.known(environment_id)
        self._known[environment_id] = known
        if name not in known:
            there_are = ", ".join(sorted(known)) or "none yet"
            raise Invalid.of(field, f"unknown group type {name!r}; this environment has: {there_are}")
