"""What was asked for last, in memory: for flag checks, which cannot wait for a store each time."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

V = TypeVar("V")

Identity: TypeAlias = tuple[int, str, str]
"""Environment, `user` or group type, key."""


class Recent(Generic[V]):
    """What `read` says of the `capacity` persons and groups asked for last, over all environments.

    A change is seen by the next check: `forget` drops the copy, and a read that was under way meanwhile is not kept.
    """

    def __init__(self, read: Callable[[int, str, str], Awaitable[V]], capacity: int) -> None:
        self._read = read
        self.capacity = capacity
        self._kept: OrderedDict[Identity, V] = OrderedDict()
        self._changes = 0

    @property
    def size(self) -> int:
        """How many are in memory."""
        return len(self._kept)

    def peek(self, environment_id: int, group_type: str, key: str) -> V | None:
        """What is in memory, else None. Never waits."""
        identity = (environment_id, group_type, key)
        value = self._kept.get(identity)
        if value is not None:
            self._kept.move_to_end(identity)
        return value

    async def get(self, environment_id: int, group_type: str, key: str) -> V:
        """What is so now."""
        value = self.peek(environment_id, group_type, key)
        if value is not None:
            return value
        changes = self._changes
        value = await self._read(environment_id, group_type, key)
        if changes == self._changes:
            self._kept[environment_id, group_type, key] = value
            if len(self._kept) > self.capacity:
                self._kept.popitem(last=False)
        return value

    def drop(self, environment_id: int, group_type: str, key: str) -> None:
        """Something about one of them changed."""
        self._changes += 1
        self._kept.pop((environment_id, group_type, key), None)

    def drop_type(self, environment_id: int, group_type: str) -> None:
        """Something about any of a type may have changed."""
        self._changes += 1
        for identity in [each for each in self._kept if each[:2] == (environment_id, group_type)]:
            del self._kept[identity]
