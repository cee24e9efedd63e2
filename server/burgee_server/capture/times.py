"""What becomes of an event's timestamp: moved where the sender's clock is wrong, refused where it makes no sense."""

from dataclasses import dataclass
from datetime import UTC, datetime

CLOCK_TOLERANCE_MICROS = 30 * 1_000_000
"""Up to this, a difference of clocks may be the time that a request took: a client waits so long for an answer."""

_HOUR_MICROS = 3600 * 1_000_000
_DAY_MICROS = 24 * _HOUR_MICROS


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """How far from the server's clock the time of an event may be."""

    future_hours: float
    late_days: float | None
    """None: as old as 1970."""

    def at(self, received_micros: int, sent_at_micros: int, kept_from_micros: int = 0) -> "Times":
        """The window for a batch, by when it was received and when, by its sender's clock, it was sent; 0: unknown.

        The sender of a batch without that vouches for its times, such as an import of history: none is late, or moved.
        What is older than the environment keeps events is too old from any sender.
        """
        behind = received_micros - sent_at_micros if sent_at_micros else 0
        live = bool(sent_at_micros) and self.late_days is not None
        late = received_micros - int((self.late_days or 0) * _DAY_MICROS) if live else 0
        return Times(
            self,
            received_micros,
            behind if abs(behind) > CLOCK_TOLERANCE_MICROS else 0,
            kept_from_micros,
            max(0, late, kept_from_micros),
            received_micros + int(self.future_hours * _HOUR_MICROS),
        )


@dataclass(frozen=True, slots=True)
class Times:
    """The window for one batch, in microseconds since 1970 UTC."""

    window: TimeWindow
    received: int
    behind: int
    """How much the sender's clock is behind the server's, if it is wrong."""
    kept_from: int
    """The earliest time that the environment keeps events of; 0: any."""
    earliest: int
    latest: int

    def settle(self, timestamp: int) -> int:
        """When an event happened by the server's clock: timestamp + (received - sent_at); when received, for none."""
        return timestamp + self.behind if timestamp > 0 else timestamp or self.received

    def fault(self, timestamp: int) -> str:
        """What is wrong with a time that, by the server's clock, is not between `earliest` and `latest`."""
        moved = f" (it was moved by {self.behind / _HOUR_MICROS:,.1f} hours, by sent_at_micros)" if self.behind else ""
        if timestamp < 0:
            return f"must be in microseconds since 1970 UTC{moved}"
        if timestamp > self.latest:
            ahead = (timestamp - self.received) / _HOUR_MICROS
            return (
                f"must be at most {self.window.future_hours:g} hours ahead of the server's clock, and is {ahead:,.1f}: "
                f"is it in microseconds since 1970 UTC?{moved}"
            )
        if timestamp < self.kept_from:
            first = datetime.fromtimestamp(self.kept_from // 1_000_000, UTC)
            return f"this environment keeps no events from before {first:%Y-%m-%d}{moved}"
        old = (self.received - timestamp) / _DAY_MICROS
        return f"must be at most {self.window.late_days:g} days old, and is {old:,.1f}: import older events{moved}"
