"""Where events and changes are between capture and their acknowledgement; callers, senders and keeper meet here."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from burgee.counts import Counts, State
from burgee.dispatch import Dispatch
from burgee.parcel import Lane, Parcel
from burgee.waiting import Limits, Waiting

QUEUE_BYTES = 128 << 20
"""The queue is full with this much in memory, however few events it is."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What the keeper is to do."""

    parcels: list[Parcel]
    """To be put on the disk: those that are new, or, at the end, all that are in memory only."""
    settled: list[Parcel]
    """Not to be sent again."""
    last: bool
    """Nothing will come after this."""


class Desk:
    """Thread-safe. Nobody has its lock while he waits for a server, a disk or a callback.

    What is put waits until it may go. Without a keeper, senders take it from there. With one, the keeper collects it,
    writes it to the spool, and hands over to the senders what it reads from there; or, if the spool cannot take it,
    what it collected.
    """

    def __init__(self, limits: Limits, counts: Counts, *, has_keeper: bool) -> None:
        self._limits = limits
        self._counts = counts
        self._has_keeper = has_keeper
        lock = threading.RLock()  # reentrant: a finalizer may capture while its thread is in here
        self._to_send = threading.Condition(lock)
        self._to_keep = threading.Condition(lock)
        self._settled = threading.Condition(lock)
        self._lock = lock
        self._closed = False
        self._stopped = False
        self._waiting = Waiting(limits)
        self._dispatch = Dispatch()
        self._collected: dict[Parcel, None] = {}
        self._settled_kept: list[Parcel] = []
        self._parcels_bytes = 0  # of those in memory only
        self._others_wait = has_keeper

    # Callers

    def put_event(self, encoded: bytes) -> str | None:
        """Queue what encode_event wrote. Returns None, or the reason why there is no room."""
        with self._lock:
            if refusal := self._refusal():
                return refusal
            self._counts.add(1, State.QUEUED)
            if self._waiting.put_event(encoded):
                (self._to_keep if self._has_keeper else self._to_send).notify()
        return None

    def put_change(self, change: Parcel) -> str | None:
        """Queue a change. Returns None, or the reason why there is no room."""
        with self._lock:
            if refusal := self._refusal():
                return refusal
            self._counts.add(1, State.QUEUED)
            self._waiting.put_change(change)
            (self._to_keep if self._has_keeper else self._to_send).notify()
        return None

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._closed = True

    def hurry(self) -> None:
        """Let all that is here go, without company."""
        with self._lock:
            self._waiting.hurry()
            self._to_send.notify_all()
            self._to_keep.notify()

    def wait(self, timeout: float) -> bool:
        """Hurry, and wait until all that is here, and all that the keeper found, is settled. False: it took longer."""
        with self._lock:
            put = dict(self._waiting.put)
            self.hurry()
            self._settled.wait_for(lambda: self._stopped or self._reached(put), timeout)
            return self._reached(put)

    def stop(self) -> None:
        """Send nothing more. What is in memory only goes to the keeper, once more."""
        with self._lock:
            self._stopped = True
            self._others_wait = False
            # Before those that were collected: they had been, and went to the senders first.
            recalled = [parcel for parcel in self._dispatch.recall() if not parcel.kept]
            self._collected = dict.fromkeys([*recalled, *self._collected])
            self.hurry()
            self._settled.notify_all()

    def abandon(self) -> list[Parcel]:
        """What is still in memory only, after stop; from here on it counts as dropped."""
        with self._lock:
            abandoned = [*self._collected, *self._take_all()]
            self._collected.clear()
            for parcel in abandoned:
                self._counts.move(parcel.count, State.QUEUED, State.DROPPED)
        return abandoned

    # Senders

    def take(self) -> Parcel | None:
        """The next parcel to send, waiting for it. None: stop."""
        with self._lock:
            while not self._stopped:
                patience = None if self._has_keeper else self._hand_waiting()
                if (parcel := self._dispatch.take()) is not None:
                    if self._dispatch or patience is not None:
                        self._to_send.notify()  # this thread is busy now, and may have been the one with the timer
                    return parcel
                self._to_send.wait(patience)
        return None

    def answer(self, parcel: Parcel, *, dropped: int = 0, rejected: int = 0) -> bool:
        """The server has dealt with a parcel. False: too late, it was given up or left to another process."""
        with self._lock:
            if not self._dispatch.answer(parcel):
                return False
            origin = State.SPOOLED if parcel.kept else State.QUEUED
            self._counts.move(parcel.count - dropped - rejected, origin, State.SENT)
            self._counts.move(dropped, origin, State.DROPPED)
            self._counts.move(rejected, origin, State.REJECTED)
            if parcel.kept:
                self._settled_kept.append(parcel)
                self._to_keep.notify()
            else:
                self._parcels_bytes -= len(parcel.request)
        return True

    def settle(self, parcel: Parcel) -> None:
        """Its losses have been told, and nothing more will become of it."""
        with self._lock:
            self._dispatch.settle(parcel)
            if self._dispatch:
                self._to_send.notify()
            self._settled.notify_all()

    # The keeper

    def collect(self, seconds: float) -> Collected:
        """What there is to do, waiting for it at most so long."""
        until = monotonic() + seconds
        with self._lock:
            while not (self._stopped or self._settled_kept):
                left = until - monotonic()
                patience = self._waiting.patience()
                left = left if patience is None else min(patience, left)
                if left <= 0:
                    break
                self._to_keep.wait(left)
            new = self._take_all()
            self._collected.update(dict.fromkeys(new))
            settled, self._settled_kept = self._settled_kept, []
            return Collected(list(self._collected) if self._stopped else new, settled, self._stopped)

    def keep(self, parcels: Iterable[Parcel]) -> None:
        """These are on the disk now, and can be let go of."""
        with self._lock:
            for parcel in parcels:
                if self._collected.pop(parcel, self) is None:
                    self._parcels_bytes -= len(parcel.request)
                    self._counts.move(parcel.count, State.QUEUED, State.SPOOLED)

    def hand(self, parcel: Parcel, *, ours: bool = True) -> None:
        """Let the senders have it: one that was read from the disk, or that could not be written there."""
        with self._lock:
            if not self._stopped:
                self._collected.pop(parcel, None)
                self._dispatch.hand(parcel, ours=ours)
                self._to_send.notify()

    def adopt(self, count: int) -> None:
        """So many were found in the spool, of a process that has ended."""
        self._counts.add(count, State.SPOOLED)

    def lose(self, lane: Lane, count: int, *, ours: bool) -> None:
        """So many that were on the disk cannot be read any more."""
        with self._lock:
            self._counts.move(count, State.SPOOLED, State.DROPPED)
            if ours:
                self._dispatch.progress[lane].skip(count)
            self._settled.notify_all()

    def has_room(self, lane: Lane) -> bool:
        """Should more be read from the disk?"""
        with self._lock:
            return not self._stopped and self._dispatch.progress[lane].has_room

    @property
    def sends_unkept_changes(self) -> bool:
        """Are there changes on their way that are not on the disk? Later ones must not get there before them."""
        with self._lock:
            return self._dispatch.unkept_changes > 0

    def note_others(self, *, wait: bool) -> None:
        """Does anything that other processes left wait to be handed to the senders?"""
        with self._lock:
            self._others_wait = wait
            self._settled.notify_all()

    def _refusal(self) -> str | None:
        if self._closed:
            return "the client is closed"
        full = self._counts.queued >= self._limits.queue_size
        if full or self._waiting.bytes + self._parcels_bytes >= QUEUE_BYTES:
            return "the queue is full"
        return None

    def _hand_waiting(self) -> float | None:
        """Hand over what may go without a keeper. Seconds until more may go; None: nothing waits."""
        while (change := self._waiting.take_change()) is not None:
            self._parcels_bytes += len(change.request)
            self._dispatch.hand(change)
        if not self._dispatch.batches and (batch := self._waiting.take_batch()) is not None:
            self._parcels_bytes += len(batch.request)
            self._dispatch.hand(batch)
        return self._waiting.patience()

    def _take_all(self) -> list[Parcel]:
        """Everything that may go."""
        changes = iter(self._waiting.take_change, None)
        parcels = [*changes, *iter(self._waiting.take_batch, None)]
        self._parcels_bytes += sum(len(parcel.request) for parcel in parcels)
        return parcels

    def _reached(self, put: dict[Lane, int]) -> bool:
        return not self._others_wait and all(
            self._dispatch.progress[lane].reached(count) for lane, count in put.items()
        )
