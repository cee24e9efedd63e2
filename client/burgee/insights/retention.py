"""Retention: who comes back."""

from dataclasses import dataclass
from datetime import datetime
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
    read_moment,
    read_part,
    read_word,
    whole,
    write_breakdown,
    write_count,
    write_happening,
    write_moment,
    write_part,
    write_word,
)
from burgee.v1 import questions_pb2, retention_pb2


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """How many of a row are there in a period, their share (0 to 1), and how many were in the period before only.

    `churn` is the share of those who are not there; `state` complete, partial (its time is not over for everybody) or
    future.
    """

    count: int
    share: float
    churn: float
    lost: int
    state: str


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """Those who started in the column that begins at this moment (UTC): a cell a period, from 0."""

    column: datetime
    size: int
    cells: tuple[RetentionCell, ...]


@dataclass(frozen=True, slots=True)
class RetentionAverage:
    """A period over all rows in which it is complete, `size` actors in all, each row with the weight of its size."""

    size: int
    count: int
    share: float
    churn: float
    lost: int


@dataclass(frozen=True, slots=True)
class RetentionTable:
    """The whole, or one part of a breakdown: a row a column of starts, and an average a period."""

    part: Part | None
    rows: tuple[RetentionRow, ...]
    averages: tuple[RetentionAverage, ...]


@dataclass(frozen=True, slots=True)
class Retention(Answered):
    """Tables, the one with most starts first."""

    tables: tuple[RetentionTable, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = (
        "part",
        "column",
        "size",
        "period",
        "count",
        "share",
        "churn",
        "lost",
        "state",
    )

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a cell: part, column, size, period, count, share, churn, lost, state."""
        return [
            {
                "part": None if table.part is None else str(table.part),
                "column": row.column,
                "size": row.size,
                "period": period,
                "count": cell.count,
                "share": cell.share,
                "churn": cell.churn,
                "lost": cell.lost,
                "state": cell.state,
            }
            for table in self.tables
            for row in table.rows
            for period, cell in enumerate(row.cells)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionQuery(Asking):
    """Asks for a retention: of those with a start event in each column, who has a return event in the periods after it.

    `starts` is first_time (ever) or recurring; `window` calendar or rolling (24 hours, 7 days from the own start);
    `returns` on, or on_or_after. `interval` is hour, day, week, month, quarter or year.
    """

    method: ClassVar[str] = "QueryRetention"
    answer: ClassVar[type] = Retention

    start_event: str | Happening = ""
    return_event: str | Happening = ""
    interval: str = "day"
    periods: int = 11
    starts: str = "first_time"
    window: str = "calendar"
    returns: str = "on"
    count_by: str = "user"
    breakdown: By = None

    def write(self) -> retention_pb2.QueryRetentionRequest:
        """See Query."""
        return retention_pb2.QueryRetentionRequest(
            start_event=write_happening(self.start_event),
            return_event=write_happening(self.return_event),
            interval=write_word(questions_pb2.Interval, "interval", self.interval),
            periods=write_count("periods", self.periods),
            starts=write_word(retention_pb2.RetentionStarts, "starts", self.starts),
            window=write_word(retention_pb2.RetentionWindow, "window", self.window),
            returns=write_word(retention_pb2.RetentionReturns, "returns", self.returns),
            count_by=self.count_by,
            breakdown=write_breakdown(self.breakdown),
            **self.words(),
        )

    @staticmethod
    @whole
    def read(response: retention_pb2.QueryRetentionResponse) -> Retention:
        """See Query."""
        return Retention(tuple(map(_read_table, response.tables)), read_info(response.info))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionActorsQuery:
    """Asks who is behind a cell: in the row of the column that begins at a moment, and a period.

    `outcome` is returned, left (not there), or lost (there in the period before, and not in this one).
    """

    method: ClassVar[str] = "QueryRetentionActors"
    answer: ClassVar[type] = ActorPage

    retention: RetentionQuery
    column: datetime
    period: int
    outcome: str = "returned"
    part: Part | None = None
    page_size: int = 100
    page_token: str = ""

    def write(self) -> retention_pb2.QueryRetentionActorsRequest:
        """See Query."""
        return retention_pb2.QueryRetentionActorsRequest(
            retention=self.retention.write(),
            column=write_moment(self.column),
            period=write_count("period", self.period),
            outcome=write_word(retention_pb2.RetentionOutcome, "outcome", self.outcome),
            part=None if self.part is None else write_part(self.part),
            page_size=write_count("page_size", self.page_size),
            page_token=self.page_token,
        )

    @staticmethod
    @whole
    def read(response: retention_pb2.QueryRetentionActorsResponse) -> ActorPage:
        """See Query."""
        return read_page(response)


def _read_table(table: retention_pb2.RetentionTable) -> RetentionTable:
    return RetentionTable(
        read_part(table),
        tuple(
            RetentionRow(
                read_moment(row.column),
                row.size,
                tuple(map(_read_cell, row.cells)),
            )
            for row in table.rows
        ),
        tuple(RetentionAverage(mean.size, mean.count, mean.share, mean.churn, mean.lost) for mean in table.averages),
    )


def _read_cell(cell: retention_pb2.RetentionCell) -> RetentionCell:
    state = read_word(retention_pb2.RetentionState, cell.state)
    return RetentionCell(cell.count, cell.share, cell.churn, cell.lost, state)
