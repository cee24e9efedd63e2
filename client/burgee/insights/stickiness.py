"""Stickiness: in how many columns of time everybody was active."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from burgee.insights.pages import ActorPage, read_page
from burgee.insights.words import (
    Answered,
    Asking,
    By,
    Happening,
    Part,
    QueryInfo,
    read_info,
    read_part,
    whole,
    write_breakdown,
    write_count,
    write_happening,
    write_part,
    write_word,
)
from burgee.v1 import questions_pb2, stickiness_pb2


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
class Stickiness(Answered):
    """Rows, the one of most actors first."""

    rows: tuple[StickinessRow, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = ("part", "columns", "count", "share", "at_least", "at_least_share")

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a cell: part, columns, count, share, at_least, at_least_share."""
        return [
            {"part": None if row.part is None else str(row.part), **asdict(cell)}
            for row in self.rows
            for cell in row.cells
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StickinessQuery(Asking):
    """Asks for a stickiness. `interval` is hour, day, week, month, quarter or year; `count_by` user or a group type."""

    method: ClassVar[str] = "QueryStickiness"
    answer: ClassVar[type] = Stickiness

    event: str | Happening = ""
    interval: str = "day"
    count_by: str = "user"
    breakdown: By = None

    def write(self) -> stickiness_pb2.QueryStickinessRequest:
        """See Query."""
        return stickiness_pb2.QueryStickinessRequest(
            event=write_happening(self.event),
            interval=write_word(questions_pb2.Interval, "interval", self.interval),
            count_by=self.count_by,
            breakdown=write_breakdown(self.breakdown),
            **self.words(),
        )

    @staticmethod
    @whole
    def read(response: stickiness_pb2.QueryStickinessResponse) -> Stickiness:
        """See Query."""
        return Stickiness(
            tuple(
                StickinessRow(
                    read_part(row),
                    row.size,
                    tuple(
                        StickinessCell(cell.columns, cell.count, cell.share, cell.at_least, cell.at_least_share)
                        for cell in row.cells
                    ),
                )
                for row in response.rows
            ),
            read_info(response.info),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StickinessActorsQuery:
    """Asks who was active in so many columns; with `or_more`, in more, too; of one part, if it is split."""

    method: ClassVar[str] = "QueryStickinessActors"
    answer: ClassVar[type] = ActorPage

    stickiness: StickinessQuery
    columns: int
    or_more: bool = False
    part: Part | None = None
    page_size: int = 100
    page_token: str = ""

    def write(self) -> stickiness_pb2.QueryStickinessActorsRequest:
        """See Query."""
        return stickiness_pb2.QueryStickinessActorsRequest(
            stickiness=self.stickiness.write(),
            columns=write_count("columns", self.columns),
            or_more=self.or_more,
            part=None if self.part is None else write_part(self.part),
            page_size=write_count("page_size", self.page_size),
            page_token=self.page_token,
        )

    @staticmethod
    @whole
    def read(response: stickiness_pb2.QueryStickinessActorsResponse) -> ActorPage:
        """See Query."""
        return read_page(response)
