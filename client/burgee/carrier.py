"""What a client needs of whatever carries its events and changes away."""

from typing import Protocol

from burgee.delivery import GroupChange, PersonChange


class Carrier(Protocol):
    """What takes events and changes on their way: the outbox, or what stands in for it in tests."""

    @property
    def queued(self) -> int:
        """How many wait, or are not acknowledged."""

    @property
    def sent(self) -> int:
        """How many were acknowledged."""

    @property
    def retried(self) -> int:
        """How many calls were made again."""

    def put_event(self, encoded: bytes) -> str | None:
        """Take what encode_event wrote. Returns None, or why not."""

    def put_change(self, profile: tuple[str, str], request: PersonChange | GroupChange) -> str | None:
        """Take a change of (`user` or group type, key). Returns None, or why not."""

    def flush(self, timeout: float) -> bool:
        """Wait until everything put before is settled. Whether all of it is acknowledged."""

    def close(self, timeout: float) -> int:
        """Take nothing more, flush, stop. Returns how many were given up."""

    def reset(self) -> None:
        """Begin anew with nothing, as in a forked child."""
