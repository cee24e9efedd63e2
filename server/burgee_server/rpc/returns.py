"""When those who were turned away may come back."""

from collections.abc import Callable
from time import monotonic

LEAST_SECONDS = 0.1
MOST_SECONDS = 15.0
_FIRST_INTERVAL = 0.01
_WEIGHT = 1 / 64


class Returns:
    """Gives each a time of its own, behind those who were told before: so they come as fast as calls are answered.

    Where more are told than come back, as by senders that do not listen, it is `MOST_SECONDS` for all.
    """

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._interval = _FIRST_INTERVAL
        self._last_left = 0.0
        self._last_place = 0.0

    def busy(self) -> None:
        """There are calls again, where there were none."""
        self._last_left = self._seconds()

    def left(self) -> None:
        """A call has been answered, and others had not been before it."""
        now = self._seconds()
        self._interval += (now - self._last_left - self._interval) * _WEIGHT
        self._last_left = now

    def place(self) -> float:
        """Seconds until the next one may come, in tenths."""
        now = self._seconds()
        first = now + max(self._interval, LEAST_SECONDS)
        self._last_place = min(max(self._last_place + self._interval, first), now + MOST_SECONDS)
        return round(self._last_place - now, 1)
