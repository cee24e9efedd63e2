"""How much, over time."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.attributes import group_key, require_group_type
from burgee_server.insights.sql.breakdown import Split, check_breakdown
from burgee_server.insights.sql.columns import column_sql
from burgee_server.insights.sql.events import events_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.limits import require_name
from burgee_server.insights.sql.scope import Scope, own_property
from burgee_server.insights.trend.model import Measure, Series, Trend, TrendQuery, TrendRow
from burgee_server.insights.words import Part, PartKind, QueryInfo
from burgee_server.ports.warehouse import Statement, to_micros

MAX_SERIES = 20
MAX_CELLS = 250_000
"""How many numbers an answer may have: what can be written out before a flag check has waited for it."""

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
    split: Split | None

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Trend:
        """The lines of the series, in order."""
        return Trend(self.columns, tuple(row for index, of in enumerate(rows) for row in self._rows(index, of)), info)

    def _rows(self, index: int, answer: Sequence[Sequence[Any]]) -> list[TrendRow]:
        """The lines of one series from the rows of its statement: the greatest total first, "other" last."""
        series = self.series[index]
        nothing = 0.0 if series.measure in _NOTHING_IS_ZERO else math.nan
        position = {to_micros(column): number for number, column in enumerate(self.columns)}
        values: dict[Part | None, list[float]] = {}
        totals: dict[Part | None, float] = {}
        if self.split is None:
            values[None], totals[None] = [nothing] * len(self.columns), nothing
        for kind, value, column, is_total, number in answer:
            part = self.split.part(kind, value) if self.split else None
            line = values.setdefault(part, [nothing] * len(self.columns))
            if is_total:
                totals[part] = float(number)
            else:
                line[position[column]] = float(number)
        label = series.label or series.event or series.action
        rows = [TrendRow(index, label, part, tuple(line), totals[part]) for part, line in values.items()]
        return sorted(rows, key=_rank)


def plan_trend(query: TrendQuery, asked: Asked) -> TrendPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if not 1 <= len(query.series) <= MAX_SERIES:
        raise Invalid.of("series", f"must have 1 to {MAX_SERIES} series")
    columns = asked.span.columns(query.interval)
    split = check_breakdown(query.breakdown, asked.group_types)
    cells = len(query.series) * (split.limit + 2 if split else 1) * len(columns)
    if cells > MAX_CELLS:
        raise Invalid.of(
            "series", f"series × parts × columns may be {MAX_CELLS:,}, these are {cells:,}: ask for fewer of one"
        )
    statements = []
    for index, series in enumerate(query.series):
        scope = Scope(asked)
        events = _SeriesEvents(query, scope, asked)
        column = f"{column_sql(scope, columns)} AS column"
        if split is None:
            sql = _sql(series.measure, events.of(index, [column]))
        else:
            value = f"{split.column()} AS split"
            first = split.values(scope, events.of(0, [value]))
            top = _top(query.series[0].measure, first, scope.bind(split.limit, "UInt32"))
            sql = _split_sql(series.measure, split.values(scope, events.of(index, [column, value])), top)
        statements.append(scope.statement(sql))
    return TrendPlan(columns, tuple(statements), query.series, split)


@dataclass(frozen=True, slots=True)
class _SeriesEvents:
    """Writes the events of any series of a question into one statement."""

    query: TrendQuery
    scope: Scope
    asked: Asked

    def of(self, index: int, select: list[str]) -> str:
        """A query for the events of a series, with what its measure goes by as `counted`."""
        series, path = self.query.series[index], f"series[{index}]"
        writer = FilterWriter(self.scope, self.asked)
        where = [
            *events_of(series, writer, path),
            *writer.where(self.query.filter, "filter"),
        ]
        require_name(series.label, f"{path}.label")
        counted, has_counted = _counted(series, self.asked.group_types, path)
        return self.scope.events([*select, f"{counted} AS counted"], where + has_counted)


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


def _sql(measure: Measure, events: str) -> str:
    """Rows of (kind, value, column, is the total, number), of the only part there is."""
    return (
        f"SELECT 0, '', column, grouping(column) AS is_total, {_AGGREGATES[measure]} FROM ({events})"
        " GROUP BY column WITH ROLLUP"
    )


def _top(measure: Measure, source: str, limit: str) -> str:
    """A query for the values that are shown."""
    return (
        f"SELECT split FROM {source} WHERE isNotNull(split) GROUP BY split"
        f" ORDER BY {_AGGREGATES[measure]} DESC, split LIMIT {limit}"
    )


def _split_sql(measure: Measure, source: str, top: str) -> str:
    """Rows of (kind, value, column, is the total, number).

    "Other" is counted from the events, not added up from its values: one user may have many of them.
    """
    kind = f"multiIf(isNull(split), 1, assumeNotNull(split) IN ({top}), 0, 2)"
    return (
        f"SELECT part.1, part.2, column, grouping(column) AS is_total, {_AGGREGATES[measure]}"
        f" FROM (SELECT *, {kind} AS kind, (kind, if(kind = 0, assumeNotNull(split), '')) AS part FROM {source})"
        " GROUP BY part, column WITH ROLLUP HAVING grouping(part) = 0"
    )


def _rank(row: TrendRow) -> tuple[bool, bool, float, str]:
    is_other = row.part is not None and row.part.kind is PartKind.OTHER
    nothing = math.isnan(row.total)
    return is_other, nothing, 0.0 if nothing else -row.total, str(row.part or "")
