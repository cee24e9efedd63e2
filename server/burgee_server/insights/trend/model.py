"""What a trend is asked and answers: plain frozen values. Words and limits are those of trend.proto."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from burgee.evaluation import Filter
from burgee_server.insights.words import LATELY, Breakdown, Interval, Part, QueryInfo, TimeRange


class Measure(StrEnum):
    """What a series counts. SUM and what follows go by a numeric event property, and by nothing but numbers."""

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


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend."""

    event: str = ""
    measure: Measure = Measure.TOTAL
    property: str = ""
    group_type: str = ""
    filter: Filter | None = None
    label: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Asks for a trend."""

    series: tuple[Series, ...]
    range: TimeRange = LATELY
    time_zone: str = ""
    interval: Interval = Interval.DAY
    filter: Filter | None = None
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One line: a number a column, and the same measure over the whole span. `part` is None for the whole."""

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
