"""A process beside this one, as the one that started it sees it."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from time import monotonic
from typing import Any

from burgee_server import garbage

VERSION = version("burgee")
"""Of this process: what is installed may be another one later."""
OUTDATED = 3
"""The exit code of a process that is of another version."""

SECONDS = 10.0
"""A piece of work that takes longer is taken for lost: what is done in it takes a tenth of a second at most."""
BEGIN_SECONDS = 30.0
"""A process takes half a second of a processor to begin, of which it gets little beside a server that is busy."""
END_SECONDS = 1.0


class Lost(Exception):
    """The process has ended, was never there, does not begin, or does not answer."""


class Outdated(Lost):
    """The process is of another version than this one, and so would be the next."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a piece of work."""

    result: Any


def prepare(_work: Callable[..., Any]) -> None:
    """Be sent this first, with what is to be done later: to read its name is to import its module."""
    garbage.calm()


class Process:
    """Does one piece of work after the other, a few steps of niceness below this process. Not for several threads.

    Raises Lost if no process can be started.
    """

    def __init__(self, work: Callable[..., Any]) -> None:
        try:
            self._connection, self._process = _start()
        except OSError as error:
            raise Lost(f"no process can be started beside this one: {error.strerror}") from error
        self._ready_at: float | None = None
        self._give_up_at = monotonic() + BEGIN_SECONDS
        try:
            self._send(prepare, (work,))
        except Lost:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it could be given something to do when it was last asked."""
        return self._ready_at is not None

    @property
    def has_ended(self) -> bool:
        """Whether there is no such process any more. May be asked from any thread."""
        return self._process.poll() is not None

    @property
    def worked_for(self) -> float:
        """Seconds since it was ready; 0 if it was not."""
        return 0.0 if self._ready_at is None else monotonic() - self._ready_at

    @property
    def resident_bytes(self) -> int:
        """Its memory: 0 if it has ended, or where the system does not tell in /proc."""
        with suppress(OSError, IndexError):
            if self.has_ended:  # its number may be another's
                return 0
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def becomes_ready(self) -> bool:
        """Whether it can be given something to do by now. Raises Lost."""
        if not self.is_ready:
            try:
                if self._connection.poll(0) and self._connection.recv() is not None:
                    self._ready_at = monotonic()
            except (OSError, EOFError) as error:
                raise self._lost(error) from error
            if not self.is_ready and monotonic() > self._give_up_at:
                raise Lost(f"the process {self.pid} beside this one has not begun in {BEGIN_SECONDS:.0f} s")
        return self.is_ready

    def run(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome | None:
        """What came of it; None: it raised, which is for the caller to see for itself. Raises Lost."""
        self._send(work, arguments)
        try:
            outcome: Outcome | None = self._connection.recv()
        except Exception as error:  # whatever it was, the next answer might be to this piece of work
            raise self._lost(error) from error
        return outcome

    def close(self) -> None:
        """Hang up, by which it ends; if it does not, end it. Blocks."""
        self._connection.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            self._connection.send((work, arguments))
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> Lost:
        try:
            code = self._process.wait(0 if isinstance(error, BlockingIOError) else END_SECONDS)
        except subprocess.TimeoutExpired:
            return Lost(f"the process {self.pid} beside this one does not answer")
        if code == OUTDATED:
            return Outdated(f"another version than {VERSION}, which runs, was installed meanwhile")
        how = f"by signal {-code}" if code < 0 else f"with {code}"
        return Lost(f"the process {self.pid} beside this one has ended {how}")


def _start() -> tuple[Connection, "subprocess.Popen[bytes]"]:
    """A process, and what it is reached by."""
    with ExitStack() as unless_started:
        ours, theirs = map(unless_started.enter_context, Pipe())
        _bound(ours)
        # -P: what lies in the working directory, which is the data directory, is no module of ours.
        python = [sys.executable or "python", "-P", "-m"]
        # Modules are where they are for this process: what is relative was so to another directory.
        found = {"PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}
        process = subprocess.Popen(  # noqa: S603  # it is our own
            [*python, "burgee_server.companion", str(theirs.fileno()), VERSION],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | found,
            process_group=0,  # the keys of a terminal are for the server
        )
        unless_started.pop_all()
    theirs.close()
    return ours, process


def _bound(connection: Connection) -> None:
    """Have sending and receiving give up after SECONDS: a process that stands still reads only a little."""
    times = struct.pack("ll", int(SECONDS), int(SECONDS % 1 * 1_000_000))
    with socket.socket(fileno=os.dup(connection.fileno())) as ours:
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, times)
