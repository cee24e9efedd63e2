"""Who may be at work: whoever asks for much waits for itself, and others do not wait for it."""

import asyncio
from collections import Counter, deque


class Seats:
    """`size` seats, of which one asker has at most all but one: that one is for whoever else comes.

    Of those who wait, whoever has the fewest is next; equals take turns.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._most = max(size - 1, 1)
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, asker: str) -> None:
        """Return with a seat for this asker, who has to leave() it."""
        seat = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, deque()).append(seat)
        self._give()
        try:
            await seat
        except asyncio.CancelledError:
            if not seat.cancelled():  # it was given just before
                self.leave(asker)
            raise

    def leave(self, asker: str) -> None:
        """Make room for others."""
        self._free += 1
        self._taken[asker] -= 1
        if not self._taken[asker]:
            del self._taken[asker]
        self._give()

    def _give(self) -> None:
        while self._free and self._waiting:
            asker = min(self._waiting, key=self._taken.__getitem__)
            if self._taken[asker] == self._most:
                return
            line = self._waiting.pop(asker)
            while line:
                seat = line.popleft()
                if not seat.cancelled():  # whoever is gone has no turn
                    self._free -= 1
                    self._taken[asker] += 1
                    seat.set_result(None)
                    break
            if line:
                self._waiting[asker] = line  # behind the others
