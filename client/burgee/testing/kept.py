"""In place of the queue: what was captured and changed, as values that a test can compare."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from burgee.counts import State
from burgee.events import decode_event
from burgee.losses import Losses
from burgee.profiles import Change
from burgee.v1.profiles_pb2 import AliasPersonRequest, IdentifyGroupRequest
from burgee.wire import properties_from_struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CapturedEvent:
    """An event as it would have been sent."""

    event: str
    distinct_id: str
    properties: dict[str, Any]
    groups: dict[str, str]
    timestamp: datetime
    uuid: str


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A change as it would have been sent, of the person (`type` is `user`) or the group with this key.

    `parent` is the type and key of the group that it belongs to from then on, if the change says so.
    """

    type: str
    key: str
    set: dict[str, Any]
    set_once: dict[str, Any]
    unset: tuple[str, ...]
    parent: tuple[str, str] | None = None


class Kept:
    """In place of the queue: keeps what is put, and hands changes on."""

    def __init__(self, losses: Losses, on_change: Callable[[ProfileChange], None]) -> None:
        self._losses = losses
        self._on_change = on_change
        self._closed = False
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.events: list[CapturedEvent] = []
        self.changes: list[ProfileChange] = []
        self.aliases: list[tuple[str, str]] = []
        self._losses.reset()
        self._lost_before = 0

    reset = clear

    def put_event(self, encoded: bytes) -> str | None:
        """Keep what encode_event wrote. Returns None, or why not."""
        if self._closed:
            return "the client is closed"
        event = decode_event(encoded)
        self.events.append(
            CapturedEvent(
                event.event,
                event.distinct_id,
                json.loads(event.properties_json or "{}"),
                dict(event.groups),
                _EPOCH + timedelta(microseconds=event.timestamp_micros),
                event.uuid,
            )
        )
        self._losses.counts.add(1, State.SENT)
        return None

    def put_change(self, profile: tuple[str, str], request: Change) -> str | None:
        """Keep a change of (`user` or group type, key). Returns None, or why not."""
        if self._closed:
            return "the client is closed"
        self._losses.counts.add(1, State.SENT)
        if isinstance(request, AliasPersonRequest):
            self.aliases.append((request.distinct_id, request.alias))
            return None
        change = ProfileChange(
            *profile,
            properties_from_struct(request.change.set, "set"),
            properties_from_struct(request.change.set_once, "set_once"),
            tuple(request.change.unset),
            _parent(request),
        )
        self.changes.append(change)
        self._on_change(change)
        return None

    def flush(self, timeout: float) -> bool:
        """Whether nothing was lost since the flush before."""
        lost = self._losses.counts.lost
        before, self._lost_before = self._lost_before, lost
        return lost == before

    def hurry(self) -> None:
        """Nothing waits."""

    def close(self, timeout: float) -> int:
        """Take nothing more; nothing is given up."""
        self._closed = True
        return 0


def _parent(request: Change) -> tuple[str, str] | None:
    if not isinstance(request, IdentifyGroupRequest) or not request.HasField("parent"):
        return None
    return request.parent.group_type, request.parent.group_key
