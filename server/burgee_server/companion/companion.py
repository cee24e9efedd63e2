"""Does long work beside the event loop, one piece after the other."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, TypeVar

from burgee_server.companion.process import Lost, Process

T = TypeVar("T")

log = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
"""From one process's start to the next one's, at least."""


class Companion:
    """Does work in a process, which has a Python lock of its own; in a thread where there is none, or none yet.

    A process is started when there is first something to do. One that is lost on the way loses nothing: what it was
    doing is done here. `has_process`: there is to be one.
    """

    def __init__(self, *, has_process: bool) -> None:
        self._has_process = has_process
        self._process: Process | None = None
        self._next_start = 0.0
        # One: they would take turns anyway, and hold up everybody else more often.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="companion")

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of `work(*arguments)`, all of which a process can be sent: a function by its name, and data."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work, arguments)

    def close(self) -> None:
        """Finish what runs, and end the process. Blocks."""
        self._has_process = False
        self._thread.shutdown()
        if self._process is not None:
            self._process.close()

    @property
    def pid(self) -> int | None:
        """Of the process, when it is ready."""
        process = self._process
        return process.pid if process is not None and process.is_ready else None

    def _run(self, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            if (process := self._ready(work)) is not None and (outcome := process.run(work, arguments)) is not None:
                result: T = outcome.result
                return result
        except Lost as lost:
            log.warning("%s; its work is done here until there is another", lost)
            self._lose()
        return work(*arguments)

    def _ready(self, work: Callable[..., Any]) -> Process | None:
        """The process, if it can be given something to do now. It is started if there is none."""
        if not self._has_process:
            return None
        if self._process is None:
            if monotonic() < self._next_start:
                return None
            self._next_start = monotonic() + RESTART_SECONDS
            self._process = Process(work)
        return self._process if self._process.becomes_ready() else None

    def _lose(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None
