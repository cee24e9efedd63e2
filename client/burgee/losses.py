"""What did not reach the server: counted, logged, and told to the caller's callback."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from burgee.log import SparseLog, logger


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event or a profile change that will not be sent (again), and why."""

    kind: str
    """`event`, `person` or `group`."""
    name: str
    """The event's name, the distinct_id, or group type and key as `company:acme`."""
    reason: str
    uuid: str = ""
    """The event's uuid, once it was in the queue."""


class Losses:
    """Thread-safe. A callback that raises is logged, and changes nothing."""

    def __init__(self, on_drop: Callable[[Dropped], None] | None) -> None:
        self._on_drop = on_drop
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child, where a lock may have been left held."""
        self._lock = threading.RLock()
        self._log = SparseLog()
        self.dropped = 0
        self.rejected = 0

    @property
    def total(self) -> int:
        """Everything lost so far."""
        return self.dropped + self.rejected

    def report(self, loss: Dropped, *, rejected: bool = False) -> None:
        """Count it: as rejected if the server refused this one event, else as dropped."""
        with self._lock:
            if rejected:
                self.rejected += 1
            else:
                self.dropped += 1
        self._log.warn("not delivered: %s %r: %s", loss.kind, loss.name, loss.reason)
        if self._on_drop is not None:
            try:
                self._on_drop(loss)
            except Exception:
                logger.exception("on_drop raised")
