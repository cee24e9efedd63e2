"""Which events a request asks for, and where an export goes on."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from burgee.v1 import profiles_pb2 as pb
from burgee_server.errors import Invalid
from burgee_server.ports.selection import EventKey, Selection
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.paging import page_token, read_page_token
from burgee_server.rpc.timestamps import read_timestamp

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

MAX_EVENT_NAMES = 100


async def check_whose(
    request: pb.ListEventsRequest | pb.ExportEventsRequest, group_types: GroupTypes, environment_id: int
) -> None:
    """Raise Invalid unless the names and the group of a request can be asked for."""
    if len(request.event_names) > MAX_EVENT_NAMES:
        raise Invalid.of("event_names", f"at most {MAX_EVENT_NAMES} names, got {len(request.event_names):,}")
    if bool(request.group_type) != bool(request.group_key):
        missing = "group_key" if request.group_type else "group_type"
        raise Invalid.of(missing, "group_type and group_key go together")
    if request.group_type:
        await group_types.require(environment_id, "group_type", request.group_type)


def read_selection(request: pb.ExportEventsRequest, environment_id: int, distinct_ids: Sequence[str]) -> Selection:
    """The selection in a request, whose person has these ids. Raises Invalid."""
    start = _moment(request.start, "start") if request.HasField("start") else None
    end = _moment(request.end, "end") if request.HasField("end") else None
    if start and end and start >= end:
        raise Invalid.of("end", "must be after start")
    return Selection(
        environment_id,
        start,
        end,
        list(request.event_names),
        distinct_ids,
        request.group_type,
        request.group_key,
    )


def cursor(key: EventKey) -> str:
    """A cursor for what comes after an event."""
    return page_token(key.day.isoformat(), key.event, key.uuid)


def read_cursor(text: str) -> EventKey | None:
    """The event that a cursor is for; None for the beginning. Raises Invalid."""
    position = read_page_token(text, str, str, str, field="cursor")
    if position is None:
        return None
    try:
        return EventKey(date.fromisoformat(position[0]), position[1], str(UUID(position[2])))
    except ValueError as error:
        raise Invalid.of("cursor", "is not one that this server gave for such a request") from error


def _moment(message: "Timestamp", field: str) -> datetime:
    """A time of a request, brought into the time that there can be events of. Raises Invalid."""
    return min(max(read_timestamp(message, field), FIRST_TIMESTAMP), LAST_TIMESTAMP)
