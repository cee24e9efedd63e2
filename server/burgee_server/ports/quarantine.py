"""Where events stay that the warehouse refused: first aside, with those around them, then each with its reason."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """Events that were set aside together, as a serialized StoredBatch. Read again after a crash it is the same."""

    part_id: int
    payload: bytes
    events: int
    examined: bool
    """Whether events that are at fault by themselves have been taken out."""


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that goes into quarantine, as a StoredBatch of one, and why."""

    environment_id: int
    payload: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """An event in quarantine, as a StoredBatch of one."""

    quarantine_id: int
    """Greater than those of all that came before, in any environment."""
    payload: bytes
    reason: str
    quarantined_at: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of a quarantine: those for which everything given here holds; all of them if nothing is."""

    quarantine_ids: frozenset[int] = frozenset()
    reason: str = ""
    """A text that the reason contains, letter by letter."""
    start: datetime | None = None
    """Quarantined then or later."""
    end: datetime | None = None
    """Quarantined before."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a payload: a serialized StoredBatch, and its number of events."""

    payload: bytes
    events: int


@dataclass(frozen=True, slots=True)
class Held:
    """How many events a quarantine store holds, of all environments."""

    aside: int
    """Set aside with those around them, to be examined."""
    quarantined: int


class QuarantineStore(Protocol):
    """Durable: what it was given is on disk when a call returns, and each change happens whole or not at all."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """To be held from the reading of events to the end of what is done with them: nobody else moves any meanwhile.

        So what is loaded from here is still here, and not what was sifted out after it was read.
        """

    async def sift(self, leave: Callable[[bytes], Remainder | None]) -> None:
        """Take events out of all that is set aside and in quarantine, for good; hold alone() meanwhile.

        `leave` is asked, in a thread, what is to be left of each payload; None: all of it. It may have been done in
        part when this fails; done again, it does the rest.
        """

    async def next_part(self, after: int) -> Part | None:
        """The part with the least part_id greater than `after`."""

    async def divide(self, part: Part, rest: Sequence[tuple[bytes, int]], refused: Sequence[RefusedEvent]) -> None:
        """Put examined parts, each a payload and its number of events, and quarantined events in a part's place."""

    async def release(self, part: Part) -> None:
        """Forget a part that is in the warehouse."""

    async def page(
        self, environment_id: int, selection: Selection, before: int | None, limit: int
    ) -> Sequence[QuarantinedEvent]:
        """Events of an environment, newest first, with a quarantine_id less than `before`."""

    async def refuse(self, reasons: Sequence[tuple[int, str]]) -> None:
        """Give events that are refused once more, by quarantine_id, the reason of this time."""

    async def held(self) -> Held:
        """How much there is. For those who watch a server: it may be a moment old."""

    async def remove(self, environment_id: int, selection: Selection) -> int:
        """Forget these events for good; return how many there were."""
