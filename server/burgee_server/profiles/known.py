"""Every person or group that is known, with what is known of it: for whoever has to look at all of them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from burgee.evaluation import Properties
from burgee_server.ports.profiles import ProfileStore
from burgee_server.ports.warehouse import Statement, Warehouse

PAGE = 4_000


class KnownProfiles:
    """Profiles of one store, and those that one warehouse has seen in events."""

    def __init__(self, store: ProfileStore, warehouse: Warehouse) -> None:
        self._store = store
        self._warehouse = warehouse

    async def pages(self, environment_id: int, group_type: str) -> AsyncIterator[Sequence[tuple[str, Properties]]]:
        """Everybody of a type, identified or seen in an event, once, in byte order of their keys.

        One page is read while the one before is looked at.
        """
        reading = asyncio.create_task(self._page(environment_id, group_type, ""))
        try:
            while page := await reading:
                reading = asyncio.create_task(self._page(environment_id, group_type, page[-1][0]))
                yield page
        finally:
            reading.cancel()

    async def some(self, environment_id: int, group_type: str, keys: Collection[str]) -> Mapping[str, Properties]:
        """The properties of those of these groups that were identified, by key."""
        return await self._store.some(environment_id, group_type, keys)

    async def _page(self, environment_id: int, group_type: str, after: str) -> list[tuple[str, Properties]]:
        stored, seen = await asyncio.gather(
            self._store.page(environment_id, group_type, after=after, limit=PAGE),
            self._warehouse.query(_seen(environment_id, group_type, after)),
        )
        known: dict[str, Properties] = {key: {} for (key,) in seen.rows}
        known |= {profile.key: profile.properties for profile in stored}
        # A key beyond the end of one side's page may be on the other's only if that page was full: then it is
        # beyond `PAGE` keys here, too, and comes with the next.
        return [(key, known[key]) for key in sorted(known, key=str.encode)[:PAGE]]


def _seen(environment_id: int, group_type: str, after: str) -> Statement:
    """Asks for the keys that events name, and not for the times, as Warehouse.seen does: those take longer to read."""
    return Statement(
        "SELECT DISTINCT key FROM activity WHERE environment_id = {environment_id:UInt32} AND type = {type:String}"
        " AND key > {after:String} ORDER BY key LIMIT {limit:UInt32}",
        {"environment_id": environment_id, "type": group_type, "after": after, "limit": PAGE},
    )
