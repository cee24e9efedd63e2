"""The client at the edges of a process: secrets, fork, exit."""

import logging
import subprocess
import sys
import traceback
from pathlib import Path

import grpc
import pytest

import burgee
from burgee import Client
from burgee.v1.insights_pb2_grpc import InsightServiceStub
from tests.unit.client.fakes import Failure, Recorder, unused_target

KEY = "bk_secret_0123456789"


def _run(script: str, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_every_call_carries_the_key(server: Recorder) -> None:
    """Events, profiles, flags, insights and stubs are all authorized."""
    with Client(server.target, f" {KEY}\n") as client:
        client.capture("seen", "ann")
        client.identify("ann", {"plan": "pro"})
        client.is_enabled("f", "ann")
        client.trend("seen")
        assert client.stub(InsightServiceStub) is client.stub(InsightServiceStub)
    assert len(server.metadata) == 4
    assert {metadata["authorization"] for metadata in server.metadata} == {f"Bearer {KEY}"}


def test_the_key_comes_from_the_environment(server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """BURGEE_API_KEY, unless a key is given; an empty one is none."""
    monkeypatch.setenv("BURGEE_API_KEY", KEY)
    for key in (None, ""):
        with Client(server.target, key) as client:
            client.is_enabled("f", "ann")
    assert [metadata.get("authorization") for metadata in server.metadata] == [f"Bearer {KEY}", None]


def test_the_key_is_never_shown(server: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a repr, a log line, an error or a traceback, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    shown = []
    for target in (server.target, unused_target()):
        server.failures += [Failure(grpc.StatusCode.UNAUTHENTICATED)] * 3
        client = Client(target, KEY, on_drop=lambda loss: shown.append(repr(loss)))
        shown.append(f"{client} {client!r} {client.stats}")
        client.capture("seen", "ann")
        client.flush(0.2)
        shown.append(repr(client.resolve("f", "ann")))
        try:
            client.trend("seen")
        except Exception:
            shown.append(traceback.format_exc())
        client.close(0)
    try:
        Client("localhost:1", f"{KEY}\n{KEY}")
    except ValueError as error:
        shown.append(str(error))
    assert len(shown) == 9
    assert KEY not in caplog.text + "".join(shown)


FORK = """
import os, sys
from burgee import Client
parent = Client(sys.argv[1], flush_interval=3600)
if sys.argv[2] == "used":
    parent.capture("before", "parent")
    assert parent.flush()
parent.capture("waiting", "parent")
child = os.fork()
if child == 0:
    assert parent.stats.queued == 0
    parent.capture("after", "child")
    ok = parent.flush(30) and parent.close() == 0
    os._exit(0 if ok else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
parent.capture("after", "parent")
assert parent.close() == 0
"""


@pytest.mark.parametrize("parent", ["unused", "used"])
def test_a_forked_child_sends_its_own_events_and_the_parent_its_own(server: Recorder, parent: str) -> None:
    """Nothing is sent twice, nothing is lost, and neither hangs, whether the parent had called the server or not."""
    _run(FORK, server.target, parent)
    sent = sorted((event.event, event.distinct_id) for event in server.events)
    before = [("before", "parent")] if parent == "used" else []
    assert sent == sorted([("after", "child"), ("after", "parent"), ("waiting", "parent"), *before])


def test_what_waits_is_sent_when_the_process_ends(server: Recorder) -> None:
    """A script that forgets close loses nothing."""
    _run("import sys, burgee; burgee.Client(sys.argv[1], flush_interval=3600).capture('seen', 'ann')", server.target)
    assert [event.event for event in server.events] == ["seen"]


def test_a_client_that_is_not_used_starts_nothing() -> None:
    """No thread and no connection before the first call, so that a service may fork first."""
    _run("import threading, burgee; c = burgee.Client('localhost:1'); assert threading.active_count() == 1; c.close()")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("localhost:4750", "localhost:4750"),
        ("https://burgee.example.com", "burgee.example.com:443"),
        ("https://burgee.example.com:8443/", "burgee.example.com:8443"),
    ],
)
def test_a_target_may_be_an_https_address(target: str, expected: str) -> None:
    """TLS is asked for by the scheme; its port is 443 unless given."""
    with Client(target) as client:
        assert repr(client) == f"<burgee.Client {expected}>"


def test_the_client_says_that_it_is_typed():
    """Without the marker, a type checker takes nothing that the package says."""
    assert (Path(burgee.__file__).parent / "py.typed").is_file()
