"""Splitting an answer by the values of an attribute."""

from collections.abc import Collection
from dataclasses import dataclass

from burgee_server.errors import Invalid
from burgee_server.insights.sql.attributes import EVENT, Attribute, parse_attribute
from burgee_server.insights.sql.scope import Scope, event_key, own_property, profile_key
from burgee_server.insights.words import Breakdown, Part, PartKind

DEFAULT_LIMIT = 10
MAX_LIMIT = 1000

# How the parts are numbered in SQL.
KINDS = (PartKind.VALUE, PartKind.MISSING, PartKind.OTHER)


@dataclass(frozen=True, slots=True)
class Split:
    """A checked breakdown: which attribute, and how many of its values are shown."""

    attribute: Attribute
    limit: int

    def column(self) -> str:
        """What events() must select `AS split`: the value, or the key of the profile that has it; NULL if missing."""
        if self.attribute.owner == EVENT:
            return own_property(self.attribute.name).rendered
        return event_key(self.attribute.owner).rendered

    def values(self, scope: Scope, events: str) -> str:
        """A source like `events`, with the value in `split`."""
        owner, name = self.attribute.owner, self.attribute.name
        if owner == EVENT or not name:
            return f"({events})"
        key = f"{profile_key(owner)} AS profile_key"
        profiles = scope.profiles(owner, [key, f"{own_property(name).rendered} AS value"])
        return (
            f"(SELECT events.* EXCEPT split, profiles.value AS split FROM ({events}) AS events"
            f" LEFT ANY JOIN ({profiles}) AS profiles ON events.split = profiles.profile_key)"
        )


def check_breakdown(breakdown: Breakdown | None, group_types: Collection[str]) -> Split | None:
    """Raises Invalid for breakdown.attribute and breakdown.limit."""
    if breakdown is None:
        return None
    if breakdown.limit > MAX_LIMIT:
        raise Invalid.of("breakdown.limit", f"must be at most {MAX_LIMIT}")
    attribute = parse_attribute(breakdown.attribute, group_types, "breakdown.attribute")
    return Split(attribute, breakdown.limit or DEFAULT_LIMIT)


def part_of(kind: int, value: str) -> Part:
    """The part that a row of SQL stands for."""
    return Part(KINDS[kind], value)
