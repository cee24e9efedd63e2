"""What is counted while the server works, in plain numbers that cost next to nothing; metrics/ reads and names them.

All of it is written and read on the event loop: there is nothing to lock.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from time import perf_counter

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds, from a flag check to the longest insight."""


class Timings:
    """How long something took, each time, as a histogram."""

    __slots__ = ("_counts", "seconds")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def cumulative(self) -> list[int]:
        """How many took at most so long, for each of BOUNDS, and last how many there were."""
        return list(accumulate(self._counts))


class Work:
    """Something that is done again and again: how long it took, how much there was of it, and how it went wrong."""

    __slots__ = ("amounts", "failures", "running", "timings")

    def __init__(self) -> None:
        self.timings = Timings()
        self.amounts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.running = 0

    @contextmanager
    def once(self) -> Iterator[None]:
        """Time what is done inside, and count it by its kind if it fails."""
        began = perf_counter()
        self.running += 1
        try:
            yield
        except BaseException as error:
            self.failures[type(error).__name__] += 1
            raise
        finally:
            self.running -= 1
            self.timings.add(perf_counter() - began)
