"""Several processes of one server are told to end, at whatever moment."""

import os
import signal
import socket

import pytest

from burgee_server import processes
from burgee_server.settings import Settings


class Process:
    """One that goes on until it is told to end, as by a signal that it has not learnt to handle yet."""

    def __init__(self, target, args, name):
        self.name = name
        self.exitcode = None
        self._looks = 0
        self.sentinel, self._other = socket.socketpair()
        self._other.send(b"look again")

    def start(self):
        """The first one is still being started when the server is told to stop."""
        if self.name == "burgee-0":
            signal.raise_signal(signal.SIGTERM)

    def is_alive(self):
        self._looks += 1
        assert self._looks < 100, f"{self.name} was not told to end"
        return self.exitcode is None

    def terminate(self):
        self.exitcode = -signal.SIGTERM
        self.sentinel.close()
        self._other.close()


class Processes:
    """Processes of the kind above."""

    Process = Process
    Pipe = processes.multiprocessing.Pipe


@pytest.fixture
def _signals():
    mask = os.umask(0o077)  # as the server sets it
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    os.umask(mask)


@pytest.mark.usefixtures("_signals")
def test_a_server_that_is_stopped_while_its_processes_are_started_ends_all_of_them(monkeypatch, tmp_path):
    """Without a fault: nobody ended by itself. One that was started after the signal would have run for ever."""
    monkeypatch.setattr(processes.multiprocessing, "get_context", lambda _: Processes())
    said = []

    processes.run_several(
        Settings(
            data=tmp_path / "data",
            listen="127.0.0.1:0",
            processes=3,
            database="postgresql+psycopg://somebody@nowhere/burgee",
            warehouse="clickhouse://nowhere/burgee",
            redis="redis://nowhere/0",
        ),
        said.append,
    )

    assert said == []
