"""How much, over time: the question checked, and its answer put together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.breakdown import Split, check_breakdown
from burgee_server.insights.sql.limits import MAX_CELLS, require_name
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.trend.formula import MAX_FORMULAS, Formula, read_formula
from burgee_server.insights.trend.lines import moving_average, running_total
from burgee_server.insights.trend.measures import ADDS_UP, DISTINCT, counted
from burgee_server.insights.trend.model import Trend, TrendQuery, TrendRow
from burgee_server.insights.trend.series import SeriesWriter
from burgee_server.insights.words import Part, PartKind, QueryInfo
from burgee_server.ports.warehouse import Statement

MAX_SERIES = 20


@dataclass(frozen=True, slots=True)
class TrendPlan:
    """A checked trend: its columns, and a statement for each series."""

    query: TrendQuery
    columns: tuple[datetime, ...]
    statements: tuple[Statement, ...]
    nothing: tuple[float, ...]
    """For each series, what a column has that has no events."""
    formulas: tuple[Formula, ...]
    split: Split | None

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Trend:
        """The lines of the series, in order, and then those of the formulas; the greatest total first, "other" last."""
        lines = [self._lines(index, of) for index, of in enumerate(rows)]
        labels = [series.label or series.event or series.action for series in self.query.series]
        lines += [self._of_formula(formula, lines) for formula in self.formulas]
        labels += [asked.label or asked.expression for asked in self.query.formulas]
        width = self.query.moving_average
        made = [
            TrendRow(index, label, part, moving_average(values, width) if width > 1 else values, total)
            for index, (label, parts) in enumerate(zip(labels, lines, strict=True))
            for part, (values, total) in parts.items()
        ]
        return Trend(self.columns, tuple(sorted(made, key=_rank)), info)

    def _lines(self, index: int, answer: Sequence[Sequence[Any]]) -> "_Lines":
        """The numbers of one series, from the rows of its statement."""
        nothing = self.nothing[index]
        values: dict[Part | None, list[float]] = {}
        totals: dict[Part | None, float] = {}
        if self.split is None:
            values[None] = [nothing] * len(self.columns)
        for kind, value, column, is_total, number in answer:
            part = self.split.part(kind, value) if self.split else None
            line = values.setdefault(part, [nothing] * len(self.columns))
            if is_total:
                totals[part] = float(number)
            else:
                line[column] = float(number)
        make = running_total if self.query.cumulative else tuple
        return {part: (make(line), totals.get(part, nothing)) for part, line in values.items()}

    def _of_formula(self, formula: Formula, lines: "list[_Lines]") -> "_Lines":
        """The same arithmetic in every column, and on the totals. A part that a series lacks has no events there."""
        parts = dict.fromkeys(part for index in sorted(formula.series) for part in lines[index])

        def numbers(index: int, part: Part | None) -> tuple[float, ...]:
            empty = ((self.nothing[index],) * len(self.columns), self.nothing[index])
            values, total = lines[index].get(part, empty)
            return (*values, total)

        made: _Lines = {}
        for part in parts:
            of_series = {index: numbers(index, part) for index in formula.series}
            columns = range(len(self.columns) + 1)
            *values, total = (formula.value({index: of_series[index][at] for index in of_series}) for at in columns)
            made[part] = (tuple(values), total)
        return made


_Lines = dict[Part | None, tuple[tuple[float, ...], float]]


def plan_trend(query: TrendQuery, asked: Asked) -> TrendPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if not 1 <= len(query.series) <= MAX_SERIES:
        raise Invalid.of("series", f"must have 1 to {MAX_SERIES} series")
    if len(query.formulas) > MAX_FORMULAS:
        raise Invalid.of("formulas", f"at most {MAX_FORMULAS}")
    columns = asked.span.columns(query.interval)
    split = check_breakdown(query.breakdown, asked)
    lines = len(query.series) + len(query.formulas)
    cells = lines * (split.limit + 2 if split else 1) * len(columns)
    if cells > MAX_CELLS:
        raise Invalid.of(
            "series", f"lines × parts × columns may be {MAX_CELLS:,}, these are {cells:,}: ask for fewer of one"
        )
    _check_lines(query)
    writer = SeriesWriter(query, asked, columns, split)
    statements = tuple(writer.statement(index) for index in range(len(query.series)))
    nothing = tuple(
        counted(series, Scope(asked), f"series[{index}]").nothing for index, series in enumerate(query.series)
    )
    formulas = tuple(
        read_formula(formula.expression, len(query.series), f"formulas[{index}].expression")
        for index, formula in enumerate(query.formulas)
    )
    for index, formula in enumerate(query.formulas):
        require_name(formula.label, f"formulas[{index}].label")
    return TrendPlan(query, columns, statements, nothing, formulas, split)


def _check_lines(query: TrendQuery) -> None:
    """Whether running totals and moving averages can be made of these series."""
    for index, series in enumerate(query.series if query.cumulative else ()):
        if series.measure not in ADDS_UP | DISTINCT or series.per:
            words = ", ".join(sorted(ADDS_UP | DISTINCT))
            raise Invalid.of("cumulative", f"series[{index}] does not add up: it goes with {words}, without per")
    if query.cumulative and query.moving_average > 1:
        raise Invalid.of("moving_average", "a running total has none: ask for one of them")


def _rank(row: TrendRow) -> tuple[int, bool, bool, float, str]:
    is_other = row.part is not None and row.part.kind is PartKind.OTHER
    nothing = math.isnan(row.total)
    return row.series, is_other, nothing, 0.0 if nothing else -row.total, str(row.part or "")
