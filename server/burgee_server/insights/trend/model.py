"""What a trend is asked and answers: plain frozen values. Words and limits are those of trend.proto."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from burgee.evaluation import Filter
from burgee_server.insights.words import LATELY, Breakdown, Interval, Part, QueryInfo, TimeRange


class Measure(StrEnum):
    """What a series counts. SUM to P99 go by a numeric event property, and by nothing but numbers."""

    TOTAL = "total"
    UNIQUE_USERS = "unique_users"
    UNIQUE_GROUPS = "unique_groups"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"
    WEEKLY_ACTIVE = "weekly_active"
    MONTHLY_ACTIVE = "monthly_active"
    FIRST_TIME = "first_time"


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend. `per`: divided by those who have any of it, "user" or groups of a type."""

    event: str = ""
    measure: Measure = Measure.TOTAL
    property: str = ""
    group_type: str = ""
    filter: Filter | None = None
    label: str = ""
    action: str = ""
    per: str = ""


@dataclass(frozen=True, slots=True)
class FormulaQuery:
    """One line more, made of the series: "A / B"."""

    expression: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Asks for a trend. `moving_average` is in columns; 0 and 1: none."""

    series: tuple[Series, ...]
    range: TimeRange = LATELY
    time_zone: str = ""
    interval: Interval = Interval.DAY
    filter: Filter | None = None
    breakdown: Breakdown | None = None
    formulas: tuple[FormulaQuery, ...] = ()
    cumulative: bool = False
    moving_average: int = 0


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One line: a number a column, and the same measure over the whole span. `part` is None for the whole.

    `series` is the number of its series; formulas count on after the last one.
    """

    series: int
    label: str
    part: Part | None
    values: tuple[float, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The answer to a TrendQuery. `columns` are the moments (UTC) at which they begin."""

    columns: tuple[datetime, ...]
    rows: tuple[TrendRow, ...]
    info: QueryInfo
