"""What a retention is asked and answers: plain frozen values. Words and limits are those of retention.proto."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from burgee.evaluation import USER, Filter
from burgee_server.insights.words import (
    ANYTHING,
    FIRST_PAGE,
    LATELY,
    Breakdown,
    Happening,
    Interval,
    Page,
    Part,
    QueryInfo,
    TimeRange,
)

DEFAULT_PERIODS = 11
"""How many periods after the first are looked at, where the caller does not say."""


class Starts(StrEnum):
    """Which start events count: an actor's first ever, or any."""

    FIRST_TIME = "first_time"
    RECURRING = "recurring"


class Window(StrEnum):
    """What a period is: a unit of the calendar, or as many times 24 hours from an actor's own start."""

    CALENDAR = "calendar"
    ROLLING = "rolling"


class Returns(StrEnum):
    """When an actor must return to count in a period: in it, or in it or later."""

    ON = "on"
    ON_OR_AFTER = "on_or_after"


class CellState(StrEnum):
    """Whether the time of a cell is over for everybody in it, for some, or has not begun."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class RetentionQuery:
    """Asks for a retention."""

    start_event: Happening = ANYTHING
    return_event: Happening = ANYTHING
    range: TimeRange = LATELY
    time_zone: str = ""
    interval: Interval = Interval.DAY
    periods: int = DEFAULT_PERIODS
    starts: Starts = Starts.FIRST_TIME
    window: Window = Window.CALENDAR
    returns: Returns = Returns.ON
    count_by: str = USER
    filter: Filter | None = None
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """Of those who started in one column, how many are there in one period, and how many were in the one before only.

    `share` is of those who started, 0 to 1, and `churn` of those who are not there; of nobody, both are 0.
    """

    count: int
    share: float
    churn: float
    lost: int
    state: CellState


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """Those who started in one column: a cell a period, from 0."""

    column: datetime
    size: int
    cells: tuple[RetentionCell, ...]


@dataclass(frozen=True, slots=True)
class RetentionAverage:
    """One period over all rows in which it is complete, `size` actors in all: so each row weighs what it holds."""

    size: int
    count: int
    share: float
    churn: float
    lost: int


@dataclass(frozen=True, slots=True)
class RetentionTable:
    """The rows of everybody, or of one part of a breakdown, and an average a period."""

    part: Part | None
    rows: tuple[RetentionRow, ...]
    averages: tuple[RetentionAverage, ...]


@dataclass(frozen=True, slots=True)
class Retention:
    """The answer to a RetentionQuery."""

    tables: tuple[RetentionTable, ...]
    info: QueryInfo


class Outcome(StrEnum):
    """What became of somebody by a period: is there, is not, or was in the period before and is not."""

    RETURNED = "returned"
    LEFT = "left"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RetentionActorsQuery:
    """Asks who is behind a cell. `part` None: of every part."""

    retention: RetentionQuery
    column: datetime
    period: int
    outcome: Outcome = Outcome.RETURNED
    part: Part | None = None
    page: Page = FIRST_PAGE

    @property
    def range(self) -> TimeRange:
        """When they started; nothing is compared, since a list is of one span."""
        return self.retention.range.only

    @property
    def time_zone(self) -> str:
        """As in the retention."""
        return self.retention.time_zone
