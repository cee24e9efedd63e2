"""What flag checks ask of the store of profiles."""

from typing import Protocol

from burgee.evaluation import Properties


class StoredProperties(Protocol):
    """Where the properties of persons and groups are read, for flag checks."""

    def peek(self, environment_id: int, group_type: str, key: str) -> Properties | None:
        """The properties if they are in memory, else None. The same object until they change."""

    async def get(self, environment_id: int, group_type: str, key: str) -> Properties:
        """The properties as they are now; none for a profile that does not exist."""
