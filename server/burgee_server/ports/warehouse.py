"""Where events are kept for good and questions are answered: ClickHouse SQL over three tables.

events    environment_id UInt32, event LowCardinality(String), timestamp DateTime64(6, 'UTC'), uuid UUID,
          distinct_id String, groups JSON (type -> key), properties JSON, received_at DateTime64(6, 'UTC')
persons   environment_id UInt32, distinct_id String, properties JSON, revision UInt64
groups    environment_id UInt32, group_type LowCardinality(String), group_key String, properties JSON, revision UInt64

All three are read with FINAL: a uuid, a person, a group is then there once. In the JSON columns, names are
escaped as `json_type_escape_dots_in_keys = 1` does; `property_column` quotes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from burgee.evaluation.model import Properties


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters: values are bound as {name:Type}, never written into the text."""

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


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


class Warehouse(Protocol):
    """Never blocks the event loop. Everything it raises for a caller's sake is a BurgeeError."""

    async def load(self, payload: bytes, token: str) -> None:
        """Insert a serialized StoredBatch. A second call with the same token changes nothing.

        Raises Refused when the batch itself is at fault, so that trying again cannot help.
        """

    async def load_profiles(self, rows: Sequence[ProfileRow]) -> None:
        """Insert the current state of profiles. A lower revision never wins over a higher one."""

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        """Run a read-only query; given up after `timeout` seconds with TimedOut."""

    async def activity(self, environment_id: int, group_type: str, keys: Sequence[str]) -> Mapping[str, Activity]:
        """First and last event of these groups, or persons where the type is "user"; unseen keys are absent."""

    async def seen(self, environment_id: int, group_type: str, after: str, limit: int) -> Sequence[Activity]:
        """Groups, or persons, that events name, in byte order of their keys, beginning after the key `after`."""

    async def timeline(
        self,
        environment_id: int,
        *,
        distinct_id: str = "",
        group_type: str = "",
        group_key: str = "",
        event_names: Sequence[str] = (),
        before: tuple[datetime, str] | None = None,
        limit: int,
    ) -> Sequence[StoredEvent]:
        """Events by (timestamp, uuid), newest first, strictly before the given pair."""

    async def close(self) -> None:
        """Finish what runs, and let go of the files."""


class Refused(Exception):
    """The warehouse will never take this batch. The message says why."""


def property_column(column: str, name: str, type_: str) -> str:
    """SQL for one typed value in a JSON column: the only way a caller's name gets into a statement.

    `type_` is a ClickHouse type such as "String", written by us. A value of another type reads as NULL.
    """
    return f"{column}.{quote_name(name)}.:{type_}"


def quote_name(name: str) -> str:
    """A JSON key as a quoted identifier. Dots and percent signs are escaped as ClickHouse does when it stores keys."""
    raise NotImplementedError
