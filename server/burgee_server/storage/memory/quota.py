"""Accounts of a single process."""

from burgee_server.ports.clock import Clock


class LocalQuota:
    """Knows of each key until when what it spent is paid for (the generic cell rate algorithm of ATM)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paid_until: dict[str, float] = {}

    async def wait(self, key: str, rate: float) -> float:
        """Seconds until there is something in the account again."""
        # Who has been quiet for a second may spend what a second brings at once.
        return max(self._paid_until.get(key, 0.0) - self._clock.unix_seconds() - 1.0, 0.0)

    async def charge(self, key: str, rate: float, amount: float) -> None:
        """Take an amount out."""
        since = max(self._paid_until.get(key, 0.0), self._clock.unix_seconds())
        self._paid_until[key] = since + amount / rate
