"""Does long work beside the event loop, one piece after the other."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, TypeVar

from burgee_server.companion.process import Lost, Outdated, Process
from burgee_server.findings import Finding, ok, warning

T = TypeVar("T")

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
"""After the loss of a process, until another is started; twice as long each time if it works for less than that."""
LONGEST_PAUSE_SECONDS = 300.0

SUBJECT = "companion"
_ADVICE = "see the log, and the memory and processes that the server may have"


class Companion:
    """Does work in a process, which has a Python lock of its own; in a thread where there is none, or none yet.

    A process is started when there is first something to do. One that is lost on the way loses nothing: what it was
    doing is done here. `has_process`: there is to be one.

    Everything but run() and close() is read on the event loop and written in the one thread.
    """

    def __init__(self, *, has_process: bool) -> None:
        self._has_process = has_process
        self._process: Process | None = None
        self._next_start = self._pause = 0.0
        self._outdated = False
        # One: they would take turns anyway, and hold up everybody else more often.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="companion")
        self.done: Counter[str] = Counter()
        """How many pieces of work, by who did them: `companion`, or `server`, for want of one."""
        self.lost = 0
        """How many processes ended, did not begin or did not answer."""
        self._last_loss = ""

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of `work(*arguments)`, all of which a process can be sent: a function by its name, and data."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work, arguments)

    def close(self) -> None:
        """Finish what runs, and end the process. Blocks."""
        self._has_process = False
        self._thread.shutdown()
        if self._process is not None:
            self._process.close()
            self._process = None

    @property
    def pid(self) -> int | None:
        """Of the process, when it is ready, and has not ended."""
        process = self._process
        return process.pid if process is not None and process.is_ready and not process.has_ended else None

    @property
    def resident_bytes(self) -> int:
        """The memory of the process: 0 if there is none, or where the system does not tell."""
        process = self._process
        return 0 if process is None else process.resident_bytes

    def findings(self) -> Iterator[Finding]:
        """Whether it works, for whoever looks after the server."""
        process = self._process
        if self._outdated:
            yield warning(SUBJECT, f"none: {self._last_loss}", "restart the server")
        elif not self._has_process:
            yield ok(SUBJECT, "none, as set: the server does its work in a thread")
        elif process is not None and process.has_ended:
            found = f"none: process {process.pid} has ended, and another is started after the next large batch"
            yield warning(SUBJECT, found, _ADVICE)
        elif process is not None and process.is_ready:
            size = process.resident_bytes >> 20
            yield ok(SUBJECT, f"process {process.pid} works" + (f", with {size:,} MB" if size else ""))
        elif self.lost:
            found = f"none at present, {self.lost:,} were lost; the last: {self._last_loss}"
            yield warning(SUBJECT, found, _ADVICE)
        else:
            yield ok(SUBJECT, "none yet: it is started with the first large batch")

    def _run(self, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            if (process := self._ready(work)) is not None and (outcome := process.run(work, arguments)) is not None:
                self.done["companion"] += 1
                result: T = outcome.result
                return result
        except Lost as lost:
            self._lose(lost)
        self.done["server"] += 1
        return work(*arguments)

    def _ready(self, work: Callable[..., Any]) -> Process | None:
        """The process, if it can be given something to do now. It is started if there is none."""
        if not self._has_process:
            return None
        if self._process is None:
            if monotonic() < self._next_start:
                return None
            self._process = Process(work)
        return self._process if self._process.becomes_ready() else None

    def _lose(self, lost: Lost) -> None:
        worked_for = 0.0
        if self._process is not None:
            worked_for = self._process.worked_for
            self._process.close()
            self._process = None
        self.lost += 1
        self._last_loss = str(lost)
        if isinstance(lost, Outdated):
            self._has_process, self._outdated = False, True
            log.warning("%s: large batches are checked here until the server is restarted", lost)
            return
        longer = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._pause = longer if worked_for < self._pause else PAUSE_SECONDS
        self._next_start = monotonic() + self._pause
        log.warning("%s; its work is done here, and another is started in %.0f s", lost, self._pause)
