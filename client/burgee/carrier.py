"""What takes events and profile changes on their way."""

from typing import Protocol

from burgee.profiles import Change


class Carrier(Protocol):
    """The outbox, or what stands in for it in tests. Putting never waits."""

    def put_event(self, encoded: bytes) -> str | None:
        """Take what encode_event wrote. Returns None, or why not."""

    def put_change(self, profile: tuple[str, str], request: Change) -> str | None:
        """Take a change of (`user` or group type, key). Returns None, or why not."""

    def flush(self, timeout: float) -> bool:
        """Wait until everything put before is settled. Whether all of it is acknowledged."""

    def hurry(self) -> None:
        """Send what waits now."""

    def close(self, timeout: float) -> int:
        """Take nothing more, flush, stop. Returns how many were given up."""

    def reset(self) -> None:
        """Begin anew with nothing, as in a forked child."""
