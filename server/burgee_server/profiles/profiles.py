"""Changes profiles and lists them, together with when they were seen in events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from burgee.evaluation import USER, Properties
from burgee_server.errors import Invalid, NotFound
from burgee_server.names import group_type_fault, name_fault, require
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.profiles import Profile, ProfileStore, PropertyChange, same
from burgee_server.ports.warehouse import Activity, Warehouse
from burgee_server.profiles.group_types import GroupTypes
from burgee_server.profiles.hierarchy import Hierarchy, check_named_parent, parent_of
from burgee_server.profiles.properties import check_change


@dataclass(frozen=True, slots=True)
class SeenProfile:
    """A profile and the times of its first and latest event, if there is any."""

    key: str
    properties: Properties
    aliases: Sequence[str] = ()
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None


class Profiles:
    """Persons (the type "user") and groups of one store, seen through one warehouse."""

    def __init__(
        self,
        store: ProfileStore,
        group_types: GroupTypes,
        hierarchy: Hierarchy,
        warehouse: Warehouse,
        feed: ChangeFeed,
        clock: Clock,
    ) -> None:
        self._store = store
        self._group_types = group_types
        self._hierarchy = hierarchy
        self._warehouse = warehouse
        self._feed = feed
        self._clock = clock

    async def identify_person(self, environment_id: int, distinct_id: str, change: PropertyChange) -> Profile:
        """Change a person's properties. Raises Invalid."""
        require("distinct_id", name_fault(distinct_id))
        return await self._change(environment_id, USER, distinct_id, change)

    async def alias_person(self, environment_id: int, distinct_id: str, alias: str) -> Profile:
        """Make two ids one person. Raises Invalid."""
        require("distinct_id", name_fault(distinct_id))
        require("alias", name_fault(alias))
        profile = await self._store.merge(environment_id, distinct_id, alias, self._clock.now())
        await self._publish(environment_id, profile)
        return profile

    async def ids(self, environment_id: int, distinct_id: str) -> Sequence[str]:
        """All ids of the person that has this one."""
        aliases = await self._store.aliases(environment_id, [distinct_id])
        return sorted({distinct_id, *aliases, *aliases.values()}, key=str.encode)

    async def identify_group(
        self,
        environment_id: int,
        group_type: str,
        group_key: str,
        change: PropertyChange,
        parent: tuple[str, str] | None,
        actor: str,
    ) -> Profile:
        """Change a group's properties, and, if given, the type and key of the group that it belongs to. Raises Invalid.

        A parent that is named appears if new, and the first one says to which type those of this one belong. What is
        refused changes nothing: all that can be said against the profile is said before the type is written, and a type
        that another node gave another parent meanwhile is refused before the profile is.
        """
        require("group_type", group_type_fault(group_type))
        require("group_key", name_fault(group_key))
        if parent is None:
            parent_type = (await self._hierarchy.known(environment_id)).get(group_type)
        else:
            parent_type = parent[0]
            change = await self._hierarchy.with_parent(environment_id, group_type, parent, change)
        if parent_type not in change.set and parent_type not in change.set_once:
            parent_type = None
        if parent_type is not None:
            check_named_parent(change, parent_type)
        unchanged = await self._unchanged(environment_id, group_type, group_key, change)
        await self._group_types.remember(environment_id, frozenset({group_type}))
        if parent is not None:
            await self._hierarchy.name_parent_type(environment_id, group_type, parent[0], actor)
        profile = unchanged or await self._write(environment_id, group_type, group_key, change)
        if parent_type is not None:
            parent_key = parent_of(profile.properties, parent_type)
            if parent_key is not None and not name_fault(parent_key):  # it may be older than what it belongs to
                await self._change(environment_id, parent_type, parent_key, PropertyChange())
        return profile

    async def children(
        self, environment_id: int, group_type: str, parent_key: str, *, after: str, limit: int
    ) -> Sequence[SeenProfile]:
        """The groups of a type that belong to the group with this key, as page() has them. Raises Invalid."""
        parent_type = (await self._hierarchy.known(environment_id)).get(group_type)
        if parent_type is None:
            raise Invalid.of("parent_key", f"a {group_type} belongs to nothing: UpdateGroupType says to what it does")
        having = (parent_type, parent_key)
        stored = await self._store.page(environment_id, group_type, after=after, limit=limit, having=having)
        seen = await self._warehouse.activity(environment_id, group_type, [profile.key for profile in stored])
        return [_seen(profile, seen) for profile in stored]

    async def get(self, environment_id: int, group_type: str, key: str) -> SeenProfile:
        """One person, by any of the ids, or one group. Raises NotFound if it was never identified or seen."""
        stored = await self._store.get(environment_id, group_type, key)
        profile = stored or Profile(group_type, key, {})
        seen = await self._warehouse.activity(environment_id, group_type, _keys(profile))
        if stored is None and not seen:
            kind = "person" if group_type == USER else group_type
            raise NotFound(f"no {kind} {key!r}: never identified, and never seen in an event")
        return _seen(profile, seen)

    async def page(self, environment_id: int, group_type: str, *, after: str, limit: int) -> Sequence[SeenProfile]:
        """Persons or groups, identified or seen, in byte order of their keys, beginning after the key `after`."""
        found: list[SeenProfile] = []
        while len(found) < limit:
            stored = {p.key: p for p in await self._store.page(environment_id, group_type, after=after, limit=limit)}
            seen = {a.key: a for a in await self._warehouse.seen(environment_id, group_type, after, limit)}
            keys = sorted(stored.keys() | seen.keys(), key=str.encode)[:limit]
            if not keys:
                break
            after = keys[-1]
            other = await self._store.aliases(environment_id, keys) if group_type == USER else {}
            profiles = [stored.get(key) or Profile(group_type, key, {}) for key in keys if key not in other]
            # A key may lie beyond the end of the other side's page only if that page was full, and so beyond `keys`
            # too; but a stored profile says nothing of its activity, which is why that is asked for by key.
            unseen = [key for profile in profiles for key in _keys(profile) if key not in seen]
            seen |= await self._warehouse.activity(environment_id, group_type, unseen) if unseen else {}
            found += [_seen(profile, seen) for profile in profiles]
        return found[:limit]

    async def _change(self, environment_id: int, group_type: str, key: str, change: PropertyChange) -> Profile:
        unchanged = await self._unchanged(environment_id, group_type, key, change)
        return unchanged or await self._write(environment_id, group_type, key, change)

    async def _unchanged(
        self, environment_id: int, group_type: str, key: str, change: PropertyChange
    ) -> Profile | None:
        """The profile, if a change leaves it as it is: then nobody has to be told, and nobody waits for a disk.

        Raises Invalid for a change that may not be made.
        """
        check_change(change)
        known = await self._store.get(environment_id, group_type, key)
        changed = change.apply({} if known is None else known.properties)
        return known if known is not None and same(changed, known.properties) else None

    async def _write(self, environment_id: int, group_type: str, key: str, change: PropertyChange) -> Profile:
        profile = await self._store.change(environment_id, group_type, key, change, self._clock.now())
        await self._publish(environment_id, profile)
        return profile

    async def _publish(self, environment_id: int, profile: Profile) -> None:
        for key in _keys(profile):
            await self._feed.publish(Change(Kind.PROFILE, environment_id, (profile.group_type, key)))


def _keys(profile: Profile) -> list[str]:
    return [profile.key, *profile.aliases]


def _seen(profile: Profile, activity: Mapping[str, Activity]) -> SeenProfile:
    """With the first and the last time under any of the keys."""
    times = [activity[key] for key in _keys(profile) if key in activity]
    if not times:
        return SeenProfile(profile.key, profile.properties, profile.aliases)
    first, last = min(each.first_seen_at for each in times), max(each.last_seen_at for each in times)
    return SeenProfile(profile.key, profile.properties, profile.aliases, first, last)
