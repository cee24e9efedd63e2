"""Parcels that may be sent, and those on their way."""

from collections import deque

from burgee.order import Order
from burgee.parcel import Lane, Parcel
from burgee.progress import Progress


class Dispatch:
    """Batches and changes go in turn, so that neither waits for the other. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._batches: deque[Parcel] = deque()
        self._changes = Order()
        self._changes_turn = False
        self._unanswered: dict[Parcel, None] = {}
        self.progress = {lane: Progress() for lane in Lane}
        self.unkept_changes = 0
        """How many changes without an answer are in memory only."""

    def hand(self, parcel: Parcel, *, ours: bool = True) -> None:
        """Let it go, after those that were handed before."""
        self.progress[parcel.kind.lane].hand(parcel, ours=ours)
        self._unanswered[parcel] = None
        if not parcel.profiles:
            self._batches.append(parcel)
        else:
            self._changes.add(parcel)
            self.unkept_changes += not parcel.kept

    def take(self) -> Parcel | None:
        """The next one to send, if any may go."""
        if self._batches and not (self._changes_turn and self._changes):
            self._changes_turn = True
            return self._batches.popleft()
        self._changes_turn = False
        return self._changes.take() if self._changes else None

    def answer(self, parcel: Parcel) -> bool:
        """The server's answer is here. False: too late, the parcel was recalled."""
        if parcel not in self._unanswered:
            return False
        del self._unanswered[parcel]
        self.unkept_changes -= bool(parcel.profiles) and not parcel.kept
        return True

    def settle(self, parcel: Parcel) -> None:
        """Nothing more will become of it, and who cares has been told."""
        self.progress[parcel.kind.lane].settle(parcel)
        if parcel.profiles:
            self._changes.settle(parcel)

    def recall(self) -> list[Parcel]:
        """All that have no answer, in the order in which they were handed. No answer to them will count."""
        recalled = list(self._unanswered)
        self._unanswered.clear()
        self._batches.clear()
        self.unkept_changes = 0
        return recalled

    @property
    def batches(self) -> int:
        """How many batches may go."""
        return len(self._batches)

    def __bool__(self) -> bool:
        """May any go?"""
        return bool(self._batches or self._changes)
