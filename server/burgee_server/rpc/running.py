"""Calls that are being answered, so that a server that stops can turn them away in its own words."""

import asyncio
from typing import cast

from burgee_server.errors import Stopping

QUIET_SECONDS = 0.05
LAST_SECONDS = 1.0


class RunningCalls:
    """Each is the task that answers it. gRPC would cancel what runs too long: an error after which few try again."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._turned_away: set[asyncio.Task[object]] = set()
        self._stopping = False
        self._came = asyncio.Event()
        self._left = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether no call is let in any more."""
        return self._stopping

    def check(self) -> None:
        """Raise Stopping if no call is let in any more."""
        if self._stopping:
            self._came.set()
            raise _stopping()

    def begin(self) -> asyncio.Task[object]:
        """This task answers a call from now on. Raises Stopping."""
        self.check()
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._tasks.add(task)
        return task

    def end(self, task: asyncio.Task[object]) -> None:
        """It has done so, or has failed."""
        self._tasks.discard(task)
        self._turned_away.discard(task)
        if self._stopping:
            self._left.set()

    def why_cancelled(self, task: asyncio.Task[object]) -> Stopping | None:
        """What to answer for a task that was cancelled here; None: its caller has gone."""
        return None if task not in self._turned_away or task.uncancel() else _stopping()

    async def stop(self, grace_seconds: float) -> None:
        """Let no more in, give those that run this long, turn the rest away; return when nobody comes any more."""
        self._stopping = True
        await self._until_empty(grace_seconds)
        self._turned_away.update(self._tasks)
        for task in self._turned_away:
            task.cancel()
        await self._until_empty(LAST_SECONDS)
        await self._until_quiet()

    async def _until_empty(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            return

    async def _until_quiet(self) -> None:
        """Wait until those who have a connection have heard of it: who is told when to come back is away by then."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                while True:
                    self._came.clear()
                    try:
                        async with asyncio.timeout(QUIET_SECONDS):
                            await self._came.wait()
                    except TimeoutError:
                        return
        except TimeoutError:
            return


def _stopping() -> Stopping:
    return Stopping("the server is stopping: make the call again")
