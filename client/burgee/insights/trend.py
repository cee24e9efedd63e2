"""Trends: how much, over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from burgee.insights.words import (
    Answered,
    Asking,
    By,
    Part,
    QueryInfo,
    Where,
    read_info,
    read_moment,
    read_part,
    whole,
    write_breakdown,
    write_count,
    write_filter,
    write_word,
)
from burgee.v1 import questions_pb2, trend_pb2


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend: which events (empty: every event; or those of an `action`), and what of them is counted.

    `measure`: total, unique_users, unique_groups (of `group_type`); sum, avg, min, max, median, p90, p95, p99 of the
    numeric event `property`; weekly_active, monthly_active, first_time, of users or of groups of a `group_type`.
    `per`, with total and sum: divided by those who have any of it, "user" or a group type.
    """

    event: str = ""
    measure: str = "total"
    property: str = ""
    group_type: str = ""
    where: Where = None
    label: str = ""
    action: str = ""
    per: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """One line more, made of the series: "A / B * 100", where A is the first of them."""

    expression: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One line, of a series or, counting on, of a formula: a value a column, and the same over the whole span.

    NaN where there is nothing to go by.
    """

    series: int
    label: str
    part: Part | None
    values: tuple[float, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Trend(Answered):
    """Lines over time. A column is the moment (UTC) at which it begins."""

    columns: tuple[datetime, ...]
    rows: tuple[TrendRow, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = ("label", "part", "time", "value")

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a line and column: label, part, time, value. A data frame takes them as they are."""
        return [
            {"label": row.label, "part": None if row.part is None else str(row.part), "time": time, "value": value}
            for row in self.rows
            for time, value in zip(self.columns, row.values, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendQuery(Asking):
    """Asks for a trend: how much, over time. `interval` is hour, day, week, month, quarter or year.

    `formulas` are lines more. `cumulative`: each column with all before it; or `moving_average`: each as the mean of so
    many, itself and those before it.
    """

    method: ClassVar[str] = "QueryTrend"
    answer: ClassVar[type] = Trend

    series: Sequence[Series]
    breakdown: By = None
    interval: str = "day"
    formulas: Sequence[str | Formula] = ()
    cumulative: bool = False
    moving_average: int = 0

    def write(self) -> trend_pb2.QueryTrendRequest:
        """See Query."""
        return trend_pb2.QueryTrendRequest(
            series=[
                trend_pb2.TrendSeries(
                    event=line.event,
                    measure=write_word(trend_pb2.Measure, "measure", line.measure),
                    property=line.property,
                    group_type=line.group_type,
                    filter=write_filter(line.where),
                    label=line.label,
                    action=line.action,
                    per=line.per,
                )
                for line in self.series
            ],
            interval=write_word(questions_pb2.Interval, "interval", self.interval),
            breakdown=write_breakdown(self.breakdown),
            formulas=[_write_formula(formula) for formula in self.formulas],
            cumulative=self.cumulative,
            moving_average=write_count("moving_average", self.moving_average),
            **self.words(),
        )

    @staticmethod
    @whole
    def read(response: trend_pb2.QueryTrendResponse) -> Trend:
        """See Query."""
        return Trend(
            tuple(read_moment(column) for column in response.columns),
            tuple(
                TrendRow(row.series, row.label, read_part(row), tuple(row.values), row.total) for row in response.rows
            ),
            read_info(response.info),
        )


def _write_formula(formula: str | Formula) -> trend_pb2.TrendFormula:
    named = Formula(formula) if isinstance(formula, str) else formula
    return trend_pb2.TrendFormula(expression=named.expression, label=named.label)
