"""Questions about a funnel: who, how long, when they entered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from burgee.insights.funnel import FunnelQuery
from burgee.insights.words import (
    Answered,
    Part,
    QueryInfo,
    read_info,
    read_moment,
    read_part,
    whole,
    write_count,
    write_part,
    write_word,
)
from burgee.v1 import funnel_pb2, questions_pb2


@dataclass(frozen=True, slots=True)
class FunnelActor:
    """A user or a group, and when (UTC) it reached each of the steps that it reached."""

    key: str
    reached_at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class FunnelActors(Answered):
    """A page of those at a step; `next_page_token` is empty on the last."""

    actors: tuple[FunnelActor, ...]
    next_page_token: str
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = ("key", "reached", "first", "last")

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict each: key, reached, first, last."""
        return [
            {
                "key": actor.key,
                "reached": len(actor.reached_at),
                "first": actor.reached_at[0],
                "last": actor.reached_at[-1],
            }
            for actor in self.actors
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelActorsQuery:
    """Asks who reached a step, numbered from 1, or (`outcome="lost"`) reached the one before and not this one."""

    method: ClassVar[str] = "QueryFunnelActors"
    answer: ClassVar[type] = FunnelActors

    funnel: FunnelQuery
    step: int
    outcome: str = "reached"
    part: Part | None = None
    page_size: int = 0
    page_token: str = ""

    def write(self) -> funnel_pb2.QueryFunnelActorsRequest:
        """See Query."""
        return funnel_pb2.QueryFunnelActorsRequest(
            funnel=self.funnel.write(),
            step=write_count("step", self.step),
            outcome=write_word(funnel_pb2.FunnelOutcome, "outcome", self.outcome),
            part=None if self.part is None else write_part(self.part),
            page_size=write_count("page_size", self.page_size),
            page_token=self.page_token,
        )

    @staticmethod
    @whole
    def read(response: funnel_pb2.QueryFunnelActorsResponse) -> FunnelActors:
        """See Query."""
        actors = (FunnelActor(each.key, tuple(map(read_moment, each.reached_at))) for each in response.actors)
        return FunnelActors(tuple(actors), response.next_page_token, read_info(response.info))


@dataclass(frozen=True, slots=True)
class FunnelTime:
    """How long it took `count` of them; of nobody, None."""

    label: str
    count: int
    average: timedelta | None
    median: timedelta | None


@dataclass(frozen=True, slots=True)
class FunnelBin:
    """How many took from `start` up to `end`; the last bin includes its end."""

    start: timedelta
    end: timedelta
    count: int


@dataclass(frozen=True, slots=True)
class FunnelTimesRow:
    """The times of one part: in all, from each step to the next, and in bins."""

    part: Part | None
    whole: FunnelTime
    steps: tuple[FunnelTime, ...]
    bins: tuple[FunnelBin, ...]


@dataclass(frozen=True, slots=True)
class FunnelTimes(Answered):
    """How long it takes, of the most first."""

    rows: tuple[FunnelTimesRow, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = ("part", "step", "count", "average", "median")

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a part and step: part, step, count, average, median (seconds); the whole way has no step."""
        return [
            {
                "part": None if row.part is None else str(row.part),
                "step": step,
                "count": time.count,
                "average": None if time.average is None else time.average.total_seconds(),
                "median": None if time.median is None else time.median.total_seconds(),
            }
            for row in self.rows
            for step, time in [*((each.label, each) for each in row.steps), (None, row.whole)]
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelTimesQuery:
    """Asks how long it takes from one step to another (the first and the last unless given), in so many bins."""

    method: ClassVar[str] = "QueryFunnelTimes"
    answer: ClassVar[type] = FunnelTimes

    funnel: FunnelQuery
    from_step: int = 0
    to_step: int = 0
    bins: int = 0

    def write(self) -> funnel_pb2.QueryFunnelTimesRequest:
        """See Query."""
        return funnel_pb2.QueryFunnelTimesRequest(
            funnel=self.funnel.write(),
            from_step=write_count("from_step", self.from_step),
            to_step=write_count("to_step", self.to_step),
            bins=write_count("bins", self.bins),
        )

    @staticmethod
    @whole
    def read(response: funnel_pb2.QueryFunnelTimesResponse) -> FunnelTimes:
        """See Query."""
        rows = (
            FunnelTimesRow(
                read_part(row),
                _read_time(row.whole),
                tuple(map(_read_time, row.steps)),
                tuple(FunnelBin(b.start.ToTimedelta(), b.end.ToTimedelta(), b.count) for b in row.bins),
            )
            for row in response.rows
        )
        return FunnelTimes(tuple(rows), read_info(response.info))


@dataclass(frozen=True, slots=True)
class FunnelColumn:
    """Those who entered from `start` (UTC) on; if not `is_over`, some of them may still convert."""

    start: datetime
    is_over: bool


@dataclass(frozen=True, slots=True)
class FunnelOverTimeRow:
    """One part: for each column, how many reached each step."""

    part: Part | None
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class FunnelOverTime(Answered):
    """Conversion by when they entered."""

    columns: tuple[FunnelColumn, ...]
    rows: tuple[FunnelOverTimeRow, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = ("part", "time", "is_over", "entered", "converted", "conversion")

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a part and column: part, time, is_over, entered, converted, conversion."""
        return [
            {
                "part": None if row.part is None else str(row.part),
                "time": column.start,
                "is_over": column.is_over,
                "entered": counts[0],
                "converted": counts[-1],
                "conversion": counts[-1] / counts[0] if counts[0] else 0.0,
            }
            for row in self.rows
            for column, counts in zip(self.columns, row.counts, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelOverTimeQuery:
    """Asks how those who entered in each `interval` went on, within the window."""

    method: ClassVar[str] = "QueryFunnelOverTime"
    answer: ClassVar[type] = FunnelOverTime

    funnel: FunnelQuery
    interval: str = "day"

    def write(self) -> funnel_pb2.QueryFunnelOverTimeRequest:
        """See Query."""
        interval = write_word(questions_pb2.Interval, "interval", self.interval)
        return funnel_pb2.QueryFunnelOverTimeRequest(funnel=self.funnel.write(), interval=interval)

    @staticmethod
    @whole
    def read(response: funnel_pb2.QueryFunnelOverTimeResponse) -> FunnelOverTime:
        """See Query."""
        return FunnelOverTime(
            tuple(FunnelColumn(read_moment(column.start), column.is_over) for column in response.columns),
            tuple(
                FunnelOverTimeRow(read_part(row), tuple(tuple(column.counts) for column in row.columns))
                for row in response.rows
            ),
            read_info(response.info),
        )


def _read_time(time: funnel_pb2.FunnelTime) -> FunnelTime:
    average = time.average.ToTimedelta() if time.HasField("average") else None
    return FunnelTime(time.label, time.count, average, time.median.ToTimedelta() if time.HasField("median") else None)
