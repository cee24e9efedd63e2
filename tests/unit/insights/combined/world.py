"""One environment in plain Python: what happened, who is who, what was named; and what a question sees of it.

Written to be read: what the SQL is held against where features meet.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from burgee.evaluation import USER, AllOf, AnyOf, Condition, Context, Filter, Not, completed, links_of, parent_groups
from burgee.evaluation.operators import COHORTS, EQUALITIES, NEGATIVE, test_of
from burgee_server.insights.sql.variants import EXPOSURE
from burgee_server.insights.words import AsOf, Happening, Part, PartKind
from burgee_server.ports.actions import Matcher
from tests.fixtures.warehouse import Fact
from tests.unit.insights.reference import once

MISSING, OTHER = Part(PartKind.MISSING), Part(PartKind.OTHER)


@dataclass(frozen=True)
class Version:
    """What a profile was from a moment on."""

    owner: str
    key: str
    at: datetime
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Cohort:
    """Its members: keys, or with `is_rest` everybody whom they do not name."""

    owner: str
    keys: frozenset[str]
    is_rest: bool = False


@dataclass(frozen=True)
class World:
    """`history` is in the order in which it was written: the later of two at one moment is the truth."""

    now: datetime
    facts: Sequence[Fact] = ()
    profiles: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    history: Sequence[Version] = ()
    persons: Mapping[str, str] = field(default_factory=dict)
    """The id that stands for the person, by each other id."""
    cohorts: Mapping[str, Cohort] = field(default_factory=dict)
    actions: Mapping[str, tuple[Matcher, ...]] = field(default_factory=dict)
    internal: str = ""
    parent_types: Mapping[str, str] = field(default_factory=dict)

    def person(self, distinct_id: str) -> str:
        """The id that stands for who has it."""
        return self.persons.get(distinct_id, distinct_id)


@dataclass(frozen=True)
class Seen:
    """A world as one question sees it."""

    world: World
    as_of: AsOf
    include_internal: bool

    @property
    def facts(self) -> list[Fact]:
        """Every event once, by the id that stands for the person, and with the groups above those that it names.

        Without those of the environment's own people.
        """
        whole = map(self._whole, once(self.world.facts))
        named = [replace(fact, distinct_id=self.world.person(fact.distinct_id)) for fact in whole]
        if not self.world.internal or self.include_internal:
            return named
        cohort = self.world.cohorts[self.world.internal]
        return [fact for fact in named if not self.is_member(key_of(fact, cohort.owner), self.world.internal)]

    def _whole(self, fact: Fact) -> Fact:
        """With the groups above those that it names: by the core, which flags go by."""
        links, context = links_of(self.world.parent_types), Context("", fact.groups)
        profiles = {each: self._profile(*each, fact.timestamp) for each in fact.groups.items()}
        return replace(fact, groups=completed(context, parent_groups(context, links, profiles)).groups)

    def does(self, match: Happening, fact: Fact) -> bool:
        """Whether an event is one of those that are meant."""
        if match.action:
            matchers = self.world.actions[match.action]
            named = any(self.does(Happening(each.event, filter=each.filter), fact) for each in matchers)
        else:
            named = fact.event == match.event if match.event else fact.event != EXPOSURE
        return named and self.passes(match.filter, fact)

    def passes(self, filter_: Filter | None, fact: Fact) -> bool:
        """Whether an event passes a filter."""
        match filter_:
            case None:
                return True
            case AllOf(branches):
                return all(self.passes(each, fact) for each in branches)
            case AnyOf(branches):
                return any(self.passes(each, fact) for each in branches)
            case Not(inner):
                return not self.passes(inner, fact)
            case Condition():
                return self._holds(filter_, fact)

    def _holds(self, condition: Condition, fact: Fact) -> bool:
        owner, _, name = condition.attribute.partition(".")
        is_negative = condition.operator in NEGATIVE
        if condition.operator in COHORTS:
            key = key_of(fact, owner)
            return is_negative is not any(self.is_member(key, str(cohort)) for cohort in condition.values)
        if owner != "event" and name.startswith("$feature/"):
            value = self._variant(owner, name.removeprefix("$feature/"), fact)
        else:
            value = self.value(condition.attribute, fact)
        if value is None:
            return is_negative
        values = condition.values
        if (owner, name) == (USER, "key") and condition.operator in EQUALITIES:
            values = tuple(self.world.person(str(each)) for each in values)
        return test_of(condition.operator, values)(value, self.world.now.timestamp())

    def is_member(self, key: str | None, cohort_key: str) -> bool:
        """Whether somebody is in a cohort; nobody is in none."""
        cohort = self.world.cohorts[cohort_key]
        return key is not None and (key in cohort.keys) is not cohort.is_rest

    def value(self, attribute: str, fact: Fact) -> Any:
        """What an event has there, or who it names."""
        owner, _, name = attribute.partition(".")
        if owner == "event":
            return fact.properties.get(name)
        key = key_of(fact, owner)
        if name == "key" or key is None:
            return key
        return self._profile(owner, key, fact.timestamp).get(name)

    def _profile(self, owner: str, key: str, at: datetime) -> Mapping[str, Any]:
        """What somebody's properties are to an event of that moment."""
        if self.as_of is AsOf.NOW:
            return self.world.profiles.get((owner, key), {})
        past = [
            (each.at, number, each.properties)
            for number, each in enumerate(self.world.history)
            if each.at <= at and each.owner == owner and self._stands_for(each) == key
        ]
        return max(past, key=lambda each: each[:2])[2] if past else {}

    def _stands_for(self, version: Version) -> str:
        return self.world.person(version.key) if version.owner == USER else version.key

    def text(self, attribute: str, fact: Fact) -> str | None:
        """What an answer is split by, as text for people."""
        owner, _, name = attribute.partition(".")
        if owner != "event" and name.startswith("$feature/"):
            return self._variant(owner, name.removeprefix("$feature/"), fact)
        if owner != "event" and name.startswith("$cohort/"):
            key = key_of(fact, owner)
            return None if key is None else "in" if self.is_member(key, name.removeprefix("$cohort/")) else "not in"
        return rendered(self.value(attribute, fact))

    def _variant(self, owner: str, flag: str, fact: Fact) -> str | None:
        """What the latest exposure up to the event says; whoever caused that."""
        given = [
            each
            for each in Seen(self.world, self.as_of, include_internal=True).facts
            if each.event == EXPOSURE
            and each.properties.get("$feature_flag") == flag
            and str(each.properties.get("$feature_flag_bucket_by", "")).split(".")[0] == owner
            and isinstance(each.properties.get("$feature_flag_response"), str)
            and key_of(each, owner) is not None
            and key_of(each, owner) == key_of(fact, owner)
            and each.timestamp <= fact.timestamp
        ]
        latest = max(given, key=lambda each: (each.timestamp, UUID(each.uuid).int), default=None)
        return None if latest is None else latest.properties["$feature_flag_response"]

    def part(self, attributes: Sequence[str], fact: Fact) -> Part:
        """The value or the combination that an event belongs to, before any becomes "other"."""
        texts = [self.text(attribute, fact) for attribute in attributes]
        parts = [MISSING if text is None else Part(PartKind.VALUE, text) for text in texts]
        if all(part == MISSING for part in parts):
            return MISSING
        return parts[0] if len(parts) == 1 else Part(PartKind.COMBINATION, values=tuple(parts))


def key_of(fact: Fact, owner: str) -> str | None:
    """The user or the group that an event names."""
    return fact.distinct_id if owner == USER else fact.groups.get(owner)


def rendered(value: Any) -> str | None:
    """A text as it is, anything else as JSON; an object has no value of its own."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, separators=(",", ":"))


def shown(sizes: Mapping[Part, float], limit: int) -> set[Part]:
    """The parts that are shown: the greatest, and of equal ones the first by name."""
    ranked = sorted((part for part in sizes if part != MISSING), key=lambda part: (-sizes[part], _name(part)))
    return set(ranked[: limit or 10])


def placed(part: Part, top: set[Part]) -> Part:
    """The part that something is counted in."""
    return part if part == MISSING or part in top else OTHER


def _name(part: Part) -> bytes:
    if part.kind is not PartKind.COMBINATION:
        return part.value.encode()
    texts = [None if each == MISSING else each.value for each in part.values]
    return json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode()
