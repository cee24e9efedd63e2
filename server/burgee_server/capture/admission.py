"""The door: decides event by event what is taken in, and writes what is taken as the journal keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass
from os import urandom

from burgee_server.capture.checks import Fault, check_event
from burgee_server.errors import Invalid
from burgee_server.journal.v1.journal_pb2 import StoredBatch

MAX_EVENTS = 10_000
MAX_FUTURE_MICROS = 24 * 3600 * 1_000_000
"""How far ahead of the server's clock an event may be."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that was not taken: its index in the batch, the field at fault, and why."""

    index: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a batch at the door."""

    payload: bytes
    """The events that were taken, as a serialized StoredBatch."""
    accepted: int
    rejected: tuple[Rejection, ...]
    group_types: frozenset[str]
    """The types that were new."""


def admit(batch: StoredBatch, environment_id: int, now_micros: int, known_types: frozenset[str]) -> Admission:
    """Check a batch, complete its events, and drop what is wrong. Changes `batch`.

    `known_types` are the group types that the environment has already: new ones are taken up to a limit.
    Raises Invalid only where the batch as a whole is wrong.
    """
    if len(batch.events) > MAX_EVENTS:
        raise Invalid.of("events", f"at most {MAX_EVENTS:,} events a batch, got {len(batch.events):,}")
    latest = now_micros + MAX_FUTURE_MICROS
    rejected: list[Rejection] = []
    group_types = set(known_types)
    uuids = _new_uuids()
    for index, event in enumerate(batch.events):
        try:
            check_event(event, latest, group_types)
        except Fault as fault:
            rejected.append(Rejection(index, fault.field, fault.reason))
            continue
        if not event.uuid:
            event.uuid = next(uuids)
        if not event.timestamp_micros:
            event.timestamp_micros = now_micros
        event.environment_id = environment_id
        event.received_at_micros = now_micros
    for rejection in reversed(rejected):
        del batch.events[rejection.index]
    batch.ClearField("batch_id")
    batch.DiscardUnknownFields()
    return Admission(
        batch.SerializeToString(), len(batch.events), tuple(rejected), frozenset(group_types) - known_types
    )


def _new_uuids() -> Iterator[bytes]:
    """Random UUIDs (RFC 9562, version 4), as uuid4 makes them but many from one call for randomness."""
    while True:
        digits = urandom(16 * 64).hex()
        for at in range(0, len(digits), 32):
            each = digits[at : at + 32]
            variant = "89ab"[int(each[16], 16) & 3]
            yield f"{each[:8]}-{each[8:12]}-4{each[13:16]}-{variant}{each[17:20]}-{each[20:]}".encode()
