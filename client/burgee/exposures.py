"""Exposures: who was given what by which flag, each once in an hour; see docs/decisions/0010.

A check that is the first of its kind is put down as it is; the event is written in the background (exposure.py).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from time import time

from burgee.evaluation.model import USER, Resolution
from burgee.exposure import EVENT, WINDOW_SECONDS, Exposure, encode_exposure, other_unit
from burgee.log import words
from burgee.losses import Dropped, Losses

MOST_REMEMBERED = 100_000
"""Some 20 MB. When there are more in an hour, all are forgotten, and captured again when they are next checked."""

MOST_WAITING = 10_000

_GATHER_SECONDS = 0.1
"""How long the first that waits has for others to come: a thread that woke up for each would cost more than they do."""


class Exposures:
    """Thread-safe; noting never waits and never raises. The thread starts with the first exposure.

    `put` takes an encoded event, or says why not. `has_room` says whether exposures are welcome: what the caller
    captures comes first. `losses` are told of those that were not taken.
    """

    def __init__(self, put: Callable[[bytes], str | None], has_room: Callable[[], bool], losses: Losses) -> None:
        self._put = put
        self._has_room = has_room
        self._losses = losses
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child: what waits there is the parent's to send."""
        self._lock = threading.RLock()  # reentrant: a finalizer may check a flag while its thread is in here
        self._writing = threading.RLock()
        self._due = threading.Event()
        self._stopped = threading.Event()
        self._started = False
        self._seen: set[tuple[str, str, str]] = set()
        self._window_ends_at = 0.0
        self._waiting: deque[Exposure] = deque()
        self._too_many = 0

    @property
    def waiting(self) -> int:
        """How many are no events yet."""
        return len(self._waiting)

    def note(
        self,
        resolution: Resolution,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
    ) -> None:
        """Somebody was given this. A fraction of a microsecond, but for the first time in the hour."""
        try:
            keys = {**groups, **group_keys} if groups else group_keys
            if resolution.parent_groups:  # what it was drawn by is what it counts for
                keys = {**keys, **resolution.parent_groups}
            unit = distinct_id if resolution.bucket_by == USER else keys.get(resolution.bucket_by)
            if not unit:
                unit = other_unit(resolution.bucket_by, distinct_id, keys)
            now = time()
            seen = (resolution.flag_key, resolution.variant, unit)
            if now < self._window_ends_at and seen in self._seen:
                return
            if unit:
                self._note_first(seen, Exposure(now, resolution, unit, distinct_id, dict(keys)))
        except Exception:  # noqa: S110 - something hostile, which is nobody
            pass

    def drain(self) -> None:
        """Put everything noted so far."""
        with self._lock:
            too_many, self._too_many = self._too_many, 0
        refusals = ["more exposures at once than can wait"] * too_many
        while True:
            with self._writing:  # so that who drains next, to flush, finds nothing half done
                try:
                    exposure = self._waiting.popleft()
                except IndexError:
                    break
                refusal = self._write(exposure)
            if refusal:
                refusals.append(refusal)
        for refusal in refusals:
            self._losses.report(Dropped("event", EVENT, refusal))

    def close(self) -> None:
        """Take nothing more, and put what was noted."""
        self._stopped.set()
        self._due.set()
        self.drain()

    def _note_first(self, seen: tuple[str, str, str], exposure: Exposure) -> None:
        with self._lock:
            if exposure.at >= self._window_ends_at:
                self._window_ends_at = (exposure.at // WINDOW_SECONDS + 1) * WINDOW_SECONDS
                self._seen = set()
            if seen in self._seen or self._stopped.is_set():
                return
            if len(self._seen) >= MOST_REMEMBERED:
                self._seen.clear()
            self._seen.add(seen)
            if len(self._waiting) >= MOST_WAITING:
                self._too_many += 1
                return
            self._waiting.append(exposure)
            if len(self._waiting) == 1:
                self._wake()

    def _wake(self) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._follow, name="burgee-exposures", daemon=True).start()
        self._due.set()

    def _follow(self) -> None:
        due, stopped = self._due, self._stopped
        while not stopped.is_set():
            due.wait()
            due.clear()
            if not stopped.wait(_GATHER_SECONDS):
                self.drain()

    def _write(self, exposure: Exposure) -> str | None:
        if not self._has_room():
            return "half of the queue is full, and the rest is kept for what you capture"
        try:
            encoded = encode_exposure(exposure)
            return None if encoded is None else self._put(encoded)
        except Exception as error:
            return words(error)
