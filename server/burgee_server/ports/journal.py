"""Where acknowledged events wait for the warehouse."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from burgee_server.ports.quarantine import Remainder

Late: TypeAlias = Callable[[float], Awaitable[Callable[[bytes], Remainder | None]]]
"""Of payloads that come into the journal late, and were acknowledged at this Unix time at the earliest: what is to be
left of each by now; None: all of it."""


@dataclass(frozen=True, slots=True)
class Range:
    """A fixed run of the journal, for one insert. Read again after a crash it is the same, or the part that was not
    forgotten yet.
    """

    first: int
    last: int
    payload: bytes
    """A serialized StoredBatch."""
    events: int
    again: bool
    """It was handed out before: somebody may have loaded it, or a part of it."""
    marks: tuple[str, ...] = ()
    """Not empty: no batches at all, but marks that were set between them, with nothing in between."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a journal for the warehouse, and how full the journal is."""

    batches: int
    events: int
    bytes: int
    oldest_at: float | None
    """Unix time at which the oldest of it was appended."""
    kept_bytes: int
    """Everything that is not in the warehouse: what waits, what was set aside, what is in quarantine."""
    max_bytes: int


class Journal(Protocol):
    """Durable, ordered, bounded. One process reads it."""

    async def claim(self, installation: str) -> str:
        """Whose events these are: the installation that claimed the journal first, which may be this one now."""

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """Keep a serialized StoredBatch; when this returns it is on disk.

        Returns None if it was kept now; if this environment's `batch_id` was kept before, keeps nothing and
        returns the number of events that it had. An empty `batch_id` is never the same as another.
        Of a batch without events the id is kept. One that is larger than all that may be kept is taken by an empty
        journal. Raises Overloaded when the journal is full; what was kept before is known all the same.
        """

    async def batch(self, environment_id: int, batch_id: str) -> int | None:
        """How many events a batch had that was kept under this id; None if there is none, or it is forgotten."""

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

    async def set_aside(self, refused: Range) -> None:
        """Hand a range that the warehouse refused over to the QuarantineStore, as one part, in one step."""

    async def wait(self, seconds: float) -> None:
        """Return when something was appended since the last next_range, or after this many seconds."""

    async def complete_until(self) -> float:
        """Unix time before which all that was acknowledged is in the warehouse or in quarantine; now, if none waits."""

    async def backlog(self) -> Backlog:
        """How things stand. Holds up nobody who appends, and takes no longer than a glance at each batch."""

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""


class Held(Protocol):
    """What this node has acknowledged by itself, because the journal of all nodes could not be reached."""

    away: bool
    """Whether that journal cannot be reached, as far as is known."""
    handed_over: int
    """How many events that journal was given since the start."""

    async def holding(self) -> Backlog:
        """What waits to be handed over."""

    async def hand_over(self, late: Late) -> None:
        """Give the journal of all nodes everything that is held, under the ids that it was acknowledged with.

        Cut short anywhere, it is done again: a batch that has arrived is not kept again, within 24 hours.
        Raises Unavailable and Overloaded; then it is still held.
        """

    async def until_held(self, seconds: float) -> None:
        """Return when something is held that was not before, or after this many seconds."""
