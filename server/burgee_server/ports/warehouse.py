"""Where events are kept for good and questions are answered: ClickHouse SQL over six tables.

events    environment_id UInt32, event LowCardinality(String), timestamp DateTime64(6, 'UTC'), uuid UUID,
          distinct_id String, groups JSON (type -> key), properties JSON, properties_json String (as captured),
          received_at DateTime64(6, 'UTC'), and beside them, for speed, day Date and quarter_hour UInt8 (0 to 95: of the
          timestamp, in UTC) and a LowCardinality(Nullable(String)) for each of some group types: see group_columns
persons   environment_id UInt32, distinct_id String, properties JSON, revision UInt64
aliases   environment_id UInt32, distinct_id String, person String, revision UInt64: the ids that stand for another
groups    environment_id UInt32, group_type LowCardinality(String), group_key String, properties JSON, revision UInt64
profile_versions  environment_id UInt32, group_type LowCardinality(String), key String, at DateTime64(6, 'UTC'),
          properties JSON, revision UInt64: what profiles were, persons' under "user", each since when
activity  environment_id UInt32, type LowCardinality(String), key String, first_seen_at, last_seen_at
cohort_members  environment_id UInt32, group_type LowCardinality(String), cohort_id UInt32, key String, removed UInt8,
          revision Int64: members of listed cohorts, copied when a question needs them

All but activity are read with FINAL: an event, a person, an id, a group is then there once. Two rows are the same event
when environment, UTC day of the timestamp, event and uuid are the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from burgee.evaluation.model import Properties
from burgee_server.errors import Overloaded
from burgee_server.meters import Work
from burgee_server.ports.selection import EventKey, EventPage, Selection

FIRST_TIMESTAMP = datetime(1970, 1, 1, tzinfo=UTC)
"""The earliest timestamp that an event may have."""

LAST_TIMESTAMP = datetime(2100, 1, 1, tzinfo=UTC)
"""Every event's timestamp is earlier than this: ClickHouse counts days in 16 bits, up to the year 2149."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters: values are bound as {name:Type}, never written into the text."""

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    """The listed cohorts whose members it reads: they must be here, see load_members."""
    guessed: frozenset[str] = frozenset()
    """The event properties that it reads as of one type, and throws where one is missing or of another."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Of each pattern among the parameters, which field of the question it is."""
    largest_bytes: int = 0
    """An answer with more is refused. 0: however large."""
    asker: str = ""
    """For whom: those with many statements wait for their own, and not others for them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and what they cost."""

    rows: Sequence[Sequence[Any]]
    rows_read: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A person (`group_type` is "user", `key` the distinct_id) or a group, as the control store has it."""

    environment_id: int
    group_type: str
    key: str
    properties: Properties
    revision: int
    """Greater means later, over the whole store."""
    person: str = ""
    """Of an id that has become another person's: the id that stands for that person. Empty: this has not changed."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody who came into a listed cohort, or left it."""

    key: str
    removed: bool
    revision: int
    """Since when, in microseconds since 1970. Greater wins."""


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """What a person (`group_type` is "user", `key` the distinct_id) or a group was from a moment on."""

    environment_id: int
    group_type: str
    key: str
    at: datetime
    properties: Properties
    revision: int
    """As in ProfileRow."""


@dataclass(frozen=True, slots=True)
class Activity:
    """When somebody was first and last seen in an event."""

    key: str
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the warehouse has it."""

    uuid: str
    event: str
    distinct_id: str
    groups: Mapping[str, str]
    properties_json: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """The events of a person or a group that are in the warehouse: how many, and when the latest was taken."""

    events: int
    received_until: datetime


@dataclass(frozen=True, slots=True)
class Removal:
    """Who is to be removed (a person's `group_type` is "user"), and what of them came before."""

    group_type: str
    key: str
    received_until: datetime
    """Events that the server took later stay."""
    revision: int
    """Copies of the profile with a greater revision stay."""
    requested_at: datetime
    """Who came into a cohort later stays in it."""


class Refused(Exception):
    """The warehouse will never take this batch. The message says why, in words that may hold what the events hold.

    `kind` says it in a word or two of the warehouse's own.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Mistaken(Exception):
    """A property that a statement guessed to be of one type is missing in an event, or of another."""


class ShortOfMemory(Overloaded):
    """A statement needs more memory than one may have: another that asks the same may need less."""


class BadPattern(Exception):
    """A pattern bound in a statement is not RE2, or too large. The message says what is wrong with it.

    `pattern` is the one that is too large; empty where it is wrong in another way.
    """

    def __init__(self, message: str, pattern: str = "") -> None:
        super().__init__(message)
        self.pattern = pattern


class Warehouse(Protocol):
    """Never blocks the event loop. Everything it raises for a caller's sake is a BurgeeError."""

    @property
    def work(self) -> Mapping[str, Work]:
        """What it did, by kind of work."""

    @property
    def group_columns(self) -> Collection[str]:
        """The group types whose keys events have in group_column() as well: NULL where there is none."""

    @property
    def property_columns(self) -> Collection[str]:
        """The event properties of which every event has text_column() and number_column() as well."""

    async def load(self, payload: bytes, *, again: bool = False, patient: bool = False) -> None:
        """Insert a serialized StoredBatch; when this returns, a power loss cannot take it away.

        With `again`, only what is not there: an earlier call, of this process or one before it, may have inserted all
        of the events or some. Without, nobody has tried. `patient`: whoever answers a call goes first, where processors
        are short.

        Its events are as the door lets them through: valid UUIDs, JSON objects, FIRST_TIMESTAMP <= timestamp <
        LAST_TIMESTAMP. Raises Refused when the batch itself is at fault, so that trying again cannot help, and
        Unavailable when it may.
        """

    async def faults(self, payload: bytes) -> Mapping[int, str]:
        """Which events of a serialized StoredBatch load() refuses for their own sake: index, and why.

        For some thousands of events at a time. Keeps nothing. Raises Unavailable.
        """

    async def load_profiles(self, rows: Sequence[ProfileRow]) -> None:
        """Insert the current state of profiles. A lower revision never wins over a higher one.

        Raises as load() does.
        """

    async def load_members(
        self, environment_id: int, group_type: str, cohort_id: int, rows: Sequence[MemberRow]
    ) -> None:
        """Insert who came into a listed cohort and who left it. Raises as load() does."""

    async def members_revision(self, environment_id: int, cohort_id: int) -> int:
        """The greatest revision of members of a cohort that is here; 0 for none."""

    async def load_profile_versions(self, versions: Sequence[ProfileVersion]) -> None:
        """Insert what profiles were. One that is there already does no harm. Raises as load() does."""

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        """Run a read-only query; given up after `timeout` seconds with TimedOut, or at once if cancelled.

        Raises ShortOfMemory, Overloaded for an answer that is too large, BadPattern, Mistaken, and Unavailable.
        """

    async def owner(self) -> str | None:
        """Which installation's events these are; None for a new warehouse."""

    async def set_owner(self, installation: str) -> None:
        """Say whose events these are, once."""

    async def activity(self, environment_id: int, group_type: str, keys: Sequence[str]) -> Mapping[str, Activity]:
        """First and last event of these groups, or persons where the type is "user"; unseen keys are absent."""

    async def seen(self, environment_id: int, group_type: str, after: str, limit: int) -> Sequence[Activity]:
        """Groups, or persons, that events name, in byte order of their keys, beginning after the key `after`."""

    async def timeline(
        self,
        environment_id: int,
        *,
        distinct_ids: Sequence[str] = (),
        group_type: str = "",
        group_key: str = "",
        event_names: Sequence[str] = (),
        before: tuple[datetime, str] | None = None,
        limit: int,
    ) -> Sequence[StoredEvent]:
        """Events by (timestamp, uuid), newest first, strictly before the given pair.

        The order of uuids within a microsecond is ClickHouse's, the same in every call.
        """

    async def count(self, selection: Selection, after: EventKey | None) -> int:
        """How many events page() has after a key, about: one that came in twice may count twice for a while."""

    async def page(self, selection: Selection, after: EventKey | None) -> EventPage | None:
        """The next events of a selection in the order of their keys, each once; None after the last.

        A page is about 8 MB at most, or one event, and may be empty. Raises as query() does.
        """

    async def arrived(self, environment_id: int, group_type: str, keys: Sequence[str]) -> Mapping[str, Arrived]:
        """What is here of persons, where the type is "user", or of events that name groups, by key; else absent.

        Sees whatever load() has returned for.
        """

    async def erase(self, environment_id: int, removals: Sequence[Removal]) -> None:
        """Remove events and profiles for good: when this returns, no data file holds them.

        Takes as long as it takes to write the months anew in which there are such events; loading goes on meanwhile.
        Safe to repeat, and to be cut short. First and last times of others who shared an event are as if it had never
        been. Raises Unavailable.
        """

    async def expire(self, keeps_from: Mapping[int, datetime]) -> bool:
        """Remove events of these environments with earlier timestamps, in the way of erase().

        Whoever was last seen before that is seen no more; a first time from before then may be kept or move up. Returns
        whether there were such events.
        """

    async def close(self) -> None:
        """Finish what runs, and let go of the files."""


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exactly: how times cross this port in parameters and rows."""
    return (moment - FIRST_TIMESTAMP) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The time that many microseconds after 1970-01-01 UTC."""
    return FIRST_TIMESTAMP + timedelta(microseconds=micros)


def property_column(column: str, name: str, type_: str) -> str:
    """SQL for one typed value in a JSON column: with quote_name, the only way a caller's name gets into a statement.

    `type_` is a ClickHouse type such as "String", written by us. A value of another type reads as NULL.
    """
    return f"{column}.{quote_name(name)}.:{type_}"


def property_number(column: str, name: str) -> str:
    """SQL for a number in a JSON column, of whatever type it is kept as; NULL where the value is none."""
    int_, float_, long = (property_column(column, name, type_) for type_ in ("Int64", "Float64", "UInt64"))
    return f"coalesce(toFloat64({int_}), {float_}, toFloat64({long}))"


def text_column(name: str) -> str:
    """SQL for the column of `events` with one property's texts, where it has one; NULL where the value is no text."""
    return quote_name(f"text_{name}")


def number_column(name: str) -> str:
    """SQL for the column of `events` with one property's numbers, where it has one; NULL where the value is none."""
    return quote_name(f"number_{name}")


def group_column(group_type: str) -> str:
    """SQL for the column of `events` that holds the keys of one group type, where it has one."""
    return quote_name(f"group_{group_type}")


_ESCAPES = str.maketrans({"\\": "\\\\", "`": "\\`", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\t": "\\t", ".": "%2E"})


def quote_name(name: str) -> str:
    """A JSON key as a quoted identifier; ClickHouse has no such identifier for the empty key, hence ValueError.

    A dot is written as the table keeps it (`json_type_escape_dots_in_keys`), so that "a.b" is one key and not a path.
    """
    if not name:
        raise ValueError("the empty key cannot be quoted")
    return f"`{name.translate(_ESCAPES)}`"
