"""How much, over time."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.attributes import group_key, require_group_type
from burgee_server.insights.breakdown import Split, check_breakdown, part_of
from burgee_server.insights.filters import FilterWriter
from burgee_server.insights.limits import require_name
from burgee_server.insights.model import Measure, Part, PartKind, Series, TrendQuery, TrendRow
from burgee_server.insights.scope import Scope, own_property
from burgee_server.insights.timerange import Span
from burgee_server.ports.warehouse import Statement, to_micros

MAX_SERIES = 20

_MOST_RUNS = 8
_WIDER_THAN_ANY = 1 << 62

_AGGREGATES = {
    Measure.TOTAL: "count()",
    Measure.UNIQUE_USERS: "uniqExact(counted)",
    Measure.UNIQUE_GROUPS: "uniqExact(counted)",
    Measure.SUM: "sum(counted)",
    Measure.AVG: "avg(counted)",
    Measure.MIN: "min(counted)",
    Measure.MAX: "max(counted)",
    Measure.MEDIAN: "quantileExactInclusive(0.5)(counted)",
    Measure.P90: "quantileExactInclusive(0.9)(counted)",
    Measure.P95: "quantileExactInclusive(0.95)(counted)",
    Measure.P99: "quantileExactInclusive(0.99)(counted)",
}
_NOTHING_IS_ZERO = frozenset({Measure.TOTAL, Measure.UNIQUE_USERS, Measure.UNIQUE_GROUPS, Measure.SUM})


@dataclass(frozen=True, slots=True)
class TrendPlan:
    """A checked trend: its columns, and a statement for each series."""

    columns: tuple[datetime, ...]
    statements: tuple[Statement, ...]
    series: tuple[Series, ...]
    is_split: bool

    def rows(self, index: int, answer: Sequence[Sequence[Any]]) -> list[TrendRow]:
        """The lines of one series from the rows of its statement: the greatest total first, "other" last."""
        series = self.series[index]
        nothing = 0.0 if series.measure in _NOTHING_IS_ZERO else math.nan
        position = {to_micros(column): number for number, column in enumerate(self.columns)}
        values: dict[Part | None, list[float]] = {}
        totals: dict[Part | None, float] = {}
        if not self.is_split:
            values[None], totals[None] = [nothing] * len(self.columns), nothing
        for kind, value, column, is_total, number in answer:
            part = part_of(kind, value) if self.is_split else None
            line = values.setdefault(part, [nothing] * len(self.columns))
            if is_total:
                totals[part] = float(number)
            else:
                line[position[column]] = float(number)
        label = series.label or series.event
        rows = [TrendRow(index, label, part, tuple(line), totals[part]) for part, line in values.items()]
        return sorted(rows, key=_rank)


def plan_trend(
    query: TrendQuery, environment_id: int, span: Span, group_types: Collection[str], now: datetime
) -> TrendPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if not 1 <= len(query.series) <= MAX_SERIES:
        raise Invalid.of("series", f"must have 1 to {MAX_SERIES} series")
    columns = span.columns(query.interval)
    split = check_breakdown(query.breakdown, group_types)
    statements = []
    for index, series in enumerate(query.series):
        scope = Scope(environment_id, span)
        writer = FilterWriter(scope, group_types, now)
        path = f"series[{index}]"
        where = [
            *_events_of(series, scope, path),
            *writer.where(query.filter, "filter"),
            *writer.where(series.filter, f"{path}.filter"),
        ]
        counted, has_counted = _counted(series, group_types, path)
        select = [f"{_column_sql(scope, columns)} AS column", f"{counted} AS counted"]
        where += has_counted
        statements.append(scope.statement(_sql(scope, series.measure, select, where, split)))
    return TrendPlan(columns, tuple(statements), query.series, split is not None)


def _events_of(series: Series, scope: Scope, path: str) -> list[str]:
    require_name(series.event, f"{path}.event")
    require_name(series.label, f"{path}.label")
    return [f"event = {scope.bind(series.event, 'String')}"] if series.event else []


def _counted(series: Series, group_types: Collection[str], path: str) -> tuple[str, list[str]]:
    """What the measure goes by, and which events have it."""
    match series.measure:
        case Measure.TOTAL:
            return "1", []
        case Measure.UNIQUE_USERS:
            return "distinct_id", []
        case Measure.UNIQUE_GROUPS:
            require_group_type(series.group_type, group_types, f"{path}.group_type")
            key = group_key(series.group_type)
            return f"assumeNotNull({key})", [f"isNotNull({key})"]
        case _:
            require_name(series.property, f"{path}.property")
            if not series.property:
                raise Invalid.of(f"{path}.property", f"{series.measure.value} needs a numeric event property")
            number = own_property(series.property).number
            return f"assumeNotNull({number})", [f"isNotNull({number})"]


def _column_sql(scope: Scope, columns: Sequence[datetime]) -> str:
    """The beginning of the column that an event lies in.

    Counted off where columns are of one width, as all are but months and the days on which clocks change: that costs
    a third of looking them up.
    """
    micros = "toUnixTimestamp64Micro(timestamp)"
    beginnings = [to_micros(column) for column in columns]
    runs = _runs(beginnings)
    if len(runs) > _MOST_RUNS:
        return f"roundDown({micros}, {scope.bind(beginnings, 'Array(Int64)')})"
    bound = [(scope.bind(start, "Int64"), scope.bind(width, "Int64")) for start, width in runs]
    counted = [f"{micros} - ({micros} - {start}) % {width}" for start, width in bound]
    until = [f"{micros} < {start}" for start, _ in bound[1:]]
    branches = [part for pair in zip(until, counted, strict=False) for part in pair]
    sql = f"multiIf({', '.join([*branches, counted[-1]])})" if branches else counted[0]
    return f"least({sql}, {scope.bind(beginnings[-1], 'Int64')})"  # the last may be wider than those before it


def _runs(beginnings: Sequence[int]) -> list[tuple[int, int]]:
    """Where each run of columns of one width begins, and that width."""
    runs: list[tuple[int, int]] = []
    for start, end in pairwise(beginnings):
        if not runs or runs[-1][1] != end - start:
            runs.append((start, end - start))
    return runs or [(beginnings[0], _WIDER_THAN_ANY)]


def _sql(scope: Scope, measure: Measure, select: list[str], where: list[str], split: Split | None) -> str:
    """Rows of (kind, value, column, is the total, number)."""
    number = _AGGREGATES[measure]
    if split is None:
        source = scope.events(select, where)
        return (
            f"SELECT 0, '', column, grouping(column) AS is_total, {number} FROM ({source}) GROUP BY column WITH ROLLUP"
        )
    source = split.values(scope, scope.events([*select, f"{split.column()} AS split"], where))
    top = (
        f"SELECT split FROM {source} WHERE isNotNull(split) GROUP BY split"
        f" ORDER BY {number} DESC, split LIMIT {scope.bind(split.limit, 'UInt32')}"
    )
    # "Other" is counted from the events, not added up from its values: one user may have many of them.
    kind = f"multiIf(isNull(split), 1, assumeNotNull(split) IN ({top}), 0, 2)"
    return (
        f"SELECT part.1, part.2, column, grouping(column) AS is_total, {number}"
        f" FROM (SELECT *, {kind} AS kind, (kind, if(kind = 0, assumeNotNull(split), '')) AS part FROM {source})"
        " GROUP BY part, column WITH ROLLUP HAVING grouping(part) = 0"
    )


def _rank(row: TrendRow) -> tuple[bool, bool, float, str]:
    is_other = row.part is not None and row.part.kind is PartKind.OTHER
    value = row.part.value if row.part else ""
    nothing = math.isnan(row.total)
    return is_other, nothing, 0.0 if nothing else -row.total, value
