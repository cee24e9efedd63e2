"""Splitting an answer by the values of attributes."""

import json
from dataclasses import dataclass

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.attributes import COHORT, EVENT, Attribute, is_cohort, own_property, parse_attribute
from burgee_server.insights.sql.cohorts import members
from burgee_server.insights.sql.keysets import among
from burgee_server.insights.sql.scope import Scope, profile_key
from burgee_server.insights.sql.variants import holder, is_variant, variants
from burgee_server.insights.words import AsOf, Breakdown, Part, PartKind

MAX_ATTRIBUTES = 3
DEFAULT_LIMIT = 10
MAX_LIMIT = 1000

IN, NOT_IN = "in", "not in"
"""The values of an attribute that asks for a cohort."""

# How the parts are numbered in SQL.
KINDS = (PartKind.VALUE, PartKind.MISSING, PartKind.OTHER)


@dataclass(frozen=True, slots=True)
class Split:
    """A checked breakdown: by which attributes, and how many of their combinations are shown."""

    attributes: tuple[Attribute, ...]
    limit: int
    properties_as_of: AsOf = AsOf.NOW

    def column(self, scope: Scope) -> str:
        """What events() must select `AS split`: what values() makes the value of."""
        columns = [_column(scope, attribute, self.properties_as_of) for attribute in self.attributes]
        return columns[0] if len(columns) == 1 else f"tuple({', '.join(columns)})"

    @property
    def is_text(self) -> bool:
        """Whether column() is a text or NULL."""
        return len(self.attributes) == 1 and self.is_of_now

    @property
    def is_of_now(self) -> bool:
        """Whether column() is the same for all events of the same users, groups and properties."""
        return not any(_is_held(attribute, self.properties_as_of) for attribute in self.attributes)

    @property
    def is_of_groups(self) -> bool:
        """Whether it goes by groups alone: there are far fewer of them than users, or values of some properties."""
        return not any(attribute.owner in (USER, EVENT) for attribute in self.attributes)

    def values(self, scope: Scope, events: str) -> str:
        """A source like `events`, with the value in `split` as text, NULL if missing; a combination as a JSON list."""
        source, joined, values = f"({events})", list[str](), list[str]()
        for number, attribute in enumerate(self.attributes, 1):
            of_event = "split" if len(self.attributes) == 1 else f"tupleElement(split, {number})"
            if attribute.owner == EVENT or not attribute.name:
                values.append(of_event)
                continue
            if is_cohort(attribute):
                values.append(_membership(scope, attribute, of_event, f"breakdown.attributes[{number - 1}]"))
                continue
            join = _join(scope, attribute, self.properties_as_of, of_event)
            source = f"(SELECT events.*, profiles.value AS value{number} FROM {source} AS events {join})"
            joined.append(f"value{number}")
            values.append(f"value{number}")
        if values == ["split"]:
            return source
        value = values[0] if len(values) == 1 else _combined(values)
        return f"(SELECT * EXCEPT ({', '.join(['split', *joined])}), {value} AS split FROM {source})"

    def part(self, kind: int, value: str) -> Part:
        """The part that a row of SQL stands for."""
        if kind != 0 or len(self.attributes) == 1:
            return Part(KINDS[kind], value)
        return Part(PartKind.COMBINATION, values=tuple(_of_combination(each) for each in json.loads(value)))


def check_breakdown(breakdown: Breakdown | None, asked: Asked) -> Split | None:
    """Raises Invalid for breakdown.attributes and breakdown.limit."""
    if breakdown is None:
        return None
    if breakdown.limit > MAX_LIMIT:
        raise Invalid.of("breakdown.limit", f"must be at most {MAX_LIMIT}")
    if not 1 <= len(breakdown.attributes) <= MAX_ATTRIBUTES:
        raise Invalid.of("breakdown.attributes", f"must be 1 to {MAX_ATTRIBUTES} attributes")
    attributes = tuple(
        parse_attribute(text, asked.terms.group_types, f"breakdown.attributes[{index}]")
        for index, text in enumerate(breakdown.attributes)
    )
    return Split(attributes, breakdown.limit or DEFAULT_LIMIT, asked.terms.properties_as_of)


def _column(scope: Scope, attribute: Attribute, properties_as_of: AsOf) -> str:
    """Of an event: the value, or who has it, and when if that matters; NULL if missing."""
    if attribute.owner == EVENT:
        return scope.value(attribute.name).rendered
    if _is_held(attribute, properties_as_of):
        return holder(scope, attribute)
    return scope.event_key(attribute.owner).rendered


def _is_held(attribute: Attribute, properties_as_of: AsOf) -> bool:
    """Whether it matters when somebody had it."""
    if attribute.owner == EVENT:
        return False
    is_of_then = attribute.name and not is_cohort(attribute) and properties_as_of is AsOf.EVENT
    return is_variant(attribute) or bool(is_of_then)


def _membership(scope: Scope, attribute: Attribute, key: str, path: str) -> str:
    """Whether the user or group is in a cohort now; NULL if the event names none."""
    keys = members(scope, attribute.owner, attribute.name.removeprefix(COHORT), path)
    is_member = among(f"ifNull({key}, '')", keys)
    return f"if(isNull({key}), NULL, if({is_member}, '{IN}', '{NOT_IN}'))"


def _join(scope: Scope, attribute: Attribute, properties_as_of: AsOf, of_event: str) -> str:
    """A join with what the user or group has now, or had at the time of the event."""
    value = own_property(attribute.name).rendered
    if is_variant(attribute):
        of_moments = variants(scope, attribute)
    elif properties_as_of is AsOf.EVENT:
        of_moments = scope.profile_versions(attribute.owner, value, "value")
    else:
        now = scope.profiles(attribute.owner, [f"{profile_key(attribute.owner)} AS profile_key", f"{value} AS value"])
        return f"LEFT ANY JOIN ({now}) AS profiles ON {of_event} = profiles.profile_key"
    return (
        f"ASOF LEFT JOIN ({of_moments}) AS profiles ON tupleElement({of_event}, 1) = profiles.profile_key"
        f" AND tupleElement({of_event}, 2) >= profiles.at"
    )


def _combined(values: list[str]) -> str:
    nothing = " AND ".join(f"isNull({value})" for value in values)
    return f"if({nothing}, NULL, toJSONString([{', '.join(f'toNullable({value})' for value in values)}]))"


def _of_combination(value: str | None) -> Part:
    return Part(PartKind.MISSING) if value is None else Part(PartKind.VALUE, value)
