"""Stored properties in memory, for flag checks: an environment's recently asked-for persons and groups."""

from collections import OrderedDict
from types import MappingProxyType

from burgee.evaluation.model import Properties
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.profiles import ProfileStore

_NOTHING: Properties = MappingProxyType({})


class ProfileCache:
    """The `capacity` profiles asked for last, over all environments; those that do not exist are remembered too.

    A change is seen by the next check: `forget` drops the copy, and a read that was under way meanwhile is not kept.
    """

    def __init__(self, store: ProfileStore, capacity: int) -> None:
        self._store = store
        self._capacity = capacity
        self._kept: OrderedDict[tuple[int, str, str], Properties] = OrderedDict()
        self._changes = 0

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.PROFILE:
            group_type, key = change.subject
            self._changes += 1
            self._kept.pop((change.environment_id, group_type, key), None)

    def peek(self, environment_id: int, group_type: str, key: str) -> Properties | None:
        """The properties if they are in memory, else None. Never waits."""
        identity = (environment_id, group_type, key)
        properties = self._kept.get(identity)
        if properties is not None:
            self._kept.move_to_end(identity)
        return properties

    async def get(self, environment_id: int, group_type: str, key: str) -> Properties:
        """The properties as they are now; none for a profile that does not exist."""
        properties = self.peek(environment_id, group_type, key)
        if properties is not None:
            return properties
        changes = self._changes
        profile = await self._store.get(environment_id, group_type, key)
        properties = _NOTHING if profile is None else profile.properties
        if changes == self._changes:
            self._kept[environment_id, group_type, key] = properties
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return properties
