"""What an insight is asked and what it answers: plain frozen values. Words and limits are those of insights.proto."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from burgee.evaluation import USER, Filter

DEFAULT_WINDOW = timedelta(days=14)
"""How long a funnel may take, where its caller does not say."""


class Interval(StrEnum):
    """How wide a column is: an hour of the clock, or a calendar unit, in the time zone of the query."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


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
class TimeRange:
    """A half-open span as its caller wrote it: see burgee.v1.TimeRange."""

    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Split by an attribute, its `limit` greatest values apart and all others together. 0: ten."""

    attribute: str
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend."""

    event: str = ""
    measure: Measure = Measure.TOTAL
    property: str = ""
    group_type: str = ""
    filter: Filter | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Asks for a trend."""

    series: tuple[Series, ...]
    range: TimeRange = TimeRange()
    time_zone: str = ""
    interval: Interval = Interval.DAY
    filter: Filter | None = None
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel."""

    event: str = ""
    filter: Filter | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class FunnelQuery:
    """Asks for a funnel."""

    steps: tuple[Step, ...]
    range: TimeRange = TimeRange()
    time_zone: str = ""
    window: timedelta = DEFAULT_WINDOW
    count_by: str = USER
    filter: Filter | None = None
    breakdown: Breakdown | None = None


class PartKind(StrEnum):
    """Which part of a breakdown."""

    VALUE = "value"
    OTHER = "other"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a breakdown; `value` only with PartKind.VALUE."""

    kind: PartKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class QueryInfo:
    """What a query cost, and the span that it covered: start <= t < end."""

    elapsed_seconds: float
    rows_read: int
    start: datetime
    end: datetime


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


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many reached a step, and their share (0 to 1; 0 of nobody is 0) of the first and of the step before."""

    label: str
    count: int
    conversion_from_first: float
    conversion_from_previous: float


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One funnel. `part` is None for the whole."""

    part: Part | None
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """The answer to a FunnelQuery."""

    rows: tuple[FunnelRow, ...]
    info: QueryInfo
