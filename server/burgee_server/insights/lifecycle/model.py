"""What a lifecycle is asked and answers: plain frozen values. Words and limits are those of lifecycle.proto."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from burgee.evaluation import USER, Filter
from burgee_server.insights.words import ANYTHING, FIRST_PAGE, LATELY, Happening, Interval, Page, QueryInfo, TimeRange


class Stage(StrEnum):
    """What somebody is in a column: active for the first time ever, again, after a gap; or not any more."""

    NEW = "new"
    RETURNING = "returning"
    RESURRECTING = "resurrecting"
    DORMANT = "dormant"


@dataclass(frozen=True, slots=True)
class LifecycleQuery:
    """Asks for a lifecycle."""

    event: Happening = ANYTHING
    range: TimeRange = LATELY
    time_zone: str = ""
    interval: Interval = Interval.DAY
    count_by: str = USER
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class LifecycleColumn:
    """How many are what in one column; `dormant` is negative."""

    column: datetime
    new: int
    returning: int
    resurrecting: int
    dormant: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The answer to a LifecycleQuery."""

    columns: tuple[LifecycleColumn, ...]
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class LifecycleActorsQuery:
    """Asks who is at a stage in a column."""

    lifecycle: LifecycleQuery
    column: datetime
    stage: Stage
    page: Page = FIRST_PAGE

    @property
    def range(self) -> TimeRange:
        """As in the lifecycle; nothing is compared, since a list is of one span."""
        return self.lifecycle.range.only

    @property
    def time_zone(self) -> str:
        """As in the lifecycle."""
        return self.lifecycle.time_zone
