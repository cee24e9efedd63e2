"""Every environment's flags, compiled and in memory."""

import asyncio

from burgee.evaluation import FlagSet
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.flags import FlagStore


class Catalog:
    """Reads an environment's flags at first use and again after each change: a change is seen by the next check."""

    def __init__(self, store: FlagStore) -> None:
        self._store = store
        self._kept: dict[int, FlagSet] = {}
        self._reading: dict[int, asyncio.Lock] = {}

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.FLAGS:
            self._kept.pop(change.environment_id, None)
            self._reading.pop(change.environment_id, None)

    def peek(self, environment_id: int) -> FlagSet | None:
        """The flags if they are in memory, else None. Never waits."""
        return self._kept.get(environment_id)

    async def get(self, environment_id: int) -> FlagSet:
        """The flags as they are now."""
        while (flags := self._kept.get(environment_id)) is None:
            reading = self._reading.setdefault(environment_id, asyncio.Lock())
            async with reading:
                if environment_id in self._kept:
                    continue
                flags = FlagSet(await self._store.all(environment_id))
                # A change while we read has dropped the lock, too: then what we read may be old, and is not kept.
                if self._reading.get(environment_id) is reading:
                    self._kept[environment_id] = flags
        return flags
