"""What each measure goes by in an event, and how it adds up."""

from collections.abc import Collection
from dataclasses import dataclass

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.sql.attributes import Value, require_group_type
from burgee_server.insights.sql.limits import require_property
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.trend.model import Measure, Series

DISTINCT = frozenset({Measure.UNIQUE_USERS, Measure.UNIQUE_GROUPS})
ACTIVE = {Measure.WEEKLY_ACTIVE: 7, Measure.MONTHLY_ACTIVE: 30}
"""In so many days."""
SHARED = frozenset({Measure.TOTAL, Measure.SUM})
"""Those that `per` divides."""
ADDS_UP = frozenset({Measure.TOTAL, Measure.SUM, Measure.FIRST_TIME})
"""Those whose columns add up to running totals."""

_OF_NUMBERS = {
    Measure.SUM: "sum(counted)",
    Measure.AVG: "avg(counted)",
    Measure.MIN: "min(counted)",
    Measure.MAX: "max(counted)",
    Measure.MEDIAN: "quantileExactInclusive(0.5)(counted)",
    Measure.P90: "quantileExactInclusive(0.9)(counted)",
    Measure.P95: "quantileExactInclusive(0.95)(counted)",
    Measure.P99: "quantileExactInclusive(0.99)(counted)",
}
_NOTHING_IS_ZERO = frozenset({Measure.TOTAL, Measure.SUM, Measure.FIRST_TIME, *DISTINCT, *ACTIVE})


@dataclass(frozen=True, slots=True)
class Counted:
    """How a series counts, as SQL."""

    select: tuple[str, ...]
    """Of an event: what is counted, `AS counted`; and by whom, `AS actor`, where that is asked."""
    where: tuple[str, ...]
    """Which events have it."""
    aggregate: str
    """Over `counted` and `actor`; over each `counted` once, where different ones are counted."""
    nothing: float
    """What a column has that has no events."""


def counted(series: Series, scope: Scope, path: str) -> Counted:
    """Raises Invalid for the series' group_type, property and per."""
    measure = series.measure
    nothing = 0.0 if measure in _NOTHING_IS_ZERO else float("nan")
    if series.per:
        return _per_actor(series, scope, path)
    if measure is Measure.TOTAL:
        return Counted(("1 AS counted",), (), "count()", nothing)
    if measure in _OF_NUMBERS:
        value = _value(series, scope, path)
        return Counted((f"{value.number} AS counted",), value.is_number, _OF_NUMBERS[measure], nothing)
    actors = _actors(series, scope.asked.terms.group_types, path)
    key = scope.event_key(actors)
    # The keys in a column of their own are counted by their numbers in it, as long as they are left as they are.
    what = key.text if scope.is_column(actors) else f"assumeNotNull({key.text})"
    return Counted((f"{what} AS counted",), (f"NOT {key.missing}",), "count()", nothing)


def _actors(series: Series, group_types: Collection[str], path: str) -> str:
    """Who is counted: "user" or a group type."""
    if series.measure is Measure.UNIQUE_USERS:
        return USER
    of = series.group_type
    if not of and series.measure is not Measure.UNIQUE_GROUPS:
        return USER
    if of != USER or series.measure is Measure.UNIQUE_GROUPS:
        require_group_type(of, group_types, f"{path}.group_type")
    return of


def _value(series: Series, scope: Scope, path: str) -> Value:
    require_property(series.property, f"{path}.property")
    if not series.property:
        raise Invalid.of(f"{path}.property", f"{series.measure.value} needs a numeric event property")
    return scope.value(series.property)


def _per_actor(series: Series, scope: Scope, path: str) -> Counted:
    """A total or a sum, divided by those who have any of it; of nobody, NaN."""
    if series.measure not in SHARED:
        raise Invalid.of(f"{path}.per", f"goes with {' and '.join(sorted(SHARED))}, not with {series.measure}")
    if series.per != USER:
        require_group_type(series.per, scope.asked.terms.group_types, f"{path}.per")
    key = scope.event_key(series.per)
    actor, where = f"assumeNotNull({key.text}) AS actor", f"NOT {key.missing}"
    if series.measure is Measure.TOTAL:
        return Counted(("1 AS counted", actor), (where,), "count() / uniqExact(actor)", float("nan"))
    value = _value(series, scope, path)
    return Counted(
        (f"{value.number} AS counted", actor),
        (where, *value.is_number),
        "sum(counted) / uniqExact(actor)",
        float("nan"),
    )
