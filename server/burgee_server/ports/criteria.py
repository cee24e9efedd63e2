"""What makes somebody a member of a computed cohort. Words and limits are those of cohorts.proto."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not
from burgee.evaluation.operators import COHORTS


@dataclass(frozen=True, slots=True)
class Events:
    """Which events: of a name, or of an action, and of them those that pass the filter."""

    event: str = ""
    action: str = ""
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """A half-open span as its author wrote it, read anew at each computation."""

    start: str = ""
    end: str = ""


class Comparison(StrEnum):
    """How a number of times compares."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"


@dataclass(frozen=True, slots=True)
class Having:
    """Whose properties pass a filter."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class Performed:
    """Who did it so many times."""

    events: Events
    comparison: Comparison = Comparison.AT_LEAST
    times: int = 1
    range: Between = Between()


@dataclass(frozen=True, slots=True)
class FirstPerformed:
    """Who did it in the range, and never before."""

    events: Events
    range: Between = Between()


@dataclass(frozen=True, slots=True)
class Stopped:
    """Who did it before the range, and not in it."""

    events: Events
    range: Between = Between()


@dataclass(frozen=True, slots=True)
class InOrder:
    """Who did one after the other, all within the window from the first."""

    steps: tuple[Events, ...]
    window: timedelta
    range: Between = Between()


@dataclass(frozen=True, slots=True)
class InCohort:
    """Who is in another cohort."""

    cohort_key: str


@dataclass(frozen=True, slots=True)
class Every:
    """Who meets every one of these."""

    criteria: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Who meets at least one of these."""

    criteria: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class Unless:
    """Who is known here, and does not meet this."""

    criterion: "Criterion"


Criterion: TypeAlias = Having | Performed | FirstPerformed | Stopped | InOrder | InCohort | Every | Some | Unless


@dataclass(frozen=True, slots=True)
class Computed:
    """How a cohort comes by its members: by a criterion, and by the calendar of an IANA time zone; empty: UTC."""

    criterion: Criterion
    time_zone: str = ""


def cohorts_in(criterion: Criterion) -> frozenset[str]:
    """The cohorts that a criterion asks for by itself, not those that they ask for."""
    named = {each.cohort_key for each in _leaves(criterion) if isinstance(each, InCohort)}
    for filter_ in _filters(criterion):
        named |= {str(key) for each in _conditions(filter_) if each.operator in COHORTS for key in each.values}
    return frozenset(named)


def actions_in(criterion: Criterion) -> frozenset[str]:
    """The actions that a criterion asks for by itself."""
    return frozenset(events.action for leaf in _leaves(criterion) for events in _events(leaf) if events.action)


def _leaves(criterion: Criterion) -> Iterator[Criterion]:
    match criterion:
        case Every(criteria) | Some(criteria):
            for each in criteria:
                yield from _leaves(each)
        case Unless(inner):
            yield from _leaves(inner)
        case _:
            yield criterion


def _events(leaf: Criterion) -> tuple[Events, ...]:
    match leaf:
        case Performed() | FirstPerformed() | Stopped():
            return (leaf.events,)
        case InOrder(steps):
            return steps
        case _:
            return ()


def _filters(criterion: Criterion) -> Iterator[Filter]:
    for leaf in _leaves(criterion):
        if isinstance(leaf, Having):
            yield leaf.filter
        yield from (events.filter for events in _events(leaf) if events.filter is not None)


def _conditions(filter_: Filter) -> Iterator[Condition]:
    match filter_:
        case Condition():
            yield filter_
        case Not(inner):
            yield from _conditions(inner)
        case AllOf(branches) | AnyOf(branches):
            for branch in branches:
                yield from _conditions(branch)
