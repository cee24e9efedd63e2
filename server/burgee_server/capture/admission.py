"""The door: decides event by event what is taken in, and writes what is taken as the journal keeps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import urandom

from burgee_server.capture.checks import check_event
from burgee_server.capture.faults import Fault
from burgee_server.capture.times import Times, TimeWindow
from burgee_server.capture.together import check_together
from burgee_server.errors import Invalid
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch, ArrivingEvent

MAX_EVENTS = 10_000
TOGETHER_EVENTS = 500
"""How many are looked at together."""
TOGETHER_FEWEST = 8
"""Fewer are looked at one by one, which takes less time then."""


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


def admit(
    batch: ArrivingBatch,
    environment_id: int,
    now_micros: int,
    window: TimeWindow,
    known_types: frozenset[str],
    kept_from_micros: int = 0,
) -> Admission:
    """Check a batch, complete its events, and drop what is wrong. Changes `batch`.

    `known_types` are the group types that the environment has already: new ones are taken up to a limit. What happened
    before `kept_from_micros` is older than the environment keeps events.
    Raises Invalid only where the batch as a whole is wrong.
    """
    if len(batch.events) > MAX_EVENTS:
        raise Invalid.of("events", f"at most {MAX_EVENTS:,} events a batch, got {len(batch.events):,}")
    if batch.sent_at_micros < 0:
        raise Invalid.of("sent_at_micros", "must be microseconds since 1970 UTC, or 0")
    times = window.at(now_micros, batch.sent_at_micros, kept_from_micros)
    rejected: list[Rejection] = []
    group_types = set(known_types)
    events = list(batch.events)
    for first in range(0, len(events), TOGETHER_EVENTS):
        some = events[first : first + TOGETHER_EVENTS]
        if len(some) < TOGETHER_FEWEST or not check_together(some, times, group_types):
            rejected += _check_each(some, first, times, group_types)
    uuids = _new_uuids(now_micros)
    for event in events:
        if not event.uuid:
            event.uuid = next(uuids)
        event.environment_id = environment_id
        event.received_at_micros = now_micros
    for rejection in reversed(rejected):
        del batch.events[rejection.index]
    batch.ClearField("batch_id")
    batch.ClearField("sent_at_micros")
    batch.DiscardUnknownFields()
    return Admission(
        batch.SerializeToString(), len(batch.events), tuple(rejected), frozenset(group_types) - known_types
    )


def _check_each(
    events: Sequence[ArrivingEvent], first: int, times: Times, group_types: set[str]
) -> Iterator[Rejection]:
    """Those that are wrong; `first` is the index of the first."""
    for index, event in enumerate(events, first):
        try:
            check_event(event, times, group_types)
        except Fault as fault:
            yield Rejection(index, fault.field, fault.reason)


def _new_uuids(now_micros: int) -> Iterator[bytes]:
    """UUIDs by time (RFC 9562, version 7), whose last 48 bits count from a random number on; 26 before are random."""
    time, chance = f"{now_micros // 1000:012x}", urandom(10).hex()
    variant = "89ab"[int(chance[3], 16) & 3]
    head = f"{time[:8]}-{time[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-".encode()
    number = int(chance[8:], 16) >> 1  # far enough from the last one
    while True:
        yield b"%b%012x" % (head, number)
        number += 1
