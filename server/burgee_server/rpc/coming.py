"""Calls of Capture that were let in and whose messages are not here yet."""

from collections import Counter, deque

SECONDS = 0.1
"""How long a message is waited for."""
MOST_MISSED = 32
"""A key that let so many places go to waste, and sent no message since, gets none kept."""


class Coming:
    """A place is kept for each, for a moment: but for calls of a key whose messages mostly do not come.

    Who opens calls and sends nothing would else keep everybody out, and be charged for nothing. Such calls are let in
    all the same, and taken if there is room when a message comes after all. Each message that comes makes up for one.
    """

    def __init__(self) -> None:
        self.places = 0
        self._until: deque[tuple[float, str]] = deque()
        self._kept: Counter[str] = Counter()
        """Places by key."""
        self._come: Counter[str] = Counter()
        """Entries of `_until`, by key, whose message has come: a key's oldest first."""
        self._missed: Counter[str] = Counter()

    def expect(self, key: str, now: float) -> None:
        """Keep a place for a call of a key."""
        if self._missed[key] < MOST_MISSED:
            self._until.append((now + SECONDS, key))
            self._kept[key] += 1
            self.places += 1

    def come(self, key: str) -> None:
        """A message of a key is here: its place is kept no longer."""
        if self._missed[key]:
            self._missed[key] -= 1
        if self._kept[key]:
            self._kept[key] -= 1
            self._come[key] += 1
            self.places -= 1

    def forget(self, now: float) -> None:
        """Give up what has not come in time."""
        while self._until and self._until[0][0] < now:
            _, key = self._until.popleft()
            if self._come[key]:
                self._come[key] -= 1
                continue
            self._kept[key] -= 1
            self.places -= 1
            self._missed[key] += 1
