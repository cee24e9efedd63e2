"""Who comes back: checks, SQL, and rows to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.retention.model import (
    CellState,
    Retention,
    RetentionAverage,
    RetentionCell,
    RetentionQuery,
    RetentionRow,
    RetentionTable,
    Window,
)
from burgee_server.insights.retention.started import WIDTHS, Started
from burgee_server.insights.shares import share
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.breakdown import Split, check_breakdown
from burgee_server.insights.sql.limits import MAX_CELLS
from burgee_server.insights.sql.positions import bit
from burgee_server.insights.sql.ranked import ranked
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import Part, PartKind, QueryInfo
from burgee_server.ports.warehouse import Statement

MAX_PERIODS = 200


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """A checked retention and its statement. `columns` are those of starts."""

    statements: tuple[Statement]
    query: RetentionQuery
    asked: Asked
    split: Split | None
    columns: tuple[datetime, ...]
    """Those of starts, and as many after them as there are periods, and where the last ends."""

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Retention:
        """The tables, the one with most starts first, "other" last."""
        found: dict[Part | None, dict[int, list[int]]] = {} if self.split else {None: {}}
        for kind, value, column, *counts in rows[0]:
            found.setdefault(self.split.part(kind, value) if self.split else None, {})[column] = counts
        tables = [self._table(part, counts) for part, counts in found.items()]
        return Retention(tuple(sorted(tables, key=_rank)), info)

    def _table(self, part: Part | None, counts: dict[int, list[int]]) -> RetentionTable:
        periods = self.query.periods
        nobody = [0] * (1 + 2 * periods)
        rows = []
        for number, column in enumerate(self.columns[: -periods - 1]):
            size, *here = counts.get(number, nobody)
            rows.append(self._row(number, column, [size, *here[:periods]], [0, *here[periods:]]))
        return RetentionTable(part, tuple(rows), tuple(_average(rows, period) for period in range(periods + 1)))

    def _row(self, number: int, column: datetime, here: list[int], stayed: list[int]) -> RetentionRow:
        """`here`: who is there in each period; `stayed`: who was in the one before, too."""
        cells = []
        for period, count in enumerate(here):
            state = cell_state(self.query, self.asked, self.columns, number, period)
            lost = here[period - 1] - stayed[period] if period and state is not CellState.FUTURE else 0
            cells.append(RetentionCell(count, share(count, here[0]), share(here[0] - count, here[0]), lost, state))
        return RetentionRow(column, here[0], tuple(cells))


def plan_retention(query: RetentionQuery, asked: Asked) -> RetentionPlan:
    """Check a question and write its SQL. Raises Invalid."""
    scope = Scope(asked)
    started, columns = check_retention(query, asked, scope)
    split, type_, periods = started.split, started.number, range(1, query.periods + 1)
    counts = [
        "count() AS starters",
        *(f"countIf({bit('periods', period, type_)}) AS here_{period}" for period in periods),
        # Who has started was there in period 0.
        *(f"countIf({bit('stayed', period, type_)}) AS stayed_{period}" for period in periods),
    ]
    rows = f"(SELECT *, bitAnd(periods, bitShiftLeft(bitOr(periods, 1), 1)) AS stayed FROM {started.rows()})"
    by = "split, column" if split else "column"
    # Counted before it is ranked: there are fewer values than actors.
    counted = ranked(scope, split, f"(SELECT {by}, {', '.join(counts)} FROM {rows} GROUP BY {by})", "starters")
    sums = (f"sum({each.rpartition(' ')[2]})" for each in counts)
    sql = f"SELECT kind, value, column, {', '.join(sums)} FROM {counted} GROUP BY kind, value, column"
    return RetentionPlan((scope.statement(sql),), query, asked, split, columns)


def check_retention(query: RetentionQuery, asked: Asked, scope: Scope) -> tuple[Started, tuple[datetime, ...]]:
    """Who started, as SQL, and the columns with where the last ends. Raises Invalid."""
    if not 1 <= query.periods <= MAX_PERIODS:
        raise Invalid.of("periods", f"must be 1 to {MAX_PERIODS}")
    if query.window is Window.ROLLING and query.interval not in WIDTHS:
        raise Invalid.of("window", f"a rolling {query.interval.value} has no length of its own: ask by week or day")
    if query.count_by != USER:
        require_group_type(query.count_by, asked.terms.group_types, "count_by")
    split = check_breakdown(query.breakdown, asked)
    columns = asked.span.columns(query.interval, after=query.periods + 1)
    cells = (split.limit + 2 if split else 1) * (len(columns) - query.periods - 1) * (query.periods + 1)
    if cells > MAX_CELLS:
        raise Invalid.of(
            "periods", f"parts × columns × periods may be {MAX_CELLS:,}, these are {cells:,}: ask for fewer of one"
        )
    return Started(query, asked, scope, split, columns[:-1], columns[-1]), columns


def cell_state(query: RetentionQuery, asked: Asked, columns: Sequence[datetime], number: int, period: int) -> CellState:
    """By the first and the last moment at which somebody of the row may be in the period."""
    if query.window is Window.ROLLING:
        width, span = WIDTHS[query.interval], asked.span
        begin = max(columns[number], span.start) + width * period
        end = min(columns[number + 1], span.end) + width * (period + 1)
    else:
        begin, end = columns[number + period], columns[number + period + 1]
    if asked.now >= end:
        return CellState.COMPLETE
    return CellState.PARTIAL if asked.now > begin else CellState.FUTURE


def _average(rows: Sequence[RetentionRow], period: int) -> RetentionAverage:
    whole = [row for row in rows if row.cells[period].state is CellState.COMPLETE]
    size, count = sum(row.size for row in whole), sum(row.cells[period].count for row in whole)
    lost = sum(row.cells[period].lost for row in whole)
    return RetentionAverage(size, count, share(count, size), share(size - count, size), lost)


def _rank(table: RetentionTable) -> tuple[bool, int, str]:
    is_other = table.part is not None and table.part.kind is PartKind.OTHER
    return is_other, -sum(row.size for row in table.rows), str(table.part or "")
