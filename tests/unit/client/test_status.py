"""How up to date flags are, who is told of it, and flags that this client cannot read."""

from pathlib import Path
from typing import Any

import pytest

from burgee import Client, ErrorCode, FlagState, FlagStatus, Reason
from burgee.v1 import flags_pb2
from tests.unit.client.fakes import Feed, Recorder, serving, unused_target
from tests.unit.client.streamed import CARRIED, change, flag, snapshot, wait_for

NEWER = flags_pb2.Flag(key="newer", type=99, enabled=True)  # type: ignore[arg-type]


def asked(request: Any) -> Any:
    """What the server says to whom it is asked."""
    return flags_pb2.EvaluateResponse(
        resolution={"flag_key": request.flag_key, "variant": "asked", "reason": "REASON_SPLIT"}
    )


def test_the_status_says_whether_flags_are_those_of_the_server() -> None:
    """NOT_READY, READY, STALE with the reason, READY again."""
    recorder = Recorder(watch=Feed(snapshot("e.7", flag(), flag("g"))))
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=5.0)
        assert client.flag_status == FlagStatus(FlagState.NOT_READY, 0, "", {}, "")
        assert client.ready()
        assert client.flag_status == FlagStatus(FlagState.READY, 2, "e.7", {}, "")
    wait_for(lambda: client.flag_status.state is FlagState.STALE)
    assert client.flag_status.flags == 2
    wait_for(lambda: "UNAVAILABLE" in client.flag_status.trouble)
    assert not client.ready(0)
    with serving(Recorder(watch=Feed(snapshot("f.1", flag()))), recorder.port):
        assert client.ready(20)
        assert client.flag_status == FlagStatus(FlagState.READY, 1, "f.1", {}, "")
        client.close(0)
    assert client.flag_status == FlagStatus(FlagState.NOT_READY, 0, "", {}, "the client is closed")


def test_the_status_of_a_client_that_keeps_no_flags(tmp_path: Path) -> None:
    """With a bootstrap file alone it is stale; without local evaluation there is nothing to be out of date."""
    file = tmp_path / "flags.json"
    file.write_text('{"flags": [{"key": "f", "enabled": true}]}')
    with Client(unused_target(), bootstrap=file, flag_timeout=5.0) as client:
        assert not client.ready(0)
        assert client.flag_status.state is FlagState.STALE
        assert client.flag_status.flags == 1
    with Client(unused_target(), local_evaluation=False) as client:
        assert client.ready(0)
        assert client.flag_status == FlagStatus(FlagState.READY, 0, "", {}, "")
        with pytest.raises(ValueError, match="local_evaluation"):
            client.on_flags(print)


def test_who_listens_is_told_of_flags_that_changed_and_of_the_stream() -> None:
    """Which flags are new, changed or gone; nothing of properties; and when the stream is lost or back."""
    feed = Feed(snapshot("e.1", flag(), flag("g"), acme="pro"))
    told: list[tuple[FlagState, set[str]]] = []
    recorder = Recorder(watch=feed)
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=5.0)
        stop = client.on_flags(lambda changed: told.append((client.flag_status.state, set(changed))))
        wait_for(lambda: len(told) == 1)
        feed.send(change("e.2", stored=[]))
        feed.send(change("e.3", flag(version=2)))
        wait_for(lambda: len(told) == 2)
        feed.send(snapshot("e.4", flag(version=2), flag("h"), acme="pro"))
        wait_for(lambda: len(told) == 3)
    wait_for(lambda: len(told) == 4)
    stop()
    stop()  # once more changes nothing
    with serving(Recorder(watch=Feed(change("e.5"))), recorder.port):
        assert client.ready(20)
        client.close(0)
    ready = FlagState.READY
    assert told[:4] == [(ready, {"f", "g"}), (ready, {"f"}), (ready, {"g", "h"}), (FlagState.STALE, set())]


def test_a_listener_that_raises_harms_nobody(client: Client, feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; flags go on being kept up."""
    client.on_flags(lambda _changed: 1 / 0)  # type: ignore[arg-type, return-value]
    assert client.is_enabled("f", company="acme")
    feed.send(change("e.2", flag(version=2, enabled=False)))
    wait_for(lambda: not client.is_enabled("f", company="acme"))
    assert "a listener to flags raised" in caplog.text


def test_a_flag_that_cannot_be_read_is_asked_for_and_the_others_hold(
    client: Client, server: Recorder, feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer server may know what this client does not; so do flags that depend on it. It is told in the status."""
    server.answer = asked
    needs = flag("needs", rules=[], fallthrough={}, prerequisites=[{"flag_key": "newer", "variants": ["on"]}])
    begin = snapshot("e.1", flag(), needs, acme="pro")
    begin.flags.append(NEWER)
    feed.begin = (begin,)
    assert client.resolve("f", company="acme").reason is Reason.TARGETING_MATCH
    assert client.variant("newer", "ann") == "asked"
    assert client.variant("needs", "ann") == "asked"
    assert client.flag_status.state is FlagState.READY
    assert client.flag_status.unreadable == {"newer": "flag.type: give one of the types"}
    assert "newer" in caplog.text
    client.all_flags("ann")
    assert len(server.of(flags_pb2.EvaluateAllRequest)) == 1


def test_a_flag_that_becomes_readable_is_read_and_the_other_way_round(
    client: Client, server: Recorder, feed: Feed
) -> None:
    """With the change that makes it so; what it was before is not given any more."""
    server.answer = asked
    assert client.variant("f", company="acme") == "on"
    feed.send(flags_pb2.WatchResponse(version="e.2", flags=[flags_pb2.Flag(key="f", type=99)]))  # type: ignore[arg-type]
    wait_for(lambda: client.variant("f", company="acme") == "asked")
    feed.send(change("e.3", flag("other")))
    wait_for(lambda: client.flag_status.version == "e.3")
    assert client.flag_status.unreadable.keys() == {"f"}
    feed.send(change("e.4", flag(version=4)))
    wait_for(lambda: client.variant("f", company="acme") == "on")
    assert client.flag_status.unreadable == {}
    feed.send(flags_pb2.WatchResponse(version="e.5", flags=[NEWER]))
    wait_for(lambda: client.flag_status.unreadable.keys() == {"newer"})
    feed.send(snapshot("e.6", flag()))
    wait_for(lambda: client.flag_status.version == "e.6")
    assert client.flag_status.unreadable == {}


def test_an_unreadable_flag_is_an_error_when_the_server_is_away() -> None:
    """PARSE_ERROR and what is wrong, the default for the caller; the others are stale as ever."""
    begin = flags_pb2.WatchResponse(version="e.1", snapshot=True, carried=CARRIED, flags=[NEWER])
    begin.flags.extend(snapshot("e.1", flag(), flag("broken", off_variant="none")).flags)
    recorder = Recorder(watch=Feed(begin))
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=5.0)
        assert client.ready()
    wait_for(lambda: client.flag_status.state is FlagState.STALE)
    for key, words in (("newer", "flag.type"), ("broken", "off_variant")):
        resolution = client.resolve(key, "ann", default=True)
        assert (resolution.value, resolution.reason) == (True, Reason.ERROR)
        assert resolution.error_code is ErrorCode.PARSE_ERROR
        assert words in resolution.error_message
    assert client.resolve("f").reason is Reason.STALE
    assert client.all_flags("ann").keys() == {"f"}
    client.close(0)
