"""Delivery in the background: one bounded queue, emptied by a few threads that send, wait and send again.

Events go out in batches under a `batch_id` that stays the same when a batch is sent again, so that the server counts
it once. Profile changes go out one by one; those of one person or group in order, those of different ones side by side.
"""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from burgee.channel import Connection
from burgee.delivery import GroupChange, PersonChange, Refused, deliver
from burgee.evaluation.model import USER
from burgee.events import decode_event, new_uuid
from burgee.losses import Dropped, Losses
from burgee.v1 import capture_pb2

BATCH_BYTES = 1 << 20
"""A batch that has this much is not filled further: a quarter of what the server takes."""

QUEUE_BYTES = 128 << 20
"""The queue is full with this much waiting, however few events it is."""

_THREADS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much waits, how much goes at once, and how long (seconds) an event waits for company."""

    queue_size: int
    batch_size: int
    flush_interval: float


@dataclass(frozen=True, slots=True)
class _Batch:
    ticket: int
    events: list[bytes]
    request: bytes


@dataclass(frozen=True, slots=True)
class _Change:
    ticket: int
    profile: tuple[str, str]
    request: PersonChange | GroupChange

    @property
    def kind(self) -> str:
        return "person" if self.profile[0] == USER else "group"

    @property
    def name(self) -> str:
        return self.profile[1] if self.profile[0] == USER else ":".join(self.profile)


class Outbox:
    """Thread-safe. Putting never waits; threads start with the first thing put."""

    def __init__(self, connection: Connection, losses: Losses, limits: Limits) -> None:
        self._connection = connection
        self._losses = losses
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Begin anew with nothing in the queue, as in a forked child: what waits there is the parent's to send."""
        self._changed = threading.Condition()  # reentrant: a finalizer may capture while its thread is in here
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self.queued = self.sent = self.retried = 0
        self._settled_losses = 0
        # Events wait in `_events`; tickets count them. `_batches` are on their way, by the ticket of their first event.
        # A batch without events, and a change that is None, is done but for telling about its losses.
        self._events: deque[bytes] = deque()
        self._events_bytes = 0
        self._oldest_at = 0.0
        self._events_put = self._events_taken = self._hurry_until = 0
        self._batches: dict[int, _Batch] = {}
        # Changes that are not acknowledged, by ticket, and again by profile. `_ready` profiles have none on its way.
        self._changes: dict[int, _Change | None] = {}
        self._changes_put = 0
        self._changes_turn = False
        self._by_profile: dict[tuple[str, str], deque[_Change]] = {}
        self._ready: deque[tuple[str, str]] = deque()

    def put_event(self, encoded: bytes) -> str | None:
        """Queue what encode_event wrote. Returns None, or the reason why there is no room."""
        with self._changed:
            if refusal := self._refuse():
                return refusal
            self._events.append(encoded)
            self._events_put += 1
            before, self._events_bytes = self._events_bytes, self._events_bytes + len(encoded)
            waiting = len(self._events)
            if waiting == 1:
                self._oldest_at = monotonic()
            if waiting == 1 or waiting == self._limits.batch_size or before < BATCH_BYTES <= self._events_bytes:
                self._changed.notify()
        return None

    def put_change(self, profile: tuple[str, str], request: PersonChange | GroupChange) -> str | None:
        """Queue a change of (`user` or group type, key). Returns None, or the reason why there is no room."""
        with self._changed:
            if refusal := self._refuse():
                return refusal
            change = _Change(self._changes_put, profile, request)
            self._changes_put += 1
            self._changes[change.ticket] = change
            if waiting := self._by_profile.get(profile):
                waiting.append(change)
            else:
                self._by_profile[profile] = deque((change,))
                self._ready.append(profile)
                self._changed.notify()
        return None

    def flush(self, timeout: float) -> bool:
        """Wait until everything put before is settled, at most `timeout` seconds.

        True: all of it is acknowledged, and nothing was lost since the flush before. False: time ran out, or
        something was dropped or rejected.
        """
        with self._changed:
            events, changes = self._events_put, self._changes_put
            self._hurry_until = events
            self._changed.notify_all()
            in_time = self._changed.wait_for(lambda: self._settled(events, changes), timeout)
            lost, self._settled_losses = self._losses.total - self._settled_losses, self._losses.total
            return in_time and not lost

    def close(self, timeout: float) -> int:
        """Take nothing more, flush, stop. Returns how many events and changes were given up as not acknowledged."""
        with self._changed:
            self._closed = True
        self.flush(timeout)
        with self._changed:
            self._stopped.set()
            abandoned = list(self._abandon())
            self.queued = 0
            self._changed.notify_all()
        for loss in abandoned:
            self._losses.report(loss)
        return len(abandoned)

    def _refuse(self) -> str | None:
        if self._closed:
            return "the client is closed"
        if self.queued >= self._limits.queue_size or self._events_bytes >= QUEUE_BYTES:
            return "the queue is full"
        if not self._threads:
            for number in range(_THREADS):
                thread = threading.Thread(target=self._work, name=f"burgee-{number}", daemon=True)
                thread.start()
                self._threads.append(thread)
        self.queued += 1
        return None

    def _settled(self, events: int, changes: int) -> bool:
        return (
            min(self._batches, default=self._events_taken) >= events
            and next(iter(self._changes), self._changes_put) >= changes
        )

    def _abandon(self) -> Iterator[Dropped]:
        reason = "the client was closed before it was acknowledged"
        for change in self._changes.values():
            if change is not None:
                yield Dropped(change.kind, change.name, reason)
        for encoded in (*(event for batch in self._batches.values() for event in batch.events), *self._events):
            yield _dropped_event(encoded, reason)
        self._changes.clear()
        self._by_profile.clear()
        self._ready.clear()
        self._batches.clear()
        self._events.clear()

    def _work(self) -> None:
        while (work := self._take()) is not None:
            if isinstance(work, _Batch):
                self._send_batch(work)
            else:
                self._send_change(work)

    def _take(self) -> _Batch | _Change | None:
        """The next thing to send, waiting for it; batches and changes in turn. None: stop."""
        with self._changed:
            while not self._stopped.is_set():
                patience = self._patience() if self._events else None
                due = patience is not None and patience <= 0
                if due or self._ready:
                    batch_goes = due and not (self._changes_turn and self._ready)
                    self._changes_turn = batch_goes
                    work = self._take_batch() if batch_goes else self._by_profile[self._ready.popleft()][0]
                    if self._events or self._ready:
                        self._changed.notify()  # this thread is busy now, and may have been the one with the timer
                    return work
                self._changed.wait(patience)
        return None

    def _patience(self) -> float:
        """Seconds until the events that wait have to go."""
        if (
            len(self._events) >= self._limits.batch_size
            or self._events_bytes >= BATCH_BYTES
            or self._events_taken < self._hurry_until
        ):
            return 0.0
        return self._oldest_at + self._limits.flush_interval - monotonic()

    def _take_batch(self) -> _Batch:
        taken: list[bytes] = []
        size = 0
        while self._events and len(taken) < self._limits.batch_size and size < BATCH_BYTES:
            encoded = self._events.popleft()
            taken.append(encoded)
            size += len(encoded)
        self._events_bytes -= size
        # Serialized messages of one type, joined, are one message with the fields of all: their events, and the id.
        identity = capture_pb2.CaptureRequest(batch_id=new_uuid()).SerializeToString()
        batch = _Batch(self._events_taken, taken, b"".join((*taken, identity)))
        self._batches[batch.ticket] = batch
        self._events_taken += len(taken)
        self._oldest_at = monotonic()
        return batch

    def _send_batch(self, batch: _Batch) -> None:
        everything = range(len(batch.events))
        try:
            response = deliver(self._connection, batch.request, self._stopped, self._count_retry)
        except Refused as refusal:
            losses, rejected = dict.fromkeys(everything, str(refusal)), False
        else:
            if response is None:
                return
            losses = {bad.index: f"{bad.field}: {bad.reason}" for bad in response.rejected if bad.index in everything}
            rejected = True
        with self._changed:
            if batch.ticket not in self._batches:
                return  # close gave it up, and said so
            self._batches[batch.ticket] = _Batch(batch.ticket, [], b"")
            self.queued -= len(batch.events)
            self.sent += len(batch.events) - len(losses)
        for index, reason in losses.items():
            self._losses.report(_dropped_event(batch.events[index], reason), rejected=rejected)
        with self._changed:
            self._batches.pop(batch.ticket, None)
            self._changed.notify_all()

    def _send_change(self, change: _Change) -> None:
        refusal = ""
        try:
            if deliver(self._connection, change.request, self._stopped, self._count_retry) is None:
                return
        except Refused as refused:
            refusal = str(refused)
        with self._changed:
            if change.ticket not in self._changes:
                return  # close gave it up, and said so
            self._changes[change.ticket] = None
            self.queued -= 1
            self.sent += not refusal
        if refusal:
            self._losses.report(Dropped(change.kind, change.name, refusal))
        with self._changed:
            self._changes.pop(change.ticket, None)
            if waiting := self._by_profile.get(change.profile):
                waiting.popleft()
                if waiting:
                    self._ready.append(change.profile)
                else:
                    del self._by_profile[change.profile]
            self._changed.notify_all()

    def _count_retry(self) -> None:
        with self._changed:
            self.retried += 1


def _dropped_event(encoded: bytes, reason: str) -> Dropped:
    event = decode_event(encoded)
    return Dropped("event", event.event, reason, event.uuid)
