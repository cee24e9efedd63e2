"""Lines that are events already, by Burgee's own names: what needs no mapping, and what `burgee export` writes."""

import re

import msgspec

from burgee.v1.capture_pb2 import Event
from burgee_server.cli.imports.records import NotAnEvent, Record, uuid_of
from burgee_server.cli.imports.times import clock


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """An event as a line has it. Properties are not looked into: they arrive as they are written."""

    event: str | None = None
    distinct_id: str | None = None
    timestamp: int | float | str | None = None
    groups: dict[str, str] | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")
    uuid: str | None = None


_decoder = msgspec.json.Decoder(_Line)
_micros = clock()
_PLACE = re.compile(r" - at `\$\.?(\w+).*`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$")


def read_native(record: Record) -> Event:
    """The event in a line. Raises NotAnEvent."""
    try:
        line = _decoder.decode(record.raw)
        properties = bytes(line.properties).decode()
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnEvent("line", f"must be a JSON object: {error}") from None
    if properties and properties[0] != "{":
        if properties != "null":
            raise NotAnEvent("properties", "must be a JSON object")
        properties = ""
    return Event(
        uuid=line.uuid or uuid_of(record),
        event=line.event or "",
        distinct_id=line.distinct_id or "",
        groups=line.groups,
        properties_json=properties,
        timestamp_micros=_micros(line.timestamp),
    )


def _explained(message: str) -> NotAnEvent:
    """What msgspec found, by field."""
    if unknown := _UNKNOWN.match(message):
        names = ", ".join(_Line.__struct_fields__)
        return NotAnEvent(unknown[1], f"is not a field of an event, which are {names}; a mapping can say what it is")
    place = _PLACE.search(message)
    return NotAnEvent(place[1], message[: place.start()]) if place else NotAnEvent("line", message)
