"""What one call carries: a batch of events under its batch_id, or one change of a profile; written out for the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from burgee.evaluation.model import USER
from burgee.events import new_uuid
from burgee.losses import Dropped
from burgee.profiles import Change
from burgee.v1 import capture_pb2
from burgee.v1.profiles_pb2 import AliasPersonRequest, IdentifyGroupRequest, IdentifyPersonRequest

Profile = tuple[str, str]
"""Whose change it is: `user` and distinct_id, or group type and key."""


class Lane(Enum):
    """Events and changes do not wait for each other. The names are those of spool files."""

    EVENTS = "events"
    CHANGES = "changes"


class Kind(IntEnum):
    """Which call takes it. The numbers are in spool files: they may never change."""

    EVENTS = 1
    PERSON = 2
    GROUP = 3
    ALIAS = 4

    @property
    def lane(self) -> Lane:
        """Where it goes along."""
        return Lane.EVENTS if self is Kind.EVENTS else Lane.CHANGES


_KINDS: dict[type, Kind] = {
    IdentifyPersonRequest: Kind.PERSON,
    IdentifyGroupRequest: Kind.GROUP,
    AliasPersonRequest: Kind.ALIAS,
}


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """One request, however often it is sent: its bytes never change, and so neither does its batch_id."""

    kind: Kind
    request: bytes
    count: int = 1
    """How many events it has; a change is one."""
    profiles: tuple[Profile, ...] = ()
    """Whose change it is: of two persons, where they become one. None for a batch."""
    kept: bool = False
    """The spool has it, too."""


def pack_events(events: Sequence[bytes]) -> Parcel:
    """A batch of what encode_event wrote, under a new batch_id."""
    # Serialized messages of one type, joined, are one message with the fields of all: their events, and the id.
    identity = capture_pb2.CaptureRequest(batch_id=new_uuid()).SerializeToString()
    return Parcel(Kind.EVENTS, b"".join((*events, identity)), len(events))


def pack_change(profile: Profile, request: Change) -> Parcel:
    """A change of one profile."""
    return Parcel(_KINDS[type(request)], request.SerializeToString(), 1, _profiles(profile, request))


def unpack(kind: Kind, count: int, request: bytes) -> Parcel:
    """A parcel as the spool kept it. Raises google.protobuf.message.DecodeError."""
    if kind is Kind.EVENTS:
        return Parcel(kind, request, count, kept=True)
    if kind is Kind.GROUP:
        group = IdentifyGroupRequest.FromString(request)
        return Parcel(kind, request, count, ((group.group_type, group.group_key),), kept=True)
    change = AliasPersonRequest.FromString(request) if kind is Kind.ALIAS else IdentifyPersonRequest.FromString(request)
    return Parcel(kind, request, count, _profiles((USER, change.distinct_id), change), kept=True)


def _profiles(profile: Profile, request: Change) -> tuple[Profile, ...]:
    """What was said of the other person before must not come after they are one."""
    if isinstance(request, AliasPersonRequest):
        return tuple(dict.fromkeys((profile, (USER, request.alias))))
    return (profile,)


def losses_of(parcel: Parcel, reasons: Mapping[int, str]) -> list[Dropped]:
    """What is lost of a parcel, by index, in words for the caller."""
    if parcel.profiles:
        whose = parcel.profiles[0]
        kind, name = ("group", ":".join(whose)) if parcel.kind is Kind.GROUP else ("person", whose[1])
        return [Dropped(kind, name, reason) for reason in reasons.values()]
    events = capture_pb2.CaptureRequest.FromString(parcel.request).events if reasons else ()
    return [Dropped("event", events[index].event, reason, events[index].uuid) for index, reason in reasons.items()]
