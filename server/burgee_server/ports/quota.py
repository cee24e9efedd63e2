"""How much somebody may spend in a second, wherever they spend it."""

from typing import Protocol


class Quota(Protocol):
    """An account for each key that fills at a rate, up to what a second brings, and may be overdrawn.

    So that nothing has to be known of what is asked for before it is let in: it is charged when it is known, and the
    next one waits until the debt is paid. In the long run nobody spends more than the rate.
    """

    async def wait(self, key: str, rate: float) -> float:
        """Seconds until there is something in the account again; 0 if there is now. `rate` is an amount a second."""

    async def charge(self, key: str, rate: float, amount: float) -> None:
        """Take an amount out."""
