"""The client's log: it may tell of trouble, and may never be trouble."""

import logging
import threading
from time import monotonic

logger = logging.getLogger("burgee")

_EVERY_SECONDS = 10.0


class SparseLog:
    """Warnings of one sort, one in ten seconds at most; each says how many there were since the one before."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._count = 0
        self._due_at = 0.0

    def warn(self, message: str, *arguments: object, error: Exception | None = None) -> None:
        """Count it, and log it if the time has come; with the places that an error went through."""
        with self._lock:
            self._count += 1
            now = monotonic()
            if now < self._due_at:
                return
            count, self._count, self._due_at = self._count, 0, now + _EVERY_SECONDS
        logger.warning(f"{message} (%d since last told)", *arguments, count, exc_info=error)


def words(error: Exception) -> str:
    """An exception in words that can be sent, even if it is a caller's own and its words fail."""
    try:
        return text(f"{type(error).__name__}: {error}")
    except Exception:
        return type(error).__name__


def text(name: object) -> str:
    """What should have been a name, as text that can be logged and sent; its type, if it is no text at all."""
    return name.encode(errors="replace").decode() if isinstance(name, str) else type(name).__name__
