"""Records of other people's tables as events, by a mapping."""

import hashlib
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from burgee.v1.capture_pb2 import Event
from burgee_server.cli.imports.columns import as_object, as_text, find
from burgee_server.cli.imports.mapping import Condition, Identity, Mapping, Origin, origin_of, time_of
from burgee_server.cli.imports.properties import PropertyWriter
from burgee_server.cli.imports.records import Record, as_uuid, uuid_of
from burgee_server.cli.imports.times import clock


class MappedReading:
    """Reads records by a mapping. Call it with a record."""

    def __init__(self, mapping: Mapping) -> None:
        time = time_of(mapping.timestamp)
        self._time_column = time.column
        self._micros = clock(time.format, ZoneInfo(time.time_zone))
        self._event = origin_of(mapping.event)
        self._distinct_id = origin_of(mapping.distinct_id)
        self._uuid = mapping.uuid
        self._groups = mapping.groups
        self._skip, self._only = mapping.skip, mapping.only
        self._choosy = bool(mapping.skip or mapping.only)
        used = {path.partition(".")[0] for key, path in mapping.paths() if not key.startswith(("skip", "only"))}
        self._properties = PropertyWriter(mapping.properties, frozenset(used))

    def __call__(self, record: Record) -> Event | None:
        """The event in a record; None for one that the mapping leaves out. Raises NotAnEvent."""
        fields = record.fields()
        if self._choosy and not self._wanted(fields):
            return None
        return Event(
            uuid=self._identity(fields) or uuid_of(record),
            event=_text_of(fields, self._event, "event"),
            distinct_id=_text_of(fields, self._distinct_id, "distinct_id"),
            timestamp_micros=self._micros(find(fields, self._time_column)),
            groups=self._groups_of(fields),
            properties_json=self._properties.write(fields),
        )

    def _wanted(self, fields: dict[str, Any]) -> bool:
        return all(_holds(each, fields) for each in self._only) and not any(_holds(each, fields) for each in self._skip)

    def _identity(self, fields: dict[str, Any]) -> str:
        if isinstance(self._uuid, Identity):
            values = [as_text(find(fields, column), column) for column in self._uuid.made_of]
            return as_uuid(hashlib.sha256(msgspec.json.encode(values)).hexdigest())
        return as_text(find(fields, self._uuid), "uuid") if self._uuid else ""

    def _groups_of(self, fields: dict[str, Any]) -> dict[str, str]:
        found: dict[str, Any] = {}
        if path := self._groups.object:
            found |= as_object(find(fields, path), path)
        for group_type, path in self._groups.columns.items():
            found[group_type] = find(fields, path)
        texts = {group_type: as_text(key, f"groups[{group_type}]") for group_type, key in found.items()}
        return {group_type: key for group_type, key in texts.items() if key}


def _text_of(fields: dict[str, Any], origin: Origin, name: str) -> str:
    if origin.constant is not None:
        return origin.constant
    for column in origin.columns():
        if text := as_text(find(fields, column), name):
            return text
    return ""


def _holds(condition: Condition, fields: dict[str, Any]) -> bool:
    return as_text(find(fields, condition.column), condition.column) in condition.values
