"""Reads events in the order in which they are stored, page by page, as protobuf that ClickHouse writes itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from burgee_server.ports.selection import EventKey, Selection
from burgee_server.ports.warehouse import Statement, property_column, to_micros

PAGE_EVENTS = 50_000
PAGE_BYTES = 8 << 20
"""About what a page is at most; one event is always in it."""

_BESIDE_PROPERTIES = 300
"""Bytes of an event, about, without its properties."""

# burgee.v1.Event in the types that ClickHouse maps to the columns of `rows`.
_FORMAT_SCHEMA = """
syntax = "proto3";
message Event {
  string uuid = 1;
  string event = 2;
  string distinct_id = 3;
  map<string, string> groups = 4;
  string properties_json = 5;
  int64 timestamp_micros = 6;
}
"""

ROW_SETTINGS = {
    "format_schema_source": "string",
    "format_schema": _FORMAT_SCHEMA,
    "format_schema_message_name": "Event",
}

# Spelled out and not as one comparison of tuples, which ClickHouse does not look up in the primary index.
_AFTER = (
    "toDate(timestamp) >= {after_day:Date} AND (toDate(timestamp) > {after_day:Date} OR e.event > {after_event:String}"
    " OR (e.event = {after_event:String} AND e.uuid > {after_uuid:UUID}))"
)
_UNTIL = (
    "toDate(timestamp) <= {until_day:Date} AND (toDate(timestamp) < {until_day:Date} OR e.event < {until_event:String}"
    " OR (e.event = {until_event:String} AND e.uuid <= {until_uuid:UUID}))"
)
_KEY = "toDate(timestamp), e.event, e.uuid"
_ORDER = f"ORDER BY environment_id, {_KEY}"  # that of the table: rows are read in it and not sorted


@dataclass(frozen=True, slots=True)
class Export:
    """The statements for a selection."""

    selection: Selection

    def count(self, after: EventKey | None) -> Statement:
        """Asks how many events come after this key; those that are stored twice are counted twice."""
        return Statement(f"SELECT count() FROM events AS e WHERE {self._where(after)}", self._parameters(after))

    def last_of_page(self, after: EventKey | None) -> Statement:
        """Asks where a page that begins after this key has to end: day, event, uuid. No row: there are no more events.

        It looks at keys and sizes only, and at every version of an event: a page is no greater than this says.
        """
        return Statement(
            "SELECT day, event, uuid FROM (SELECT day, event, uuid, row_number() OVER page AS number,"
            " sum(size) OVER page AS bytes"
            " FROM (SELECT toDate(timestamp) AS day, e.event AS event, e.uuid AS uuid,"
            f" length(properties_json) + {_BESIDE_PROPERTIES} AS size FROM events AS e"
            f" WHERE {self._where(after)} {_ORDER} LIMIT {PAGE_EVENTS})"
            " WINDOW page AS (ORDER BY day, event, uuid ROWS UNBOUNDED PRECEDING))"
            f" WHERE number = 1 OR bytes <= {PAGE_BYTES} ORDER BY number DESC LIMIT 1",
            self._parameters(after),
        )

    def rows(self, after: EventKey | None, until: EventKey) -> Statement:
        """Asks for the events after one key and up to another, as columns of _FORMAT_SCHEMA.

        FINAL looks at nothing that PREWHERE leaves out, so that must tell events apart and never versions of one. Keys
        do. Hence persons and groups come down to the keys that have them, in any version, and are asked for again.
        """
        prewhere = ["environment_id = {environment_id:UInt32}", _UNTIL, *([_AFTER] if after else [])]
        if self._who():
            prewhere.append(
                f"({_KEY}) IN (SELECT {_KEY} FROM events AS e WHERE {self._where(after)} {_ORDER} LIMIT {PAGE_EVENTS})"
            )
        return Statement(
            "SELECT toString(e.uuid) AS uuid, e.event AS event, e.distinct_id AS distinct_id,"
            " JSONExtract(toJSONString(e.groups), 'Map(String, String)') AS groups,"
            " e.properties_json AS properties_json, toUnixTimestamp64Micro(timestamp) AS timestamp_micros"
            f" FROM events AS e FINAL PREWHERE {' AND '.join(prewhere)} WHERE {self._where()} {_ORDER}",
            self._parameters(after) | _parameters_of("until", until),
        )

    def _where(self, after: EventKey | None = None) -> str:
        conditions = ["environment_id = {environment_id:UInt32}", *self._who()]
        if after:
            conditions.append(_AFTER)
        if self.selection.start:
            conditions.append("timestamp >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')")
        if self.selection.end:
            conditions.append("timestamp < fromUnixTimestamp64Micro({end:Int64}, 'UTC')")
        if self.selection.event_names:
            conditions.append("e.event IN {event_names:Array(String)}")
        return " AND ".join(conditions)

    def _who(self) -> list[str]:
        conditions = []
        if self.selection.distinct_ids:
            conditions.append("e.distinct_id IN {distinct_ids:Array(String)}")
        if group_type := self.selection.group_type:
            conditions.append(f"{property_column('e.groups', group_type, 'String')} = {{group_key:String}}")
        return conditions

    def _parameters(self, after: EventKey | None = None) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "environment_id": self.selection.environment_id,
            "event_names": list(self.selection.event_names),
            "distinct_ids": list(self.selection.distinct_ids),
            "group_key": self.selection.group_key,
        }
        if self.selection.start:
            parameters["start"] = to_micros(self.selection.start)
        if self.selection.end:
            parameters["end"] = to_micros(self.selection.end)
        return parameters | (_parameters_of("after", after) if after else {})


def key_of(row: Sequence[str]) -> EventKey:
    """A row of last_of_page."""
    day, event, uuid = row
    return EventKey(date.fromisoformat(day), event, uuid)


def undelimited(written: bytes) -> bytes:
    """What ClickHouse writes as ProtobufList, without the length before it: the entries of a repeated field 1."""
    start = 0
    while start < len(written) and written[start] > 0x7F:
        start += 1
    return written[start + 1 :]


def _parameters_of(name: str, key: EventKey) -> dict[str, Any]:
    return {f"{name}_day": key.day.isoformat(), f"{name}_event": key.event, f"{name}_uuid": key.uuid}
