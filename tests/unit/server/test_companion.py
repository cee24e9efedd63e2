"""Work beside the event loop: where it is done, and that nothing is lost when the process for it is."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from burgee_server.companion import Companion, companion, process
from burgee_server.errors import Invalid
from burgee_server.findings import State
from tests.fixtures.until import until

TIMEOUT = 30.0


@asynccontextmanager
async def open_companion(*, has_process=True):
    """One that is closed afterwards."""
    opened = Companion(has_process=has_process)
    try:
        yield opened
    finally:
        await asyncio.to_thread(opened.close)


async def in_process(opened):
    """The process that work is done in, once it is another one than this."""
    return await until(lambda: elsewhere(opened), TIMEOUT)


async def elsewhere(opened):
    """The process that work is done in; None: in this one."""
    pid = await opened.run(os.getpid)
    return None if pid == os.getpid() else pid


def is_alive(pid):
    """Whether there is such a process; one that has ended and that nobody has asked for is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_gone(pid):
    """Wait for the end of a process."""
    await until(lambda: not is_alive(pid), TIMEOUT)


async def test_work_is_done_in_a_process_of_its_own_as_soon_as_there_is_one():
    """Until then it is done here, so that the first piece does not wait for a process to begin."""
    async with open_companion() as opened:
        assert await opened.run(os.getpid) == os.getpid()
        pid = await in_process(opened)
        assert opened.pid == pid
        assert [await opened.run(divmod, number, 7) for number in range(20)] == [divmod(n, 7) for n in range(20)]
        assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    assert not is_alive(pid)


async def test_without_a_process_all_is_done_in_a_thread():
    """No process is started, whatever there is to do."""
    async with open_companion(has_process=False) as opened:
        for _ in range(3):
            assert await opened.run(os.getpid) == os.getpid()
        assert opened.pid is None


async def test_what_raises_there_raises_here():
    """The same error, with what it holds: it need not be one that can be sent from one process to another."""
    async with open_companion() as opened:
        await in_process(opened)
        with pytest.raises(Invalid) as refusal:
            await opened.run(raise_invalid, "events")
        assert [violation.field for violation in refusal.value.violations] == ["events"]
        assert await opened.run(os.getpid) == opened.pid


def raise_invalid(field):
    """Work that fails."""
    raise Invalid.of(field, "is wrong")


async def test_work_of_a_process_that_is_killed_is_done_here_until_there_is_another(monkeypatch, caplog):
    """Nothing is lost, somebody is told, and a new process takes over."""
    monkeypatch.setattr(companion, "PAUSE_SECONDS", 0.0)
    async with open_companion() as opened:
        first = await in_process(opened)
        os.kill(first, signal.SIGKILL)
        assert await opened.run(divmod, 22, 7) == (3, 1)
        second = await in_process(opened)
    assert second != first
    assert f"the process {first} beside this one has ended by signal 9" in caplog.text


async def test_a_process_that_does_not_answer_is_given_up(monkeypatch, caplog):
    """What it was doing, or was being sent, is done here once its time is over, and it is ended."""
    monkeypatch.setattr(process, "SECONDS", 0.5)
    monkeypatch.setattr(process, "END_SECONDS", 0.1)
    async with open_companion() as opened:
        pid = await in_process(opened)
        os.kill(pid, signal.SIGSTOP)
        assert await opened.run(len, bytes(1 << 20)) == 1 << 20  # more than a socket takes while nobody reads
        await until_gone(pid)
    assert "does not answer" in caplog.text


async def test_signals_to_all_processes_of_a_terminal_do_not_end_it():
    """A server that is told to stop finishes what runs, and the batches that are being checked with it."""
    async with open_companion() as opened:
        pid = await in_process(opened)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid, number)
        assert await opened.run(os.getpid) == pid


async def test_modules_are_those_of_the_server_wherever_it_works(monkeypatch, tmp_path):
    """An empty place in PYTHONPATH is the working directory, which is the data directory: nothing there is run."""
    (tmp_path / "dataclasses.py").write_text("raise SystemExit('this is data')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f":{os.environ.get('PYTHONPATH', '')}")
    async with open_companion() as opened:
        assert await in_process(opened)


async def test_a_process_of_another_version_is_none_and_no_other_is_tried(monkeypatch, caplog):
    """The server does the work until it is restarted, and says so once."""
    monkeypatch.setattr(process, "VERSION", "0.0.1")
    monkeypatch.setattr(companion, "PAUSE_SECONDS", 0.0)
    async with open_companion() as opened:

        async def is_lost():
            assert await opened.run(os.getpid) == os.getpid()
            return opened.lost

        await until(is_lost, TIMEOUT)
        for _ in range(20):
            assert await opened.run(os.getpid) == os.getpid()
        assert (opened.lost, opened.pid) == (1, None)
        [found] = opened.findings()
    assert (found.state, found.advice) == (State.WARNING, "restart the server")
    assert "another version than 0.0.1" in found.found
    assert len(caplog.records) == 1


class Clock:
    """monotonic(), moved by hand."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Of companion and process."""
    clock = Clock()
    for module in (companion, process):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.fixture
def nothing_begins(monkeypatch, tmp_path):
    """A Python that never does anything."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(process, "END_SECONDS", 0.05)  # it does not hear that we hang up


@pytest.mark.usefixtures("nothing_begins")
async def test_a_process_that_never_begins_is_given_up_and_started_again_after_longer_and_longer_pauses(clock, caplog):
    """Twice as long each time, up to five minutes: a server that lacks memory should not be kept busy by it."""
    pauses = []
    async with open_companion() as opened:
        for number in range(1, 9):
            await opened.run(os.getpid)  # starts it
            clock.now += process.BEGIN_SECONDS + 1
            await opened.run(os.getpid)
            assert opened.lost == number
            began = clock.now
            while opened.resident_bytes == 0:
                clock.now += 1
                await opened.run(os.getpid)
            pauses.append(clock.now - began)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    assert "has not begun in 30 s; its work is done here, and another is started in 300 s" in caplog.text


async def test_a_process_that_has_worked_for_a_while_is_started_again_soon(clock):
    """What is lost now and then is no sign that it cannot be had."""
    pauses = []
    async with open_companion() as opened:
        for worked_for in (0, 0, 11):
            os.kill(await in_process(opened), signal.SIGKILL)
            clock.now += worked_for
            await opened.run(os.getpid)
            began = clock.now
            while opened.resident_bytes == 0:
                clock.now += 1
                await opened.run(os.getpid)
            pauses.append(clock.now - began)
    assert pauses == [5, 10, 5]


async def test_whoever_looks_is_told_whether_it_works():
    """From before the first piece of work to the loss of a process."""

    def found():
        [finding] = opened.findings()
        return finding.state, finding.found

    async with open_companion() as opened:
        assert found() == (State.OK, "none yet: it is started with the first large batch")
        pid = await in_process(opened)
        state, told = found()
        assert state is State.OK
        assert told.startswith(f"process {pid} works, with ")
        assert opened.resident_bytes > 10_000_000
        os.kill(pid, signal.SIGKILL)
        await until(lambda: found()[0] is State.WARNING)  # though there was nothing to do since
        assert found()[1].startswith(f"none: process {pid} has ended")
        assert (opened.pid, opened.resident_bytes) == (None, 0)
        await opened.run(os.getpid)
        state, told = found()
        assert state is State.WARNING
        assert told.startswith("none at present, 1 were lost; the last: the process")
    async with open_companion(has_process=False) as opened:
        assert found()[0] is State.OK


async def test_where_no_process_can_be_started_work_is_done_here(monkeypatch, caplog):
    """And it is not tried again with every piece."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with open_companion() as opened:
        for _ in range(3):
            assert await opened.run(divmod, 22, 7) == (3, 1)
    assert caplog.text.count("no process can be started") == 1


PARENT = """
import asyncio, os, sys
from burgee_server.companion import Companion

async def main():
    opened = Companion(has_process=True)
    while (pid := await opened.run(os.getpid)) == os.getpid():
        await asyncio.sleep(0.01)
    print(pid, flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


async def test_it_ends_with_the_process_that_started_it():
    """Also when that is killed, and can tell nobody."""
    parent = subprocess.Popen(  # noqa: ASYNC220  # nothing else is on this loop
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    await until_gone(pid)
