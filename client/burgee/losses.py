"""What did not reach the server: counted, logged, and told to the caller's callback."""

from collections.abc import Callable
from dataclasses import dataclass

from burgee.counts import Counts, State
from burgee.log import SparseLog


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event or a profile change that will not be sent (again), and why."""

    kind: str
    """`event`, `person` or `group`; `change` of either, if it was in a spool file that cannot be read any more."""
    name: str
    """The event's name, the distinct_id, or group type and key as `company:acme`; empty if it cannot be read."""
    reason: str
    uuid: str = ""
    """The event's uuid, once it was in the queue."""


class Losses:
    """Thread-safe. A callback that raises is logged, and changes nothing."""

    def __init__(self, on_drop: Callable[[Dropped], None] | None) -> None:
        self._on_drop = on_drop
        self.counts = Counts()
        """Of these losses, and of all that is not lost."""
        self.reset()

    def reset(self) -> None:
        """Begin anew with nothing lost, as in a forked child, where a lock may have been left held."""
        self.counts.reset()
        self._log = SparseLog()
        self._callback_log = SparseLog()

    def report(self, loss: Dropped) -> None:
        """Count and tell one that never got into the queue."""
        self.counts.add(1, State.DROPPED)
        self.tell(loss)

    def tell(self, loss: Dropped) -> None:
        """Tell one that is counted already."""
        self._log.warn("not delivered: %s %r: %s", loss.kind, loss.name, loss.reason)
        if self._on_drop is not None:
            try:
                self._on_drop(loss)
            except Exception as error:
                self._callback_log.warn("on_drop raised", error=error)
