"""Stored properties in memory, for flag checks."""

from types import MappingProxyType

from burgee.evaluation.model import Properties
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.profiles import ProfileStore
from burgee_server.recent import Recent

_NOTHING: Properties = MappingProxyType({})


class ProfileCache(Recent[Properties]):
    """The properties of persons and groups; those that do not exist have none, and are remembered too."""

    def __init__(self, store: ProfileStore, capacity: int) -> None:
        async def read(environment_id: int, group_type: str, key: str) -> Properties:
            profile = await store.get(environment_id, group_type, key)
            return _NOTHING if profile is None else profile.properties

        super().__init__(read, capacity)

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.PROFILE:
            group_type, *keys = change.subject
            for key in keys:
                self.drop(change.environment_id, group_type, key)
            if not keys:
                self.drop_type(change.environment_id, group_type)
