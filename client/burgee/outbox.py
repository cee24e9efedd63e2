"""Delivery in the background: what is put here goes to the server, by way of the spool if there is one.

Events go in batches under a `batch_id` that stays the same when a batch is sent again, by this process or another, so
that the server counts it once. Profile changes go one by one; those of one person or group in order.
"""

import threading

from burgee.channel import Connection
from burgee.desk import Desk
from burgee.keeper import Keeper
from burgee.log import logger
from burgee.losses import Losses
from burgee.parcel import Profile, losses_of, pack_change
from burgee.profiles import Change
from burgee.sender import Sender
from burgee.spool import Folder
from burgee.waiting import Limits

__all__ = ["Limits", "Outbox"]

_SENDERS = 4
_LAST_WRITE_SECONDS = 2.0
"""How long close waits for the disk, when the time to flush is over."""

_CLOSED = "the client was closed before it was acknowledged"


class Outbox:
    """Thread-safe. Putting never waits, for no server and no disk; threads start with the first thing put."""

    def __init__(self, connection: Connection, losses: Losses, limits: Limits, spool: Folder | None = None) -> None:
        self._connection = connection
        self._losses = losses
        self._limits = limits
        self._spool = spool
        self._keeper: Keeper | None = None
        self.reset()

    def reset(self) -> None:
        """Begin anew with nothing in the queue, as in a forked child: what waits there is the parent's to send."""
        if self._keeper is not None:
            self._keeper.forget()
        self._lock = threading.RLock()
        self._closed = False
        self._lost = 0
        self._started = False
        self._threads: list[threading.Thread] = []
        self._desk = Desk(self._limits, self._losses.counts, has_keeper=self._spool is not None)
        self._sender = Sender(self._desk, self._connection, self._losses)
        self._keeper = None if self._spool is None else Keeper(self._desk, self._losses, self._spool)

    def put_event(self, encoded: bytes) -> str | None:
        """Queue what encode_event wrote. Returns None, or the reason why there is no room."""
        if not self._started:
            self._start()
        return self._desk.put_event(encoded)

    def put_change(self, profile: Profile, request: Change) -> str | None:
        """Queue a change of (`user` or group type, key). Returns None, or the reason why there is no room."""
        if not self._started:
            self._start()
        return self._desk.put_change(pack_change(profile, request))

    def flush(self, timeout: float) -> bool:
        """Wait until everything put before, and found in the spool, is settled, at most `timeout` seconds.

        True: all of it is acknowledged, and nothing was lost since the flush before. False: time ran out, or
        something was dropped or rejected.
        """
        if self._spool is not None and not self._started:
            self._start()
        in_time = self._desk.wait(timeout)
        with self._lock:
            before, self._lost = self._lost, self._losses.counts.lost
            return in_time and self._lost == before

    def hurry(self) -> None:
        """Send what waits for company, without waiting for that."""
        self._desk.hurry()

    def close(self, timeout: float) -> int:
        """Take nothing more, flush, stop. Returns how many events and profile changes are lost by that.

        What is in memory only when time runs out is written to the spool, if there is one, and what is there stays.
        """
        with self._lock:
            if self._closed:
                return 0
            self._closed = True
        self._desk.close()
        if self._threads:
            self._desk.wait(timeout)
        self._desk.stop()
        self._sender.stop()
        if self._keeper is not None and self._threads:
            self._threads[0].join(_LAST_WRITE_SECONDS)
        lost = 0
        for parcel in self._desk.abandon():
            lost += parcel.count
            for loss in losses_of(parcel, dict.fromkeys(range(parcel.count), _CLOSED)):
                self._losses.tell(loss)
        self._say_what_is_left(lost)
        return lost

    def _start(self) -> None:
        with self._lock:
            if self._started or self._closed:
                return
            work = ([] if self._keeper is None else [self._keeper.run]) + [self._sender.run] * _SENDERS
            for run in work[len(self._threads) :]:  # the rest, if there were too many threads the last time
                thread = threading.Thread(target=run, name=f"burgee-{len(self._threads)}", daemon=True)
                thread.start()
                self._threads.append(thread)
            self._started = True

    def _say_what_is_left(self, lost: int) -> None:
        if self._spool is None:
            if lost:
                logger.warning("closed with %d events and profile changes not sent: they are lost", lost)
        elif left := self._losses.counts.stats.spooled:
            logger.warning(
                "closed with %d events and profile changes not sent: %d are lost, %d stay in the spool %s",
                lost + left, lost, left, self._spool.path,
            )  # fmt: skip
