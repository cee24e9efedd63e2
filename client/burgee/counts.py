"""What became of events and profile changes, counted so that each is in one state at every moment."""

import threading
from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of events and profile changes: each is in one of queued, spooled, sent, dropped and rejected."""

    queued: int
    """In memory only: waiting, or on the way and not acknowledged. Gone if the process is killed."""
    spooled: int
    """In the spool and not acknowledged, with what this client took over from processes that ended."""
    sent: int
    """Acknowledged by the server."""
    retried: int
    """Calls that were made again; a batch counts as one."""
    dropped: int
    """Given up by the client: bad input, a full queue, a refused call, a close that ran out of time."""
    rejected: int
    """Refused by the server, one by one, for what was in them."""


class State(IntEnum):
    """Where an event or a change is."""

    QUEUED = 0
    SPOOLED = 1
    SENT = 2
    DROPPED = 3
    REJECTED = 4


class Counts:
    """Thread-safe. What is moved from state to state is in none or in two of them at no moment."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child, where a lock may have been left held."""
        self._lock = threading.RLock()  # reentrant: a finalizer may capture while its thread is in here
        self._in = [0] * len(State)
        self._retried = 0

    def add(self, count: int, state: State) -> None:
        """So many that were not counted yet are in this state."""
        with self._lock:
            self._in[state] += count

    def move(self, count: int, origin: State, state: State) -> None:
        """So many have gone from one state to another."""
        with self._lock:
            self._in[origin] -= count
            self._in[state] += count

    def count_retry(self) -> None:
        """A call is made again."""
        with self._lock:
            self._retried += 1

    @property
    def queued(self) -> int:
        """How many are in memory only."""
        return self._in[State.QUEUED]

    @property
    def lost(self) -> int:
        """How many were dropped or rejected so far."""
        with self._lock:
            return self._in[State.DROPPED] + self._in[State.REJECTED]

    @property
    def stats(self) -> Stats:
        """All counters at one moment."""
        with self._lock:
            queued, spooled, sent, dropped, rejected = self._in
            return Stats(queued, spooled, sent, self._retried, dropped, rejected)
