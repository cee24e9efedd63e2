"""A client that was made, and used, before the process forked: gunicorn, Celery, multiprocessing."""

import subprocess
import sys
import threading
from collections import Counter

import pytest

from burgee.traffic import Traffic
from burgee.v1 import flags_pb2
from tests.unit.client.fakes import Feed, Recorder

WORKERS = """
import os, sys, threading
import burgee

client = burgee.Client(sys.argv[1], flag_timeout=20, flush_interval=0.01)
busy = threading.Event()

def hammer():
    while not busy.is_set():
        client.is_enabled("f", "parent", company="acme")
        client.is_enabled("f", "parent", company=os.urandom(4).hex())
        client.capture("parent", "parent")

if sys.argv[2] != "unused":
    assert client.is_enabled("f", "parent", company="acme")
threads = [threading.Thread(target=hammer) for _ in range(3 if sys.argv[2] == "busy" else 0)]
for thread in threads:
    thread.start()

def work(name):
    # What a worker does: checks, captures, changes, and leaves without a word.
    for _ in range(50):
        assert client.is_enabled("f", name, company="acme")
    assert client.flag_status.state is burgee.FlagState.READY
    client.capture("child", name, company="acme")
    client.group("company", name, {"seats": 1})
    assert client.flush(20), client.stats
    assert client.stats.dropped == 0

children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        try:
            if number == 0 and (grandchild := os.fork()) == 0:  # a worker that forks again
                work("grandchild")
                client.close()
                os._exit(0)
            work(f"child-{number}")
            if number == 0:
                assert os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 0
            client.close()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    children.append(child)
for child in children:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
busy.set()
for thread in threads:
    thread.join()
work("parent")
client.close()
"""


@pytest.mark.parametrize("parent", ["unused", "used", "busy"])
def test_workers_that_were_forked_have_flags_events_and_exposures_of_their_own(
    server: Recorder, feed: Feed, parent: str
) -> None:
    """Whether the parent had used the client, or was using it in three threads at that moment, locks and all."""
    done = subprocess.run(
        [sys.executable, "-c", WORKERS, server.target, parent],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = ["child-0", "child-1", "child-2", "grandchild", "parent"]
    captured = Counter(event.distinct_id for event in server.events if event.event == "child")
    assert captured == dict.fromkeys(names, 1)
    exposed = Counter(
        event.distinct_id
        for event in server.events
        if event.event == "$feature_flag_called" and event.groups["company"] == "acme"
    )
    assert exposed == dict.fromkeys(names, 1)
    # The parent's stream was ended for each fork, and went on where it was.
    assert [request.version for request in server.of(flags_pb2.WatchRequest)].count("") == len(names)


ASYNC_WORKER = """
import asyncio, os, sys
from burgee import AsyncClient

client = AsyncClient(sys.argv[1], flag_timeout=20)

async def serve(name):
    assert await client.is_enabled("f", name, company="acme")
    client.capture("seen", name)
    assert await client.flush()

asyncio.run(serve("parent"))
child = os.fork()
if child == 0:
    asyncio.run(serve("child"))
    asyncio.run(client.close())
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
asyncio.run(serve("parent"))
"""


def test_the_asyncio_client_outlives_a_fork(server: Recorder, feed: Feed) -> None:
    """Used before it, in a loop that has ended; then in the child and in the parent, each in a loop of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ASYNC_WORKER, server.target], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Counter(event.distinct_id for event in server.events if event.event == "seen") == {"parent": 2, "child": 1}


AT_ONCE = """
import os, sys, threading
from burgee import Client

client = Client(sys.argv[1], flag_timeout=20)
assert client.is_enabled("f", "ann", company="acme")

def fork():
    for _ in range(5):
        child = os.fork()
        if child == 0:
            os._exit(0 if client.is_enabled("f", "ann", company="acme") else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

threads = [threading.Thread(target=fork) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
client.capture("seen", "ann")
assert client.flush(20)
assert client.close() == 0
"""


def test_threads_may_fork_at_once(server: Recorder, feed: Feed) -> None:
    """One after the other; the parent goes on as before."""
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, server.target], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [event.event for event in server.events].count("seen") == 1


HANGING = """
import os, sys, threading
import burgee, burgee.lifetime

burgee.lifetime.FORK_SECONDS = float(sys.argv[2])
client = burgee.Client(sys.argv[1], flag_timeout=3_600, local_evaluation=False)
check = threading.Thread(target=lambda: client.is_enabled("f", "ann"))
check.start()
sys.stdin.readline()  # the server has the call, and holds it
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
print("forked", flush=True)
check.join()
client.close()
"""


def test_a_fork_does_not_wait_for_ever_for_a_server_that_hangs(server: Recorder) -> None:
    """After a while it forks all the same, and warns that the child may have trouble."""
    server.hold.clear()
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, server.target, "0.05"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        server.wait_for(lambda: bool(server.requests))
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
        server.hold.set()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "in the middle of a call" in errors


def test_calls_wait_while_there_is_a_halt_and_the_halt_waits_for_calls() -> None:
    """None begins after it, and those that had begun are waited for."""
    traffic = Traffic()
    traffic.enter()
    traffic.halt()
    assert not traffic.wait(0)
    late = threading.Thread(target=traffic.enter)
    late.start()
    traffic.leave()
    assert traffic.wait(10)
    assert late.is_alive()
    traffic.resume()
    late.join(10)
    assert not traffic.wait(0)
