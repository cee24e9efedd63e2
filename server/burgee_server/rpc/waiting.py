"""Calls that have come and have not begun, and whose turn it is."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

C = TypeVar("C")


class WaitingCalls(Generic[C]):
    """Connections take turns, however many calls each of them has sent: a storm on some holds up the others little."""

    def __init__(self) -> None:
        self._calls: dict[int, C] = {}
        self._lines: OrderedDict[str, deque[int]] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._calls)

    def add(self, connection: str, number: int, call: C) -> None:
        """Put a call at the end of its connection's line."""
        self._calls[number] = call
        line = self._lines.get(connection)
        if line is None:
            line = self._lines[connection] = deque()
        line.append(number)

    def give_up(self, number: int) -> C | None:
        """Nobody wants an answer any more: the call, unless it has begun."""
        return self._calls.pop(number, None)

    def next(self) -> C | None:
        """The first call of the connection whose turn it is; None when nobody waits."""
        while self._lines:
            connection, line = self._lines.popitem(last=False)
            call = self._calls.pop(line.popleft(), None)
            if line:
                self._lines[connection] = line
            if call is not None:
                return call
        return None
