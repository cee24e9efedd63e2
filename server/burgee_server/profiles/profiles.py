"""Changes profiles and lists them, together with when they were seen in events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from burgee.evaluation.model import USER, Properties
from burgee_server.errors import NotFound
from burgee_server.names import group_type_fault, name_fault, require
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.profiles import Profile, ProfileStore, PropertyChange
from burgee_server.ports.warehouse import Activity, Warehouse
from burgee_server.profiles.group_types import GroupTypes
from burgee_server.profiles.properties import check_change


@dataclass(frozen=True, slots=True)
class SeenProfile:
    """A profile and the times of its first and latest event, if there is any."""

    key: str
    properties: Properties
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None


class Profiles:
    """Persons (the type "user") and groups of one store, seen through one warehouse."""

    def __init__(
        self, store: ProfileStore, group_types: GroupTypes, warehouse: Warehouse, feed: ChangeFeed, clock: Clock
    ) -> None:
        self._store = store
        self._group_types = group_types
        self._warehouse = warehouse
        self._feed = feed
        self._clock = clock

    async def identify_person(self, environment_id: int, distinct_id: str, change: PropertyChange) -> Profile:
        """Change a person's properties. Raises Invalid."""
        require("distinct_id", name_fault(distinct_id))
        return await self._change(environment_id, USER, distinct_id, change)

    async def identify_group(
        self, environment_id: int, group_type: str, group_key: str, change: PropertyChange
    ) -> Profile:
        """Change a group's properties. Raises Invalid."""
        require("group_type", group_type_fault(group_type))
        require("group_key", name_fault(group_key))
        await self._group_types.remember(environment_id, frozenset({group_type}))
        return await self._change(environment_id, group_type, group_key, change)

    async def get(self, environment_id: int, group_type: str, key: str) -> SeenProfile:
        """One person or group. Raises NotFound if it was never identified and never seen in an event."""
        profile = await self._store.get(environment_id, group_type, key)
        activity = (await self._warehouse.activity(environment_id, group_type, [key])).get(key)
        if profile is None and activity is None:
            kind = "person" if group_type == USER else group_type
            raise NotFound(f"no {kind} {key!r}: never identified, and never seen in an event")
        return _seen(key, profile, activity)

    async def page(self, environment_id: int, group_type: str, *, after: str, limit: int) -> Sequence[SeenProfile]:
        """Persons or groups, identified or seen, in byte order of their keys, beginning after the key `after`."""
        stored = {p.key: p for p in await self._store.page(environment_id, group_type, after=after, limit=limit)}
        seen = {a.key: a for a in await self._warehouse.seen(environment_id, group_type, after, limit)}
        keys = sorted(stored.keys() | seen.keys(), key=str.encode)[:limit]
        # A key may lie beyond the end of the other side's page only if that page was full, and so beyond `keys` too;
        # but a stored profile says nothing of its activity, which is why that is asked for by key.
        unseen = [key for key in keys if key not in seen]
        seen |= await self._warehouse.activity(environment_id, group_type, unseen) if unseen else {}
        return [_seen(key, stored.get(key), seen.get(key)) for key in keys]

    async def _change(self, environment_id: int, group_type: str, key: str, change: PropertyChange) -> Profile:
        check_change(change)
        profile = await self._store.change(environment_id, group_type, key, change, self._clock.now())
        await self._feed.publish(Change(Kind.PROFILE, environment_id, (group_type, key)))
        return profile


def _seen(key: str, profile: Profile | None, activity: Activity | None) -> SeenProfile:
    properties = {} if profile is None else profile.properties
    if activity is None:
        return SeenProfile(key, properties)
    return SeenProfile(key, properties, activity.first_seen_at, activity.last_seen_at)
