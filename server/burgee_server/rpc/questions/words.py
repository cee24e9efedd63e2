"""What all questions and answers are written with."""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from burgee.v1 import common_pb2
from burgee.v1 import questions_pb2 as pb
from burgee_server.errors import Invalid
from burgee_server.insights.words import Breakdown, Interval, Part, PartKind, QueryInfo, TimeRange

_INTERVALS = {pb.Interval.Value(f"INTERVAL_{interval.name}"): interval for interval in Interval}
_INTERVALS[pb.INTERVAL_UNSPECIFIED] = Interval.DAY


class Response(Protocol):
    """What every answer on the wire has."""

    @property
    def info(self) -> pb.QueryInfo:
        """What it cost."""


def read_range(range_: common_pb2.TimeRange) -> TimeRange:
    """As it was written."""
    return TimeRange(range_.start, range_.end)


def read_interval(number: pb.Interval.ValueType) -> Interval:
    """A day, unless given. Raises Invalid."""
    interval = _INTERVALS.get(number)
    if interval is None:
        raise Invalid.of("interval", f"must be one of {', '.join(Interval)}")
    return interval


def read_breakdown(request: Any) -> Breakdown | None:
    """The `breakdown` of a request, if it has one."""
    if not request.HasField("breakdown"):
        return None
    return Breakdown(tuple(request.breakdown.attributes), request.breakdown.limit)


def read_window(request: Any, default: timedelta) -> timedelta:
    """The `window` of a request. Raises Invalid."""
    if not request.HasField("window"):
        return default
    try:
        window: timedelta = request.window.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise Invalid.of("window", "is longer than any time there is") from error
    return window


def write_part(part: Part, message: pb.BreakdownValue) -> None:
    """Which part of a breakdown a row is of."""
    match part.kind:
        case PartKind.OTHER:
            message.other = True
        case PartKind.MISSING:
            message.missing = True
        case PartKind.COMBINATION:
            for value in part.values:
                write_part(value, message.combination.values.add())
        case PartKind.VALUE:
            message.value = part.value


def write_info(info: QueryInfo, complete_until: float, message: pb.QueryInfo) -> None:
    """What it cost; `complete_until` in Unix seconds."""
    message.elapsed.FromTimedelta(timedelta(seconds=info.elapsed_seconds))
    message.rows_read = info.rows_read
    message.complete_until.FromDatetime(datetime.fromtimestamp(complete_until, UTC))
    message.start.FromDatetime(info.start)
    message.end.FromDatetime(info.end)
