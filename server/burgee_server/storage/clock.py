"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The time as the operating system has it."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)
