"""Whatever ends a process, what was in the spool is sent by the next one, and what is not sent is told."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from burgee import Client
from tests.unit.client.fakes import Recorder, unused_target

BEGIN = """
import os, signal, sys, time
import burgee, burgee.lifetime, burgee.keeper
burgee.lifetime._AT_EXIT_SECONDS = 0.2
burgee.keeper.LOOK_SECONDS = 0.02
target, spool = sys.argv[1:3]

def a_client(flush_interval):
    return burgee.Client(target, "the-key", spool=spool or None, flush_interval=flush_interval)

def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)

def kept(client):
    wait_for(lambda: client.stats.queued == 0)
"""

CAPTURE = """
client = a_client(3600)
for number in range(3):
    client.capture(str(number), "ann")
"""


def run(script: str, target: str, spool: Path | str = "") -> "subprocess.CompletedProcess[str]":
    """A process that runs the script, and what it said."""
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script, target, str(spool)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sent_by_the_next(server: Recorder, spool: Path) -> list[str]:
    """What a client that starts now finds in the spool, and sends."""
    with Client(server.target, "the-key", spool=spool) as client:
        assert client.flush()
    return sorted(event.event for event in server.events)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise RuntimeError", 1),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); signal.raise_signal(signal.SIGTERM)", 4),
    ],
    ids=["the script ends", "sys.exit", "an exception", "SIGTERM that exits"],
)
def test_a_process_that_ends_leaves_what_it_could_not_send_and_says_how_many(
    server: Recorder, tmp_path: Path, end: str, code: int
) -> None:
    """Even what waited in memory for company; the exit code is the process's own."""
    ended = run(CAPTURE + end, unused_target(), tmp_path)
    assert ended.returncode == code
    told = "closed with 3 events and profile changes not sent: 0 are lost, 3 stay in the spool"
    assert ended.stderr.count(told) == 1
    assert sent_by_the_next(server, tmp_path) == ["0", "1", "2"]


def test_a_process_without_a_spool_says_how_many_are_lost(server: Recorder) -> None:
    """One line in the log, whatever on_drop does; nothing if nothing is lost."""
    ended = run(CAPTURE, unused_target())
    assert ended.returncode == 0
    assert ended.stderr.count("closed with 3 events and profile changes not sent: they are lost") == 1
    assert run(CAPTURE, server.target).stderr == ""
    assert len(server.events) == 3


def test_all_clients_of_a_process_share_one_time_to_flush() -> None:
    """Ten of them that reach nobody do not take ten times as long."""
    script = """
burgee.lifetime._AT_EXIT_SECONDS = 1.0
clients = [a_client(0) for _ in range(10)]
for client in clients:
    client.capture("seen", "ann")
began = time.monotonic()
burgee.lifetime._end_all()
assert all(client.stats.dropped == 1 for client in clients)
assert time.monotonic() - began < 5
"""
    ended = run(script, unused_target())
    assert ended.returncode == 0, ended.stderr


def test_a_client_that_reaches_nobody_does_not_take_the_time_of_one_that_does(server: Recorder) -> None:
    """Even if it is closed first."""
    script = """
class InOrder(list):
    discard = list.remove

burgee.lifetime._AT_EXIT_SECONDS = 1.0
there, spool = spool, None
away = a_client(0)
away.capture("lost", "ann")
target = there
reaching = a_client(3600)
reaching.capture("seen", "ann")
burgee.lifetime._open = InOrder([away, reaching])
"""
    ended = run(script, unused_target(), server.target)
    assert ended.stderr.count("closed with") == 1
    assert [event.event for event in server.events] == ["seen"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_process_that_is_killed_leaves_what_was_in_the_spool(
    server: Recorder, tmp_path: Path, how: signal.Signals
) -> None:
    """What the counters say is queued is lost, what they say is spooled is not. SIGTERM kills unless it is handled."""
    script = f"""
client = a_client(0)
for number in range(3):
    client.capture(str(number), "ann")
kept(client)
late = a_client(3600)
late.capture("late", "ann")
assert (client.stats.spooled, late.stats.queued) == (3, 1)
signal.raise_signal({int(how)})
"""
    ended = run(script, unused_target(), tmp_path)
    assert ended.returncode == -how
    assert "closed with" not in ended.stderr
    assert sent_by_the_next(server, tmp_path) == ["0", "1", "2"]


def test_a_forked_child_does_not_take_what_its_parent_holds_until_the_parent_has_ended(
    server: Recorder, tmp_path: Path
) -> None:
    """The child has a spool of its own; what the parent leaves, it takes over like anybody."""
    # A server that never answers, without gRPC, which may crash in a child that is forked in the middle of a call.
    script = """
burgee.sender.deliver = lambda connection, parcel, stopped, on_retry: stopped.wait() and None
client = a_client(0)
for number in range(3):
    client.capture(f"of the parent {number}", "ann")
kept(client)
parent_may_die = os.pipe()
if os.fork():
    os.close(parent_may_die[1])
    assert os.read(parent_may_die[0], 1) == b"x", "the child has failed"
    assert client.stats.spooled == 3
    os.kill(os.getpid(), signal.SIGKILL)
assert client.stats == burgee.Stats(0, 0, 0, 0, 0, 0)
client.capture("of the child", "ann")
kept(client)
looked = []
look = burgee.spool.Shelf.look
burgee.spool.Shelf.look = lambda shelf: (looked.append(shelf), look(shelf))
wait_for(lambda: len(looked) > 6)
assert client.stats.spooled == 1
os.write(parent_may_die[1], b"x")
wait_for(lambda: client.stats.spooled == 4)
print("the child has it")
"""
    ended = run(script, unused_target(), tmp_path)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == "the child has it\n"
    assert "0 are lost, 4 stay in the spool" in ended.stderr
    assert sent_by_the_next(server, tmp_path) == ["of the child", *(f"of the parent {number}" for number in range(3))]
