"""The events of a person, a group or an environment, newest first."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from burgee.evaluation.model import USER
from burgee_server.ports.warehouse import (
    Statement,
    StoredEvent,
    from_micros,
    property_column,
    to_micros,
)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Whose events: those that match everything that is not empty."""

    environment_id: int
    distinct_ids: Sequence[str]
    group_type: str
    group_key: str
    event_names: Sequence[str]
    before: tuple[datetime, str] | None

    def bounds(self) -> Statement:
        """Asks between which times there can be events."""
        named = [self.group_key] if self.group_key else []
        type_, keys = (USER, list(self.distinct_ids)) if self.distinct_ids else (self.group_type, named)
        key_clause = " AND key IN {keys:Array(String)}" if keys else ""
        return Statement(
            "SELECT toUnixTimestamp64Micro(min(first_seen_at)), toUnixTimestamp64Micro(max(last_seen_at)) FROM activity"
            f" WHERE environment_id = {{environment_id:UInt32}} AND type = {{type:String}}{key_clause}",
            {"environment_id": self.environment_id, "type": type_ or USER, "keys": keys},
        )

    def events(self, start: datetime, end: datetime, limit: int) -> Statement:
        """Asks for the newest events with start <= timestamp <= end."""
        where = [
            "environment_id = {environment_id:UInt32}",
            "timestamp >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')",
            "timestamp <= fromUnixTimestamp64Micro({end:Int64}, 'UTC')",
        ]
        parameters: dict[str, Any] = {
            "environment_id": self.environment_id,
            "start": to_micros(start),
            "end": to_micros(end),
            "limit": limit,
        }
        if self.before:
            where.append("(timestamp, uuid) < (fromUnixTimestamp64Micro({before:Int64}, 'UTC'), {uuid:UUID})")
            parameters |= {"before": to_micros(self.before[0]), "uuid": self.before[1]}
        if self.distinct_ids:
            where.append("distinct_id IN {distinct_ids:Array(String)}")
            parameters["distinct_ids"] = list(self.distinct_ids)
        if self.group_type:
            where.append(f"{property_column('groups', self.group_type, 'String')} = {{group_key:String}}")
            parameters["group_key"] = self.group_key
        if self.event_names:
            where.append("event IN {event_names:Array(String)}")
            parameters["event_names"] = list(self.event_names)
        return Statement(
            "SELECT toString(uuid), event, distinct_id, toJSONString(groups), properties_json,"
            " toUnixTimestamp64Micro(timestamp)"
            f" FROM events FINAL WHERE {' AND '.join(where)}"
            " ORDER BY timestamp DESC, uuid DESC LIMIT {limit:UInt32}",
            parameters,
        )


def spans(first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Closed spans from `last` back to `first`, without overlap, each eight times as long as the one before.

    So a page of a busy timeline is read from few days, and a page of a quiet one in a few steps.
    """
    length = timedelta(days=1)
    while last - first > length:
        yield last - length, last
        last -= length + timedelta(microseconds=1)
        length *= 8
    if last >= first:
        yield first, last


def event_of(row: Sequence[Any]) -> StoredEvent:
    """A row of Timeline.events."""
    uuid, event, distinct_id, groups, properties_json, micros = row
    return StoredEvent(uuid, event, distinct_id, json.loads(groups), properties_json, from_micros(micros))
