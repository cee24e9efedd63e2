"""Where acknowledged events wait for the warehouse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Range:
    """A fixed run of the journal, for one insert. Read again after a crash it is the same, token and all."""

    token: str
    """The same for the same range, and for no other, ever: the warehouse drops a second insert under it."""
    first: int
    last: int
    payload: bytes
    """A serialized StoredBatch."""
    events: int
    marks: tuple[str, ...] = ()
    """Not empty: no batches at all, but marks that were set between them, with nothing in between."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that the warehouse refused, as a StoredBatch of one, and why."""

    payload: bytes
    reason: str
    quarantined_at: float


class Journal(Protocol):
    """Durable, ordered, bounded. One process reads it."""

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """Keep a serialized StoredBatch; when this returns it is on disk.

        Returns None if it was kept now; if this environment's `batch_id` was kept before, keeps nothing and
        returns the number of events that it had. An empty `batch_id` is never the same as another.
        Raises Overloaded when the journal is full.
        """

    async def mark(self, text: str) -> None:
        """Set a mark after everything that was appended before, durably; it comes out between the ranges.

        Raises Overloaded when the journal cannot be written.
        """

    async def next_range(self, max_events: int) -> Range | None:
        """The range to load next, at least one batch if there is any, and some tens of megabytes at most.

        It is fixed until it is committed.
        """

    async def commit(self, done: Range) -> None:
        """Forget a range that is in the warehouse; its batch_ids stay known for 24 hours."""

    async def quarantine(self, token: str, payload: bytes, reason: str) -> None:
        """Keep a StoredBatch that the warehouse refused under this token, apart from the rest; once a token."""

    async def quarantined(self, limit: int) -> list[Quarantined]:
        """What was refused, oldest first."""

    async def forget_quarantined(self, is_concerned: Callable[[bytes], bool]) -> None:
        """Remove what was refused and is concerned, which is asked of each payload."""

    async def wait(self, seconds: float) -> None:
        """Return when something was appended since the last next_range, or after this many seconds."""

    async def complete_until(self) -> float:
        """Unix time before which everything acknowledged has been committed; now, if nothing waits."""

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""
