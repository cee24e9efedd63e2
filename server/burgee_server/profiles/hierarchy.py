"""Which types groups belong to: a team to a company, a company to a holding."""

from collections.abc import Mapping

from burgee.evaluation import ParentTypes, Properties, parent_key
from burgee.evaluation.attributes import KEY
from burgee_server.errors import Invalid
from burgee_server.names import group_type_fault, name_fault, require
from burgee_server.ports.access import Authorship
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.hierarchy import HierarchyStore
from burgee_server.ports.profiles import PropertyChange
from burgee_server.ports.turns import Turns
from burgee_server.profiles.group_types import GroupTypes

MAX_PARENT_TYPES = 20
"""How many types of an environment may belong to others: a question by the uppermost looks at each of them."""


class Hierarchy:
    """Knows the parent types without asking the store twice. Whom a group belongs to is a property of its profile."""

    def __init__(
        self, store: HierarchyStore, group_types: GroupTypes, turns: Turns, feed: ChangeFeed, clock: Clock
    ) -> None:
        self._store = store
        self._group_types = group_types
        self._turns = turns
        self._feed = feed
        self._clock = clock
        self._known: dict[int, ParentTypes] = {}
        self._changes = 0

    def forget(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.GROUP_TYPES:
            self._changes += 1
            self._known.pop(change.environment_id, None)

    async def known(self, environment_id: int) -> ParentTypes:
        """By type, the one that its groups belong to."""
        if (known := self._known.get(environment_id)) is not None:
            return known
        changes = self._changes
        known = await self._store.parent_types(environment_id)
        if changes == self._changes:
            self._known[environment_id] = known
        return known

    async def set_parent_type(self, environment_id: int, name: str, parent_type: str, actor: str) -> None:
        """Let the groups of a type belong to those of another; empty: to none. Raises Invalid."""
        require("name", group_type_fault(name))
        if parent_type:
            require("parent_type", group_type_fault(parent_type))
        await self._change(environment_id, name, parent_type, actor)

    async def with_parent(
        self, environment_id: int, group_type: str, parent: tuple[str, str], change: PropertyChange
    ) -> PropertyChange:
        """The same change, by which a group names its parent, too. Raises Invalid where it may not; writes nothing."""
        parent_type, key = parent
        require("parent.group_type", group_type_fault(parent_type))
        require("parent.group_key", name_fault(key))
        for part, contradicts in (
            ("set", change.set.get(parent_type, key) != key),
            ("set_once", change.set_once.get(parent_type, key) != key),
            ("unset", parent_type in change.unset),
        ):
            fault = "says something else than `parent`: give one of the two" if contradicts else ""
            require(f"change.{part}.{parent_type}", fault)
        if (await self.known(environment_id)).get(group_type) != parent_type:
            parent_types = await self._store.parent_types(environment_id)
            _check(parent_types, group_type, parent_type, by_a_group=True)
        return PropertyChange({**change.set, parent_type: key}, change.set_once, change.unset)

    async def name_parent_type(self, environment_id: int, group_type: str, parent_type: str, actor: str) -> None:
        """Let a type belong to that of a parent which a group of it names. Raises Invalid if it belongs to another."""
        if (await self.known(environment_id)).get(group_type) != parent_type:
            await self._change(environment_id, group_type, parent_type, actor, by_a_group=True)

    async def _change(
        self, environment_id: int, name: str, parent_type: str, actor: str, *, by_a_group: bool = False
    ) -> None:
        """Whatever this node knew, what another may have said meanwhile is looked at: the store decides."""
        async with self._turns[environment_id]:
            known = await self._store.parent_types(environment_id)
            _check(known, name, parent_type, by_a_group=by_a_group)
            names = frozenset({name, parent_type} if parent_type else {name})
            await self._group_types.remember(environment_id, names)
            if known.get(name, "") == parent_type:
                return
            by = Authorship(actor, self._clock.now())
            await self._store.set_parent_type(environment_id, name, parent_type, by)
            await self._feed.publish(Change(Kind.GROUP_TYPES, environment_id))


def parent_of(properties: Properties, parent_type: str) -> str | None:
    """The key of the group that a group with these properties belongs to."""
    return parent_key(properties.get(parent_type)) or None


def check_named_parent(change: PropertyChange, parent_type: str) -> None:
    """Raise Invalid where a group is to name as its parent what is no key."""
    for part, values in (("set", change.set), ("set_once", change.set_once)):
        value = values.get(parent_type)
        if value is None:
            continue
        fault = name_fault(value) if isinstance(value, str) else "must be text"
        require(f"change.{part}.{parent_type}", fault and f"the key of the {parent_type} that it belongs to {fault}")


def _check(known: Mapping[str, str], name: str, parent_type: str, *, by_a_group: bool) -> None:
    """Raise Invalid where a type may not belong to another; empty: to none."""
    field = "parent.group_type" if by_a_group else "parent_type"
    if by_a_group and known.get(name, parent_type) != parent_type:
        raise Invalid.of(field, f"a {name} belongs to a {known[name]}; UpdateGroupType may change that")
    if not parent_type:
        return
    parent_types = {**known, name: parent_type}
    if len(parent_types) > MAX_PARENT_TYPES:
        raise Invalid.of(field, f"at most {MAX_PARENT_TYPES} types of an environment may belong to others")
    if parent_type == KEY:
        raise Invalid.of(field, f"a type that is named {KEY!r} can have nothing below it: that is the key of a group")
    way = [name]
    while (above := parent_types.get(way[-1])) is not None:
        if above in way:
            raise Invalid.of(field, f"goes round in a circle: {' → '.join((*way, above))}")
        way.append(above)
