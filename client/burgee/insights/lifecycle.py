"""Lifecycles: who is new, returns, comes back to life or goes dormant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from burgee.insights.pages import ActorPage, read_page
from burgee.insights.words import (
    Answered,
    Asking,
    Happening,
    QueryInfo,
    read_info,
    read_moment,
    whole,
    write_count,
    write_happening,
    write_moment,
    write_word,
)
from burgee.v1 import lifecycle_pb2, questions_pb2


@dataclass(frozen=True, slots=True)
class LifecycleColumn:
    """How many are at which stage in the column that begins at this moment (UTC); `dormant` is negative.

    `complete`: it is over, and inside the range.
    """

    column: datetime
    new: int
    returning: int
    resurrecting: int
    dormant: int
    complete: bool

    @property
    def active(self) -> int:
        """All but the dormant."""
        return self.new + self.returning + self.resurrecting


@dataclass(frozen=True, slots=True)
class Lifecycle(Answered):
    """Columns, in order."""

    columns: tuple[LifecycleColumn, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = (
        "column",
        "new",
        "returning",
        "resurrecting",
        "dormant",
        "active",
        "complete",
    )

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a column: column, new, returning, resurrecting, dormant, active, complete."""
        return [{name: getattr(column, name) for name in self.row_names} for column in self.columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleQuery(Asking):
    """Asks for a lifecycle. `interval` is hour, day, week, month, quarter or year; `count_by` user or a group type."""

    method: ClassVar[str] = "QueryLifecycle"
    answer: ClassVar[type] = Lifecycle

    event: str | Happening = ""
    interval: str = "day"
    count_by: str = "user"

    def write(self) -> lifecycle_pb2.QueryLifecycleRequest:
        """See Query."""
        return lifecycle_pb2.QueryLifecycleRequest(
            event=write_happening(self.event),
            interval=write_word(questions_pb2.Interval, "interval", self.interval),
            count_by=self.count_by,
            **self.words(),
        )

    @staticmethod
    @whole
    def read(response: lifecycle_pb2.QueryLifecycleResponse) -> Lifecycle:
        """See Query."""
        return Lifecycle(
            tuple(
                LifecycleColumn(
                    read_moment(each.column),
                    each.new,
                    each.returning,
                    each.resurrecting,
                    each.dormant,
                    each.complete,
                )
                for each in response.columns
            ),
            read_info(response.info),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleActorsQuery:
    """Asks who is at a stage (new, returning, resurrecting, dormant) in the column that begins at a moment."""

    method: ClassVar[str] = "QueryLifecycleActors"
    answer: ClassVar[type] = ActorPage

    lifecycle: LifecycleQuery
    column: datetime
    stage: str
    page_size: int = 100
    page_token: str = ""

    def write(self) -> lifecycle_pb2.QueryLifecycleActorsRequest:
        """See Query."""
        return lifecycle_pb2.QueryLifecycleActorsRequest(
            lifecycle=self.lifecycle.write(),
            column=write_moment(self.column),
            stage=write_word(lifecycle_pb2.LifecycleStage, "stage", self.stage),
            page_size=write_count("page_size", self.page_size),
            page_token=self.page_token,
        )

    @staticmethod
    @whole
    def read(response: lifecycle_pb2.QueryLifecycleActorsResponse) -> ActorPage:
        """See Query."""
        return read_page(response)
