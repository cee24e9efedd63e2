"""A process beside this one, as the one that started it sees it."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection, Pipe
from typing import Any

SECONDS = 10.0
"""A piece of work that takes longer is taken for lost: what is done in it takes a tenth of a second at most."""
END_SECONDS = 1.0


class Lost(Exception):
    """The process has ended, was never there, or does not answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a piece of work."""

    result: Any


def prepare(_work: Callable[..., Any]) -> None:
    """Be sent this first, with what is to be done later: to read its name is to import its module."""


class Process:
    """Does one piece of work after the other, a few steps of niceness below this process. Not for several threads.

    Raises Lost if no process can be started.
    """

    def __init__(self, work: Callable[..., Any]) -> None:
        try:
            self._connection, self._process = _start()
        except OSError as error:
            raise Lost(f"no process can be started beside this one: {error.strerror}") from error
        self.is_ready = False
        try:
            self._send(prepare, (work,))
        except Lost:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def becomes_ready(self) -> bool:
        """Whether it can be given something to do: a process takes half a second to begin. Raises Lost."""
        if not self.is_ready:
            try:
                self.is_ready = self._connection.poll(0) and self._connection.recv() is not None
            except (OSError, EOFError) as error:
                raise self._lost() from error
        return self.is_ready

    def run(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome | None:
        """What came of it; None: it raised, which is for the caller to see for itself. Raises Lost."""
        self._send(work, arguments)
        try:
            outcome: Outcome | None = self._connection.recv()
        except Exception as error:  # whatever it was, the next answer might be to this piece of work
            raise self._lost() from error
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
            raise self._lost() from error

    def _lost(self) -> Lost:
        return Lost(f"the process {self.pid} beside this one has ended, or does not answer")


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
            [*python, "burgee_server.companion", str(theirs.fileno()), version("burgee")],
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
