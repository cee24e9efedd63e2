"""What all questions and answers share: when, which, split by what, and what it cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from typing import Any, ClassVar, Protocol, Self, TypeAlias, TypeVar

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from burgee.evaluation import AllOf, Filter
from burgee.v1 import common_pb2, questions_pb2
from burgee.wire import filter_to_proto

Moment: TypeAlias = str | date | datetime
"""`"-90d"`, `"2026-03-01"`, RFC 3339, a date or a datetime; without a zone, in the time zone of the query."""

Where: TypeAlias = Filter | Sequence[Filter] | None


Answer = TypeVar("Answer", bound="Answered")
Answer_co = TypeVar("Answer_co", bound="Answered", covariant=True)


class Query(Protocol[Answer_co]):
    """A question: what `Client.ask` takes."""

    method: ClassVar[str]
    """The RPC of InsightService."""
    answer: ClassVar[type]
    """What kind of answer it has."""

    def write(self) -> Any:
        """The request. Raises QueryError for a word that the wire does not have."""

    def read(self, response: Any) -> Answer_co:
        """The answer in a response, with what was asked and that of the span to compare with."""


class QueryError(Exception):
    """The question got no answer. `code` is gRPC's, such as INVALID_ARGUMENT; `violations` are (field, reason)."""

    def __init__(self, code: str, message: str, violations: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.violations = tuple(violations)


@dataclass(frozen=True, slots=True)
class Happening:
    """Which event (empty: any; or those of an `action`), and which of those."""

    event: str = ""
    where: Where = None
    action: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Split by the values of an attribute, or by the combinations of two or three: the `limit` greatest, and other."""

    attributes: str | Sequence[str]
    limit: int = 10


By: TypeAlias = str | Sequence[str] | Breakdown | None
"""An attribute, several, or how many parts besides; None: not split."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a breakdown: a value, a combination of `values`, all others together, or those without one."""

    value: str = ""
    other: bool = False
    missing: bool = False
    values: tuple["Part", ...] = ()

    def __str__(self) -> str:
        """The value, or the values with " / " between them, or `(other)`, or `(missing)`."""
        if self.values:
            return " / ".join(map(str, self.values))
        return "(other)" if self.other else "(missing)" if self.missing else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What every question has. `start` alone may name a span: "today", "this month", "last quarter", "all", ….

    `compare` asks for the answer of another span, too: "previous", how much earlier ("-1y"), or that very span
    ("2026-02-01/2026-02-15"). `properties_as_of`: the properties of users and groups are those of "now", or of the time
    of each "event". `include_internal`: what the environment's own people did counts, too.
    """

    start: Moment = ""
    end: Moment = ""
    time_zone: str = ""
    compare: str = ""
    properties_as_of: str = "now"
    where: Where = None
    include_internal: bool = False

    def words(self) -> dict[str, Any]:
        """Them, as fields of a request."""
        as_of = write_word(questions_pb2.PropertiesAsOf, "properties_as_of", self.properties_as_of)
        return {
            "range": common_pb2.TimeRange(start=write_time(self.start), end=write_time(self.end), compare=self.compare),
            "time_zone": self.time_zone,
            "filter": write_filter(self.where),
            "properties_as_of": as_of if as_of != questions_pb2.PROPERTIES_AS_OF_NOW else None,
            "include_internal": self.include_internal,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What every answer has, beside its own."""

    asked: Mapping[str, Any] = field(default_factory=dict)
    """The question with its defaults and times filled in, as JSON has it."""
    previous: Self | None = None
    """The answer for the span to compare with, if that was asked for."""


@dataclass(frozen=True, slots=True)
class QueryInfo:
    """What a query cost, how fresh it is, and the span that it covers: start <= t < end."""

    elapsed: timedelta
    rows_read: int
    complete_until: datetime
    start: datetime
    end: datetime
    unknown_events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Events of the question that nobody has ever sent, each with names of others that are spelt like it."""
    unknown_properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Attributes of the question, such as `company.plan`, that nobody has; each with others that are spelt like it."""


def write_filter(where: Where) -> common_pb2.Filter | None:
    """Of a sequence all must hold; nothing, or an empty sequence, lets everything through."""
    if not where:
        return None
    return filter_to_proto(AllOf(tuple(where)) if isinstance(where, Sequence) else where)


def write_happening(event: str | Happening) -> common_pb2.EventMatch:
    """As the wire has it."""
    named = Happening(event) if isinstance(event, str) else event
    return common_pb2.EventMatch(event=named.event, action=named.action, filter=write_filter(named.where))


def write_time(moment: Moment) -> str:
    """One end of a range, as the wire has it."""
    return moment if isinstance(moment, str) else moment.isoformat()


def write_word(kind: Any, word: str, name: str) -> Any:
    """The wire's number, in an enum, for a name such as "unique_users". Raises QueryError like the server does."""
    prefix = kind.Name(0).removesuffix("UNSPECIFIED")
    numbers = {key.removeprefix(prefix).lower(): number for key, number in kind.items() if number}
    if name not in numbers:
        reason = f"one of {', '.join(numbers)}"
        raise QueryError("INVALID_ARGUMENT", f"{word}: {reason}", [(word, reason)])
    return numbers[name]


def write_count(field: str, count: int) -> int:
    """A number that is not negative. Raises QueryError like the server does."""
    if not 0 <= count < 1 << 32:
        reason = "must be a whole number, and not negative"
        raise QueryError("INVALID_ARGUMENT", f"{field}: {reason}", [(field, reason)])
    return count


def read_word(kind: Any, number: int) -> str:
    """The name for a number of an enum; of one that this client is too old to know, the number."""
    if number not in kind.values():
        return str(number)
    name: str = kind.Name(number)
    return name.removeprefix(kind.Name(0).removesuffix("UNSPECIFIED")).lower()


def write_breakdown(breakdown: By) -> questions_pb2.Breakdown | None:
    """Raises QueryError for a limit that the wire cannot carry."""
    if breakdown is None:
        return None
    named = breakdown if isinstance(breakdown, Breakdown) else Breakdown(breakdown)
    attributes = [named.attributes] if isinstance(named.attributes, str) else named.attributes
    return questions_pb2.Breakdown(attributes=attributes, limit=write_count("breakdown.limit", named.limit))


def write_part(part: Part) -> questions_pb2.BreakdownValue:
    """One part of a breakdown, to ask for it."""
    if part.values:
        return questions_pb2.BreakdownValue(combination=questions_pb2.Combination(values=map(write_part, part.values)))
    if part.other or part.missing:
        return questions_pb2.BreakdownValue(other=True) if part.other else questions_pb2.BreakdownValue(missing=True)
    return questions_pb2.BreakdownValue(value=part.value)


def read_part(row: Any) -> Part | None:
    """The part that a row with a `breakdown` is of; None for the whole."""
    if not row.HasField("breakdown"):
        return None
    return _read_value(row.breakdown)


def _read_value(value: questions_pb2.BreakdownValue) -> Part:
    combined = tuple(_read_value(each) for each in value.combination.values)
    return Part(value.value, value.other, value.missing, combined)


def whole(read: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """For what reads an answer in a response: with what was asked, and with the answer for the span to compare with."""

    @wraps(read)
    def read_whole(response: Any) -> Answer:
        asked = MessageToDict(response.asked, preserving_proto_field_name=True)
        previous = read(response.previous) if response.HasField("previous") else None
        return replace(read(response), asked=asked, previous=previous)

    return read_whole


def read_moment(timestamp: Timestamp) -> datetime:
    """In UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)


def write_moment(moment: datetime) -> Timestamp:
    """A moment with a zone; without one it is in UTC."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def read_info(info: questions_pb2.QueryInfo) -> QueryInfo:
    """What it cost."""
    return QueryInfo(
        elapsed=info.elapsed.ToTimedelta(),
        rows_read=info.rows_read,
        complete_until=read_moment(info.complete_until),
        start=read_moment(info.start),
        end=read_moment(info.end),
        **read_unknown(info),
    )


def read_unknown(message: Any) -> dict[str, dict[str, tuple[str, ...]]]:
    """The `unknown_events` and the `unknown_properties` of a message: each name with those that are spelt like it."""
    return {
        "unknown_events": {each.event: tuple(each.similar) for each in message.unknown_events},
        "unknown_properties": {each.attribute: tuple(each.similar) for each in message.unknown_properties},
    }
