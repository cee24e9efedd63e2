"""Ends what runs beside, for good."""

import asyncio
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
