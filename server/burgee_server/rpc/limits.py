"""How much is let in: of Capture, of all together at a time and of each API key in a second; questions of each key."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from burgee_server.access import Principal
from burgee_server.errors import Overloaded
from burgee_server.ports.quota import Quota
from burgee_server.rpc.coming import Coming
from burgee_server.rpc.returns import Returns

RETRY_SECONDS = 1.0
_USUAL_WEIGHT = 1 / 16


class CaptureLimits:
    """Refuses before a message is read: what is turned away must cost next to nothing.

    At most `max_calls` are inside, with `max_bytes` of messages; one message may be larger by itself. A key without a
    limit of its own may send `events_per_second`; 0 is no limit.
    """

    def __init__(
        self,
        quota: Quota,
        *,
        max_calls: int,
        max_bytes: int,
        events_per_second: float,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._quota = quota
        self._max_calls = max_calls
        self._max_bytes = max_bytes
        self._events_per_second = events_per_second
        self._seconds = seconds
        self._returns = Returns(seconds)
        self._usual_bytes = 0.0
        """Of a message, by those that came lately: what one is taken for before it is read."""
        self._coming = Coming()
        self.calls = 0
        self.bytes = 0

    async def check(self, principal: Principal) -> None:
        """Raise Overloaded if a call of this key is not to be let in now."""
        now = self._seconds()
        if self._is_full(now):
            raise self.full()
        if rate := self._rate(principal):
            seconds = await self._quota.wait(principal.api_key_id, rate)
            if seconds:
                raise Overloaded(f"API key {principal.name!r} may send {rate:,.0f} events a second", seconds)
        self._coming.expect(principal.api_key_id, now)

    def is_full(self) -> bool:
        """Whether no call of any key would be let in now."""
        return self._is_full(self._seconds())

    def full(self) -> Overloaded:
        """What one that is turned away for that is told: each another time to come back."""
        text = "the server is taking in as many events as it can: try again later"
        return Overloaded(text, self._returns.place())

    @contextmanager
    def inside(self, principal: Principal, size: int) -> Iterator[None]:
        """Count a call with a message of so many bytes. Raises Overloaded if others took the room meanwhile."""
        self._coming.come(principal.api_key_id)
        self._usual_bytes += (size - self._usual_bytes) * _USUAL_WEIGHT
        if self.calls >= self._max_calls or (self.bytes and self.bytes + size > self._max_bytes):
            raise self.full()
        if not self.calls:
            self._returns.busy()
        self.calls += 1
        self.bytes += size
        try:
            yield
        finally:
            self.calls -= 1
            self.bytes -= size
            self._returns.left()

    async def charge(self, principal: Principal, events: int) -> None:
        """Count events that a key has sent, whatever became of them."""
        if rate := self._rate(principal):
            await self._quota.charge(principal.api_key_id, rate, events)

    def _rate(self, principal: Principal) -> float:
        return principal.events_per_second or self._events_per_second

    def _is_full(self, now: float) -> bool:
        self._coming.forget(now)
        coming = self._coming.places
        expected = self.bytes + self._usual_bytes * (coming + 1)
        return self.calls + coming >= self._max_calls or (bool(self.bytes) and expected > self._max_bytes)


class QueryLimits:
    """A key without a limit of its own may have `at_a_time` questions under way; 0 is no limit."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def turn(self, principal: Principal) -> Iterator[None]:
        """Count a question from now until it is answered or given up. Raises Overloaded."""
        most, key = principal.queries_at_a_time or self._at_a_time, principal.api_key_id
        if most and self._under_way[key] >= most:
            raise Overloaded(f"API key {principal.name!r} may have {most:,} questions under way", RETRY_SECONDS)
        self._under_way[key] += 1
        try:
            yield
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
