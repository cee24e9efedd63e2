"""What time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The one place where the time comes from, so that tests can set it."""

    def now(self) -> datetime:
        """Now, in UTC, aware."""

    def unix_seconds(self) -> float:
        """Now, in seconds since 1970 UTC."""
