"""Ends what runs beside, for good, and the process if that takes too long."""

import asyncio
import faulthandler
import threading
from typing import Any

_AGAIN_SECONDS = 1.0


async def end(*futures: "asyncio.Future[Any]") -> list[Any]:
    """Cancel tasks until each has ended; return what each has given, or the exception that it has ended with.

    Once is not enough. Until Python 3.12 a cancel that meets the end of what asyncio.wait_for waits for is lost, and
    redis-py sends each command within one: a task that listens to Redis would go on, and the server would not stop.
    """
    left = set(futures)
    while left:
        for each in left:
            each.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
    return await asyncio.gather(*futures, return_exceptions=True)


class End(asyncio.Event):
    """Set when the process is to end. It then has this long; after that it ends where it is, with exit code 1.

    Where its threads were is on standard error: files and lines, and no values. A thread of C does it, which needs
    neither the event loop nor Python's lock: whatever holds the process up may have both.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = min(seconds, threading.TIMEOUT_MAX)

    def set(self) -> None:
        """Begin to end. To be told so again changes nothing."""
        if not self.is_set():
            super().set()
            faulthandler.dump_traceback_later(self._seconds, exit=True)
