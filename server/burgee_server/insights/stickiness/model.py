"""What a stickiness is asked and answers: plain frozen values. Words and limits are those of stickiness.proto."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class StickinessQuery:
    """Asks for a stickiness."""

    event: Happening = ANYTHING
    range: TimeRange = LATELY
    time_zone: str = ""
    interval: Interval = Interval.DAY
    count_by: str = USER
    filter: Filter | None = None
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class StickinessCell:
    """How many were active in just `columns` columns, how many in so many or more, and their shares, 0 to 1."""

    columns: int
    count: int
    share: float
    at_least: int
    at_least_share: float


@dataclass(frozen=True, slots=True)
class StickinessRow:
    """Everybody who was active, or one part of a breakdown: a cell for each number of columns, from 1."""

    part: Part | None
    size: int
    cells: tuple[StickinessCell, ...]


@dataclass(frozen=True, slots=True)
class Stickiness:
    """The answer to a StickinessQuery."""

    rows: tuple[StickinessRow, ...]
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class StickinessActorsQuery:
    """Asks who was active in so many columns; with `or_more`, in more, too. `part` None: in any part."""

    stickiness: StickinessQuery
    columns: int
    or_more: bool = False
    part: Part | None = None
    page: Page = FIRST_PAGE

    @property
    def range(self) -> TimeRange:
        """As in the stickiness; nothing is compared, since a list is of one span."""
        return self.stickiness.range.only

    @property
    def time_zone(self) -> str:
        """As in the stickiness."""
        return self.stickiness.time_zone
