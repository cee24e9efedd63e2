"""Questions about usage and their answers, as Python sees them: frozen values, and tables made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from burgee.evaluation import Filter

Moment: TypeAlias = str | date | datetime
"""`"-90d"`, `"2026-03-01"`, RFC 3339, a date or a datetime; without a zone, in the time zone of the query."""

Where: TypeAlias = Filter | Sequence[Filter] | None


class QueryError(Exception):
    """The question got no answer. `code` is gRPC's, such as INVALID_ARGUMENT; `violations` are (field, reason)."""

    def __init__(self, code: str, message: str, violations: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.violations = tuple(violations)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend: which events (empty: every event), and what of them is counted.

    `measure`: total, unique_users, unique_groups (of `group_type`), or sum, avg, min, max, median, p90, p95, p99 of
    the numeric event `property`.
    """

    event: str = ""
    measure: str = "total"
    property: str = ""
    group_type: str = ""
    where: Where = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: which event (empty: any), and which of those."""

    event: str = ""
    where: Where = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Split by the values of an attribute, the `limit` greatest of them; the rest is added up as other."""

    attribute: str
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a breakdown: a value, all others together, or those without one."""

    value: str = ""
    other: bool = False
    missing: bool = False

    def __str__(self) -> str:
        """The value, or `(other)`, or `(missing)`."""
        return "(other)" if self.other else "(missing)" if self.missing else self.value


@dataclass(frozen=True, slots=True)
class QueryInfo:
    """What a query cost, how fresh it is, and the span that it covers: start <= t < end."""

    elapsed: timedelta
    rows_read: int
    complete_until: datetime
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One line: a value a column (NaN where there is nothing to go by), and the same measure over the whole span."""

    series: int
    label: str
    part: Part | None
    values: tuple[float, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines over time. A column is the moment (UTC) at which it begins."""

    columns: tuple[datetime, ...]
    rows: tuple[TrendRow, ...]
    info: QueryInfo

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a line and column: label, part, time, value. A data frame takes them as they are."""
        return [
            {"label": row.label, "part": None if row.part is None else str(row.part), "time": time, "value": value}
            for row in self.rows
            for time, value in zip(self.columns, row.values, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class FunnelCount:
    """How many reached a step, and their share (0 to 1) of the first step and of the step before."""

    label: str
    count: int
    conversion_from_first: float
    conversion_from_previous: float


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One funnel: the whole, or one part of a breakdown."""

    part: Part | None
    steps: tuple[FunnelCount, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """Funnels, the greatest first."""

    rows: tuple[FunnelRow, ...]
    info: QueryInfo

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a funnel and step: part, step, count, conversion_from_first, conversion_from_previous."""
        return [
            {
                "part": None if row.part is None else str(row.part),
                "step": step.label,
                "count": step.count,
                "conversion_from_first": step.conversion_from_first,
                "conversion_from_previous": step.conversion_from_previous,
            }
            for row in self.rows
            for step in row.steps
        ]
