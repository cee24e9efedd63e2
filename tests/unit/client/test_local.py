"""Flag checks from memory: kept up by a stream, and what they give when it breaks."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import burgee
import burgee.stream
from burgee import Client, ErrorCode, Reason
from burgee.evaluation import flag_to_document
from burgee.v1 import flags_pb2
from tests.unit.client.fakes import Feed, Recorder, serving, unused_target
from tests.unit.client.streamed import change, flag, snapshot, stored, wait_for
from tests.unit.client.test_hostile import GROUPS, PROPERTIES, TEXTS, VALUES


def test_checks_are_answered_from_memory(client: Client, server: Recorder, feed: Feed) -> None:
    """The first one too, once the snapshot is here; nothing but the stream is asked for."""
    assert client.is_enabled("f", "ann", company="acme") is True
    assert client.is_enabled("f", "ann", groups={"company": "globex"}) is False
    assert client.resolve("f", company="acme").reason is Reason.TARGETING_MATCH
    assert client.variant("f", company="acme", group_properties={"company": {"plan": "free"}}) == "off"
    assert {key: each.value for key, each in client.all_flags("ann", company="acme").items()} == {"f": True}
    assert client.resolve("nothing").error_code is ErrorCode.FLAG_NOT_FOUND
    assert [type(request) for request in server.requests] == [flags_pb2.WatchRequest]


def test_changes_of_flags_and_of_properties_are_seen(client: Client, feed: Feed) -> None:
    """Each takes effect with the message that completes it, and not before."""
    assert not client.is_enabled("f", company="globex")
    feed.send(change("e.2", stored=stored(globex="pro")))
    wait_for(lambda: client.is_enabled("f", company="globex"))
    feed.send(change("", flag(version=2, enabled=False)))
    feed.send(change("e.3", flag("g", attribute="company.key")))
    wait_for(lambda: client.resolve("g").reason is not Reason.ERROR)
    assert client.resolve("f", company="acme").flag_version == 2
    feed.send(snapshot("e.4", flag("g", attribute="company.plan"), globex="free"))
    wait_for(lambda: client.resolve("f").error_code is ErrorCode.FLAG_NOT_FOUND)
    assert not client.is_enabled("g", company="acme")


def test_what_the_client_cannot_know_is_asked_for(client: Client, server: Recorder, feed: Feed) -> None:
    """A person's stored property, or that of a type that is not carried; but not one that the caller passes."""
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution=flags_pb2.Resolution(flag_key=request.flag_key, reason=flags_pb2.REASON_SPLIT, variant="asked")
    )
    feed.begin = (snapshot("e.1", flag("person", attribute="user.plan"), flag("team", attribute="team.plan"), flag()),)
    assert client.variant("f", "ann", company="acme") == "off"
    assert client.variant("person", "ann", company="acme", properties={"plan": "pro"}) == "on"
    assert client.variant("person", company="acme") == "off"
    assert client.variant("team", "ann", company="acme") == "off"
    assert server.of(flags_pb2.EvaluateRequest) == []
    assert client.variant("person", "ann", company="acme") == "asked"
    assert client.variant("team", "ann", company="acme", team="red") == "asked"
    client.all_flags("ann")
    assert len(server.of(flags_pb2.EvaluateAllRequest)) == 1


def test_a_lost_server_leaves_the_last_known_good(caplog: pytest.LogCaptureFixture) -> None:
    """Value and variant stay, the reason says STALE, nothing waits; a flag that needs the server is the default."""
    recorder = Recorder(watch=Feed(snapshot("e.1", flag(), flag("person", attribute="user.plan"), acme="pro")))
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=3_600)
        assert client.resolve("f", company="acme").reason is Reason.TARGETING_MATCH
    wait_for(lambda: client.resolve("f", company="acme").reason is Reason.STALE)
    resolution = client.resolve("f", company="acme")
    assert (resolution.value, resolution.variant, resolution.flag_version) == (True, "on", 1)
    assert client.is_enabled("f", company="acme") is True
    assert client.resolve("person", "ann", default=True).error_code is ErrorCode.PROVIDER_NOT_READY
    assert {key: each.reason for key, each in client.all_flags("ann").items()} == {"f": Reason.STALE}
    assert client.resolve("nothing").error_code is ErrorCode.FLAG_NOT_FOUND
    assert "not up to date" in caplog.text
    client.close(0)
    assert client.resolve("f", company="acme").reason is Reason.ERROR


def test_a_lost_server_makes_no_check_slower() -> None:
    """What was answered once is remembered as before, as STALE: ten times less work than to find it anew."""
    recorder = Recorder(watch=Feed(snapshot("e.1", flag(), acme="pro")))
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=5)
        before = client.resolve("f", company="acme")
    wait_for(lambda: client.resolve("f", company="acme").reason is Reason.STALE)
    again = Recorder(watch=Feed(change("e.2", flag(version=2))))
    assert client.resolve("f", company="acme") is client.resolve("f", company="acme")
    assert client.resolve("f", company="acme") == replace(before, reason=Reason.STALE)
    with serving(again, recorder.port):
        wait_for(lambda: client.resolve("f", company="acme") == replace(before, flag_version=2))
    wait_for(lambda: client.resolve("f", company="acme") == replace(before, flag_version=2, reason=Reason.STALE))
    client.close(0)


def test_a_server_that_is_back_is_found_and_asked_for_what_was_missed() -> None:
    """On its version; after that, nothing is stale."""
    recorder = Recorder(watch=Feed(snapshot("e.7", flag(), acme="pro")))
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=5)
        assert client.is_enabled("f", company="acme")
    wait_for(lambda: client.resolve("f", company="acme").reason is Reason.STALE)
    again = Recorder(watch=Feed(change("e.8", flag(version=2))))
    with serving(again, recorder.port):
        wait_for(lambda: client.resolve("f", company="acme").reason is Reason.TARGETING_MATCH)
        assert client.resolve("f", company="acme").flag_version == 2
        assert [request.version for request in again.of(flags_pb2.WatchRequest)] == ["e.7"]
        client.close(0)


@pytest.mark.parametrize(
    "garbage",
    [
        flags_pb2.WatchResponse(version="e.2", stored=[flags_pb2.StoredProperties(properties_json="[1]")]),
        flags_pb2.WatchResponse(version="e.2", stored=[flags_pb2.StoredProperties(properties_json="{")]),
    ],
)
def test_what_cannot_be_read_keeps_the_last_known_good(
    client: Client, server: Recorder, feed: Feed, caplog: pytest.LogCaptureFixture, garbage: flags_pb2.WatchResponse
) -> None:
    """It is told in the log, and a snapshot is asked for."""
    assert client.is_enabled("f", company="acme")
    feed.begin = ()
    feed.send(garbage)
    wait_for(lambda: len(server.of(flags_pb2.WatchRequest)) > 1)
    assert client.resolve("f", company="acme").reason is Reason.STALE
    assert client.is_enabled("f", company="acme")
    assert [request.version for request in server.of(flags_pb2.WatchRequest)] == ["", ""]
    assert "not up to date" in caplog.text


def test_a_stream_that_falls_silent_is_opened_again(
    client: Client, server: Recorder, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is gone without a word is not trusted for ever."""
    monkeypatch.setattr(burgee.stream, "PATIENCE_SECONDS", 0.05)
    assert client.is_enabled("f", company="acme")
    wait_for(lambda: len(server.of(flags_pb2.WatchRequest)) > 1)
    assert [request.version for request in server.of(flags_pb2.WatchRequest)][:2] == ["", "e.1"]
    feed.end()


def test_until_the_first_snapshot_the_server_answers_and_only_the_first_check_waits(server: Recorder) -> None:
    """Half the timeout for the stream, the rest for the call; later checks go straight to the call."""
    server.watch = Feed()
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution=flags_pb2.Resolution(flag_key=request.flag_key, reason=flags_pb2.REASON_SPLIT, variant="asked")
    )
    with Client(server.target, flag_timeout=2.0) as client:
        assert [client.variant("f") for _ in range(50)] == ["asked"] * 50
        assert all(0 < seconds < 2.5 for seconds in server.remaining)
        server.watch.send(snapshot("e.1", flag()))
        wait_for(lambda: client.variant("f") == "off")


def test_a_hanging_server_does_not_hold_up_every_check(server: Recorder) -> None:
    """One check waits; those that follow within a second do not ask."""
    server.hold.clear()
    with Client(server.target, flag_timeout=0.2) as client:
        assert client.resolve("f").error_message.startswith("DEADLINE_EXCEEDED")
        assert "a moment ago" in client.resolve("f").error_message
        assert client.is_enabled("f", default=True)
        server.hold.set()


def test_a_bootstrap_file_answers_before_anything_is_known(tmp_path: Path) -> None:
    """As STALE; what depends on stored properties, and unknown flags, are the default."""
    file = tmp_path / "flags.json"
    flags = [flag(attribute="company.key"), flag("by-plan"), flag("old", archived=True)]
    file.write_text(json.dumps({"flags": [flag_to_document(each) for each in flags]}))
    client = Client(unused_target(), bootstrap=file, flag_timeout=3_600)
    resolution = client.resolve("f", company="pro")
    assert (resolution.value, resolution.variant, resolution.reason) == (True, "on", Reason.STALE)
    assert client.is_enabled("by-plan", company="acme", default=True) is True
    assert client.is_enabled("by-plan", company="acme", group_properties={"company": {"plan": "free"}}) is False
    assert client.value("nothing", "ann", 7) == 7
    assert client.all_flags(company="pro").keys() == {"f"}
    client.close(0)  # nobody takes its exposures


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        "[]",
        '{"flags": [7]}',
        '{"flags": [{"key": "f", "kee": 1}]}',
        '{"flags": [], "cohorts": []}',
        '{"flags": [], "cohorts": {"beta": "acme"}}',
        '{"flags": [], "cohorts": {"beta": [1]}}',
    ],
)
def test_a_bootstrap_file_that_cannot_be_read_is_told_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    """A service starts without it."""
    file = tmp_path / "flags.json"
    if content is not None:
        file.write_text(content)
    with Client(unused_target(), bootstrap=file) as client:
        assert "no bootstrap flags" in caplog.text
        assert client.is_enabled("f", default=True)


def test_without_local_evaluation_every_check_is_a_call(server: Recorder, feed: Feed) -> None:
    """And no stream is opened; a bootstrap file makes no sense then."""
    with Client(server.target, local_evaluation=False) as client:
        client.resolve("f")
        client.all_flags()
    kinds = [flags_pb2.EvaluateRequest, flags_pb2.EvaluateAllRequest]
    assert [type(request) for request in server.requests] == kinds
    with pytest.raises(ValueError, match="bootstrap"):
        Client(server.target, local_evaluation=False, bootstrap="flags.json")


def test_a_caller_cannot_change_what_others_get(client: Client, feed: Feed) -> None:
    """Objects and lists are the caller's own."""
    variants = [{"key": "on", "value": {"a": [1]}}, {"key": "off", "value": {}}]
    everybody = {"rules": [], "fallthrough": {"weights": [{"variant": "on", "weight": 1}]}}
    feed.begin = (snapshot("e.1", flag(type="json", variants=variants, off_variant="off", **everybody)),)
    for _ in range(2):
        value: Any = client.value("f", "ann", {})
        assert value == {"a": [1]}
        value["a"].append(2)
        assert client.all_flags()["f"].value == {"a": [1]}


def test_whatever_is_passed_nothing_raises(client: Client, feed: Feed) -> None:
    """With a snapshot in memory, hostile arguments are an error resolution, as the server would have it."""
    assert client.is_enabled("f", company="acme")
    for thing in (*TEXTS, *VALUES, *PROPERTIES, *GROUPS):
        client.resolve(thing, thing, groups=thing, properties=thing, company=thing)
        client.resolve("f", thing, company="acme")
        client.resolve("f", "ann", company=thing)
        client.all_flags(thing, company=thing)
        assert client.is_enabled("f", "ann", properties=thing, group_properties=thing) is False
    for who in ("\ud800", 7):
        assert client.resolve("f", who).error_code is ErrorCode.INVALID_CONTEXT  # type: ignore[arg-type]
    for key in ("\ud800", 7):
        assert client.resolve("f", company=key).error_code is ErrorCode.INVALID_CONTEXT  # type: ignore[arg-type]
    assert client.resolve("f", properties={"a": float("nan")}).error_code is ErrorCode.INVALID_CONTEXT


FORK = """
import os, sys
from burgee import Client, Reason
parent = Client(sys.argv[1], flag_timeout=20, exposures=False)
if sys.argv[2] == "used":
    assert parent.resolve("f", company="acme").reason is Reason.TARGETING_MATCH
child = os.fork()
assert parent.resolve("f", company="acme").reason is Reason.TARGETING_MATCH
if child == 0:
    parent.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert parent.resolve("f", company="acme").reason is Reason.TARGETING_MATCH
parent.close()
"""


@pytest.mark.parametrize("parent", ["unused", "used"])
def test_a_forked_child_opens_its_own_stream(server: Recorder, feed: Feed, parent: str) -> None:
    """Neither parent nor child hangs or raises, and both answer from memory."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, server.target, parent], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {type(request) for request in server.requests} == {flags_pb2.WatchRequest}
    assert [request.version for request in server.requests].count("") == 2


def test_a_flag_that_nobody_asked_for_yet_is_found_after_a_change(client: Client, server: Recorder, feed: Feed) -> None:
    """Flags are looked up when they are first asked for: before and after a change, and once they are there."""
    feed.begin = (snapshot("e.1", flag(), flag("g"), acme="pro"),)
    assert client.is_enabled("f", company="acme")
    assert client.resolve("h", company="acme").error_code is ErrorCode.FLAG_NOT_FOUND
    feed.send(change("e.2", flag(version=2), flag("h")))
    wait_for(lambda: client.resolve("h", company="acme").reason is Reason.TARGETING_MATCH)
    assert [client.resolve(key, company="acme").flag_version for key in ("f", "g", "h")] == [2, 1, 1]
    assert list(client.all_flags(company="acme")) == ["f", "g", "h"]
    assert server.of(flags_pb2.EvaluateRequest) == server.of(flags_pb2.EvaluateAllRequest) == []


def test_all_flags_need_no_call_where_what_they_read_is_passed(client: Client, server: Recorder, feed: Feed) -> None:
    """A flag that reads a person's property is asked for only if that was not passed; nobody else's answer changes."""
    feed.begin = (snapshot("e.1", flag(), flag("person", attribute="user.plan"), acme="pro"),)
    assert client.is_enabled("f", groups={"company": "acme"})
    given = client.all_flags("ann", groups={"company": "acme"}, properties={"plan": "pro"})
    assert {key: each.variant for key, each in given.items()} == {"f": "on", "person": "on"}
    given = client.all_flags("ann", company="globex", properties={"plan": "free"})
    assert {key: each.variant for key, each in given.items()} == {"f": "off", "person": "off"}
    assert server.of(flags_pb2.EvaluateAllRequest) == []


def test_a_stream_that_ends_well_is_followed_by_the_next_and_nothing_is_stale(
    client: Client, server: Recorder, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that lets no stream last for ever is no server that is gone: the next goes on where it was."""
    monkeypatch.setattr(burgee.stream, "AGE_SECONDS", 0.0)
    assert client.ready()
    told: list[burgee.FlagState] = []
    client.on_flags(lambda _changed: told.append(client.flag_status.state))
    feed.begin = (change("e.1"),)
    feed.end()
    wait_for(lambda: len(server.of(flags_pb2.WatchRequest)) > 1)
    feed.send(change("e.2", flag(version=2)))
    wait_for(lambda: client.resolve("f", company="acme").flag_version == 2)
    assert [request.version for request in server.of(flags_pb2.WatchRequest)] == ["", "e.1"]
    assert told == [burgee.FlagState.READY]
