"""Who is in a cohort, in plain Python, written to be read: what the SQL is held against."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator
from burgee_server.ports.criteria import (
    Between,
    Comparison,
    Criterion,
    Events,
    Every,
    FirstPerformed,
    Having,
    InCohort,
    InOrder,
    Performed,
    Some,
    Stopped,
    Unless,
)
from tests.fixtures.warehouse import Fact
from tests.unit.insights.reference import once


@dataclass(frozen=True)
class World:
    """What has happened, who has which properties, and who is in which cohorts: persons, or groups of a type."""

    group_type: str
    facts: Sequence[Fact]
    profiles: Mapping[str, Mapping[str, Any]]
    cohorts: Mapping[str, Collection[str]]

    def key(self, fact: Fact) -> str | None:
        """Whose event it is."""
        return fact.distinct_id if self.group_type == "user" else fact.groups.get(self.group_type)

    def known(self) -> set[str]:
        """Everybody there is."""
        return {key for fact in self.facts if (key := self.key(fact))} | set(self.profiles)

    def of(self, key: str) -> list[Fact]:
        """What somebody did, each event once."""
        return [fact for fact in once(self.facts) if self.key(fact) == key]

    def meets(self, key: str, criterion: Criterion) -> bool:
        """Whether somebody meets a criterion."""
        match criterion:
            case Having(filter_):
                return passes(filter_, self._reader(key), lambda cohort_key: key in self.cohorts[cohort_key])
            case Performed(events, comparison, times, between):
                done = sum(inside(fact, between) for fact in self._matching(key, events))
                return {
                    Comparison.AT_LEAST: done >= times,
                    Comparison.AT_MOST: done <= times,
                    Comparison.EXACTLY: done == times,
                }[comparison]
            case FirstPerformed(events, between):
                moments = sorted(fact.timestamp for fact in self._matching(key, events))
                return bool(moments) and moment(between.start) <= moments[0] < moment(between.end)
            case Stopped(events, between):
                moments = sorted(fact.timestamp for fact in self._matching(key, events))
                before = [each for each in moments if each < moment(between.start)]
                return bool(before) and not any(moment(between.start) <= each < moment(between.end) for each in moments)
            case InOrder(steps, window, between):
                theirs = [fact for fact in self.of(key) if inside(fact, between)]
                return in_order(theirs, [self._check(step) for step in steps], window)
            case InCohort(cohort_key):
                return key in self.cohorts[cohort_key]
            case Every(criteria):
                return all(self.meets(key, each) for each in criteria)
            case Some(criteria):
                return any(self.meets(key, each) for each in criteria)
            case Unless(inner):
                return not self.meets(key, inner)

    def _reader(self, key: str) -> Callable[[str], Any]:
        def read(attribute: str) -> Any:
            name = attribute.partition(".")[2]
            return key if name == "key" else self.profiles.get(key, {}).get(name)

        return read

    def _check(self, events: Events) -> Callable[[Fact], bool]:
        def matches(fact: Fact) -> bool:
            def read(attribute: str) -> Any:
                owner, _, name = attribute.partition(".")
                if owner == "event":
                    return fact.properties.get(name)
                return fact.distinct_id if owner == "user" else fact.groups.get(owner)

            def is_member(cohort_key: str) -> bool:
                return self.key(fact) in self.cohorts[cohort_key]

            named = events.event in ("", fact.event)
            return named and (events.filter is None or passes(events.filter, read, is_member))

        return matches

    def _matching(self, key: str, events: Events) -> list[Fact]:
        return list(filter(self._check(events), self.of(key)))


def in_order(facts: Sequence[Fact], steps: Sequence[Callable[[Fact], bool]], window: timedelta) -> bool:
    """Whether there is an event of its own for each step, one not before the other, all within the window."""

    def way(step: int, first: Fact | None, last: Fact | None, used: frozenset[str]) -> bool:
        if step == len(steps):
            return True
        for fact in facts:
            if fact.uuid in used or not steps[step](fact):
                continue
            if first and last and (fact.timestamp < last.timestamp or fact.timestamp - first.timestamp > window):
                continue
            if way(step + 1, first or fact, fact, used | {fact.uuid}):
                return True
        return False

    return way(0, None, None, frozenset())


def moment(text: str) -> datetime:
    """The dates that these tests write, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def inside(fact: Fact, between: Between) -> bool:
    """Whether an event lies in a range."""
    return moment(between.start) <= fact.timestamp < moment(between.end)


def passes(filter_: Filter, read: Callable[[str], Any], is_member: Callable[[str], bool]) -> bool:
    """The operators that these tests use."""
    match filter_:
        case AllOf(branches):
            return all(passes(each, read, is_member) for each in branches)
        case AnyOf(branches):
            return any(passes(each, read, is_member) for each in branches)
        case Not(inner):
            return not passes(inner, read, is_member)
        case Condition(attribute, operator, values):
            value = read(attribute)
            match operator:
                case Operator.EQUALS | Operator.IN:
                    return value in values
                case Operator.NOT_EQUALS:
                    return value not in values
                case Operator.GT:
                    return isinstance(value, int | float) and not isinstance(value, bool) and value > values[0]
                case Operator.IS_SET:
                    return value is not None
                case Operator.IS_NOT_SET:
                    return value is None
                case Operator.IN_COHORT:
                    return value is not None and any(is_member(str(each)) for each in values)
                case Operator.NOT_IN_COHORT:
                    return value is None or not any(is_member(str(each)) for each in values)
    raise NotImplementedError(filter_)
