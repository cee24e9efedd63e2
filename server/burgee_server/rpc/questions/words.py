"""What all questions and answers are written with."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from burgee import wire
from burgee.v1 import common_pb2
from burgee.v1 import questions_pb2 as pb
from burgee_server.errors import Invalid, Violation
from burgee_server.insights.comparison import TO
from burgee_server.insights.sql.breakdown import DEFAULT_LIMIT
from burgee_server.insights.words import (
    AsOf,
    Breakdown,
    Happening,
    Interval,
    Part,
    PartKind,
    QueryInfo,
    TimeRange,
    UnknownName,
)

WordT = TypeVar("WordT", bound=StrEnum)

_RANGE = "range"
_BREAKDOWN = pb.Breakdown(limit=DEFAULT_LIMIT)
_AS_OF = {pb.PropertiesAsOf.Value(f"PROPERTIES_AS_OF_{as_of.name}"): as_of for as_of in AsOf}
_INTERVALS = {pb.Interval.Value(f"INTERVAL_{interval.name}"): interval for interval in Interval}
_INTERVALS[pb.INTERVAL_UNSPECIFIED] = Interval.DAY


class Response(Protocol):
    """What every answer on the wire has."""

    @property
    def info(self) -> pb.QueryInfo:
        """What it cost."""

    @property
    def asked(self) -> Any:
        """A request: what was asked."""

    @property
    def previous(self) -> Any:
        """A response of the same type."""

    def ByteSize(self) -> int:
        """How large it is when it is sent."""


def fill_in(message: Message, *defaults: Message) -> None:
    """Fill in what is not given, in a question and in all that it is made of, from messages of the same types."""
    for default in (*defaults, _BREAKDOWN):
        if default.DESCRIPTOR is message.DESCRIPTOR:
            for field, value in default.ListFields():
                given = message.HasField(field.name) if field.has_presence else getattr(message, field.name)
                if not given and field.message_type is None:
                    setattr(message, field.name, value)
                elif not given:
                    getattr(message, field.name).CopyFrom(value)
    for field, value in message.ListFields():
        of = field.message_type
        if of is not None and of.file.package == _BREAKDOWN.DESCRIPTOR.file.package and not of.GetOptions().map_entry:
            for each in value if field.is_repeated else [value]:
                fill_in(each, *defaults)


def question_of(request: Any) -> Any:
    """The part of a request that has `range`, `time_zone`, `properties_as_of`, …: itself, or what it is about."""
    held = _held(request)
    return getattr(request, held) if held else request


@contextmanager
def inside(request: Message) -> Iterator[None]:
    """What is wrong with the question that a request is about is wrong with the field that holds it."""
    try:
        yield
    except (Invalid, wire.WireError) as error:
        raise Invalid(*(below(request, violation) for violation in violations_of(error))) from error


def violations_of(error: Invalid | wire.WireError) -> tuple[Violation, ...]:
    """What is wrong with a question, with the fields of the question."""
    return error.violations if isinstance(error, Invalid) else (Violation(error.field, error.reason),)


def write_asked(request: Message, info: QueryInfo, previous: QueryInfo | None, response: Response) -> None:
    """What was asked, with its times as they were read: asked again, it gives the same, and the same beside it."""
    response.asked.CopyFrom(request)
    timed = question_of(response.asked)
    timed.time_zone = timed.time_zone or "UTC"
    timed.range.start, timed.range.end = info.start.isoformat(), info.end.isoformat()
    if previous is not None:
        timed.range.compare = f"{previous.start.isoformat()}{TO}{previous.end.isoformat()}"


def read_properties_as_of(request: Message) -> AsOf:
    """Now, unless given; fills that in. Raises Invalid."""
    timed = question_of(request)
    timed.properties_as_of = timed.properties_as_of or pb.PROPERTIES_AS_OF_NOW
    as_of = _AS_OF.get(timed.properties_as_of)
    if as_of is None:
        raise Invalid.of("properties_as_of", f"must be one of {', '.join(AsOf)}")
    return as_of


def _held(request: Message) -> str:
    """The field that holds the question that a request is about; none for what is a question itself."""
    fields = request.DESCRIPTOR.fields_by_name
    held = (
        name for name, field in fields.items() if field.message_type and _RANGE in field.message_type.fields_by_name
    )
    return "" if _RANGE in fields else next(held)


def below(request: Message, violation: Violation) -> Violation:
    """A question's fields are below the one that holds it, if one does; whatever else is wrong is not."""
    held = _held(request)
    first = violation.field.partition(".")[0].partition("[")[0]
    is_held = held and first not in request.DESCRIPTOR.fields_by_name
    return replace(violation, field=f"{held}.{violation.field}") if is_held else violation


def read_range(range_: common_pb2.TimeRange) -> TimeRange:
    """As it was written."""
    return TimeRange(range_.start, range_.end, range_.compare)


def read_interval(number: pb.Interval.ValueType) -> Interval:
    """A day, unless given. Raises Invalid."""
    interval = _INTERVALS.get(number)
    if interval is None:
        raise Invalid.of("interval", f"must be one of {', '.join(Interval)}")
    return interval


def read_word(words: type[WordT], kind: Any, number: int, field: str) -> WordT:
    """The word that a number of an enum of the wire stands for. Raises Invalid for the field."""
    prefix = kind.Name(0).removesuffix("UNSPECIFIED")
    for word in words:
        if kind.Value(f"{prefix}{word.name}") == number:
            return word
    raise Invalid.of(field, f"must be one of {', '.join(word.value for word in words)}")


def read_breakdown(request: Any) -> Breakdown | None:
    """The `breakdown` of a request, if it has one."""
    if not request.HasField("breakdown"):
        return None
    return Breakdown(tuple(request.breakdown.attributes), request.breakdown.limit)


def read_duration(duration: Duration, field: str) -> timedelta:
    """Raises Invalid."""
    try:
        return duration.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise Invalid.of(field, "is longer than any time there is") from error


def read_match(match: common_pb2.EventMatch, field: str) -> Happening:
    """Which events. Raises Invalid."""
    return Happening(match.event, match.action, wire.filter_from_proto(match.filter, f"{field}.filter"))


def read_part(message: pb.BreakdownValue, field: str) -> Part:
    """Which part of a breakdown is meant. Raises Invalid."""
    match message.WhichOneof("kind"):
        case "other":
            return Part(PartKind.OTHER)
        case "missing":
            return Part(PartKind.MISSING)
        case "value":
            return Part(PartKind.VALUE, message.value)
        case "combination":
            values = message.combination.values
            if all(value.WhichOneof("kind") in ("value", "missing") for value in values):
                return Part(PartKind.COMBINATION, values=tuple(read_part(value, field) for value in values))
    raise Invalid.of(field, "must be a value, a combination of values, missing, or other")


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


def write_unknown(unknown: Iterable[UnknownName], message: Any) -> None:
    """The events and the properties that nobody has ever sent."""
    for each in unknown:
        if each.owner:
            similar = (f"{each.owner}.{name}" for name in each.similar)
            message.unknown_properties.add(attribute=f"{each.owner}.{each.name}", similar=similar)
        else:
            message.unknown_events.add(event=each.name, similar=each.similar)
