"""What was put and is on no way yet: events until they are a batch, and changes."""

from collections import deque
from dataclasses import dataclass
from time import monotonic

from burgee.parcel import Lane, Parcel, pack_events

BATCH_BYTES = 1 << 20
"""A batch that has this much is not filled further: a quarter of what the server takes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much waits, how much goes at once, and how long (seconds) an event waits for company."""

    queue_size: int
    batch_size: int
    flush_interval: float


class Waiting:
    """Not thread-safe: whoever has it holds a lock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._events: deque[bytes] = deque()
        self._events_bytes = 0
        self._oldest_at = 0.0
        self._hurry_until = 0
        self._changes: deque[Parcel] = deque()
        self.put = {Lane.EVENTS: 0, Lane.CHANGES: 0}
        """How many were ever put."""
        self.bytes = 0
        """How much waits."""

    def put_event(self, encoded: bytes) -> bool:
        """Add what encode_event wrote. True: who takes has something new to do, or a time to watch."""
        self._events.append(encoded)
        self.put[Lane.EVENTS] += 1
        self.bytes += len(encoded)
        before, self._events_bytes = self._events_bytes, self._events_bytes + len(encoded)
        count = len(self._events)
        if count == 1:
            self._oldest_at = monotonic()
        return count == 1 or count == self._limits.batch_size or before < BATCH_BYTES <= self._events_bytes

    def put_change(self, change: Parcel) -> None:
        """Add a change; it may go at once."""
        self._changes.append(change)
        self.put[Lane.CHANGES] += 1
        self.bytes += len(change.request)

    def hurry(self) -> None:
        """All events that are here now may go, without company."""
        self._hurry_until = self.put[Lane.EVENTS]

    def patience(self) -> float | None:
        """Seconds until something may go. None: nothing waits."""
        return 0.0 if self._changes else self._events_patience()

    def take_change(self) -> Parcel | None:
        """The next change, if there is one."""
        if not self._changes:
            return None
        change = self._changes.popleft()
        self.bytes -= len(change.request)
        return change

    def take_batch(self) -> Parcel | None:
        """The next batch, if it may go."""
        patience = self._events_patience()
        if patience is None or patience > 0:
            return None
        events: list[bytes] = []
        size = 0
        while self._events and len(events) < self._limits.batch_size and size < BATCH_BYTES:
            encoded = self._events.popleft()
            events.append(encoded)
            size += len(encoded)
        self.bytes -= size
        self._events_bytes -= size
        self._oldest_at = monotonic()
        return pack_events(events)

    def _events_patience(self) -> float | None:
        if not self._events:
            return None
        if (
            len(self._events) >= self._limits.batch_size
            or self._events_bytes >= BATCH_BYTES
            or self.put[Lane.EVENTS] - len(self._events) < self._hurry_until
        ):
            return 0.0
        return self._oldest_at + self._limits.flush_interval - monotonic()
