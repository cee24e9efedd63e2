"""The machine's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The time as the operating system has it."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def unix_seconds(self) -> float:
        """Now, in seconds since 1970 UTC."""
        return time.time()
