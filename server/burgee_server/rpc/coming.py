"""Calls of Capture that were let in and whose messages are not here yet."""

from collections import Counter, deque
from collections.abc import Iterator

SECONDS = 0.1
"""How long a place is kept."""
PATIENCE_SECONDS = 1.0
"""After how long a message is taken for one that does not come: in an overload most come when their place is gone."""
MOST_MISSED = 32
"""A key of which so many messages did not come, and none since, gets no places kept."""


class Coming:
    """A place is kept for each, for a moment: but for calls of a key whose messages mostly do not come.

    Who opens calls and sends nothing would else keep everybody out, and be charged for nothing. Such calls are let in
    all the same, and taken if there is room when a message comes after all. Each message that comes makes up for one.
    """

    def __init__(self) -> None:
        self._kept, self._late = _Awaited(), _Awaited()
        self._missed: Counter[str] = Counter()

    @property
    def places(self) -> int:
        """How many are kept."""
        return self._kept.count

    def expect(self, key: str, now: float) -> None:
        """Keep a place for a call of a key."""
        if self._missed[key] < MOST_MISSED:
            self._kept.add(key, now + SECONDS)

    def come(self, key: str) -> None:
        """A message of a key is here: its place is kept no longer."""
        if self._missed[key]:
            self._missed[key] -= 1
        if not self._kept.remove(key):
            self._late.remove(key)

    def forget(self, now: float) -> None:
        """Give up what has not come in time."""
        for key in self._kept.overdue(now):
            self._late.add(key, now + PATIENCE_SECONDS - SECONDS)
        for key in self._late.overdue(now):
            self._missed[key] = min(self._missed[key] + 1, MOST_MISSED)


class _Awaited:
    """Messages that are waited for, each until a time; of those of one key, the oldest are the first to come."""

    def __init__(self) -> None:
        self.count = 0
        self._until: deque[tuple[float, str]] = deque()
        self._of_key: Counter[str] = Counter()
        self._come: Counter[str] = Counter()
        """Entries of `_until`, by key, whose message has come."""

    def add(self, key: str, until: float) -> None:
        """Wait for one of a key. No earlier than those before it."""
        self._until.append((until, key))
        self._of_key[key] += 1
        self.count += 1

    def remove(self, key: str) -> bool:
        """One of a key is here; whether one was waited for."""
        if not self._of_key[key]:
            return False
        self._of_key[key] -= 1
        self._come[key] += 1
        self.count -= 1
        return True

    def overdue(self, now: float) -> Iterator[str]:
        """The keys of those that have not come, and are not waited for any more."""
        while self._until and self._until[0][0] < now:
            _, key = self._until.popleft()
            if self._come[key]:
                self._come[key] -= 1
            else:
                self._of_key[key] -= 1
                self.count -= 1
                yield key
