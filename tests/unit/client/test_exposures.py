"""Exposures: what checks gave whom, captured once in an hour and never at the caller's expense."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import burgee.exposures
from burgee import Client, Dropped, FlagState
from burgee.v1 import capture_pb2, flags_pb2
from tests.unit.client.fakes import Feed, Recorder, serving, unused_target
from tests.unit.client.streamed import change, flag, snapshot, wait_for

HOUR = 1_800_000_000.0
BY_USER = {"rules": [], "fallthrough": {"rollout": 50_000}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that exposures see, at the start of an hour."""
    now = [HOUR]
    monkeypatch.setattr(burgee.exposures, "time", lambda: now[0])
    return now


@pytest.fixture
def exposing(server: Recorder, feed: Feed, dropped: list[Dropped]) -> Iterator[Client]:
    """A client as it is made by default, that sends without waiting for company."""
    with Client(server.target, flush_interval=0.01, flag_timeout=5.0, on_drop=dropped.append) as client:
        yield client


def told(server: Recorder) -> list[tuple[str, str, str, dict[str, str]]]:
    """Flag, variant, who and groups of each exposure that arrived, in order."""
    return [(*_of(event), event.distinct_id, dict(event.groups)) for event in server.events]


def _of(event: capture_pb2.Event) -> tuple[str, str]:
    properties = json.loads(event.properties_json)
    return properties["$feature_flag"], properties["$feature_flag_response"]


def test_the_first_check_is_captured_with_all_that_it_gave(
    exposing: Client, server: Recorder, clock: list[float]
) -> None:
    """Flag, variant, reason, rule, version and what was drawn by; groups, who and when."""
    clock[0] += 12.5
    assert exposing.is_enabled("f", "ann", company="acme", team="red")
    assert exposing.flush()
    (event,) = server.events
    assert (event.event, event.distinct_id) == ("$feature_flag_called", "ann")
    assert dict(event.groups) == {"company": "acme", "team": "red"}
    assert event.timestamp_micros == (HOUR + 12.5) * 1_000_000
    assert json.loads(event.properties_json) == {
        "$feature_flag": "f",
        "$feature_flag_response": "on",
        "$feature_flag_reason": "TARGETING_MATCH",
        "$feature_flag_version": 1,
        "$feature_flag_rule_id": "rule-1",
        "$feature_flag_bucket_by": "company",
    }


def test_a_flag_and_variant_count_once_for_what_they_are_drawn_by(
    exposing: Client, server: Recorder, feed: Feed
) -> None:
    """By company: the company's first user. By user: each user. A company that is left out counts, too."""
    feed.begin = (snapshot("e.1", flag(), flag("u", **BY_USER), acme="pro"),)
    for _ in range(3):
        for who in ("ann", "bob"):
            exposing.is_enabled("f", who, company="acme")
            exposing.value("f", who, False, groups={"company": "globex"})
            exposing.variant("u", who, company="acme")
    assert exposing.flush()
    assert Counter((name, who) for name, _, who, _ in told(server)) == {
        ("f", "ann"): 2,
        ("u", "ann"): 1,
        ("u", "bob"): 1,
    }
    assert sorted(groups["company"] for name, _, _, groups in told(server) if name == "f") == ["acme", "globex"]


def test_another_variant_is_another_exposure(exposing: Client, server: Recorder, feed: Feed) -> None:
    """After a change of the flag, the company is told of with what it gets now."""
    assert exposing.is_enabled("f", "ann", company="acme")
    feed.send(change("e.2", flag(version=2, enabled=False)))
    wait_for(lambda: not exposing.is_enabled("f", "ann", company="acme"))
    assert exposing.flush()
    assert [(name, variant) for name, variant, _, _ in told(server)] == [("f", "on"), ("f", "off")]


def test_what_was_not_given_is_not_captured(exposing: Client, server: Recorder) -> None:
    """Errors, values that gave way to the default, lists of flags, and explanations are no exposures."""
    exposing.is_enabled("nothing", "ann", company="acme")
    exposing.value("f", "ann", "text", company="acme")
    exposing.resolve("f", "ann", default=1, company="acme")
    exposing.is_enabled("f", 7, company="acme")  # type: ignore[arg-type]
    exposing.all_flags("ann", company="acme")
    exposing.explain("f", "ann", company="acme")
    assert exposing.flush()
    assert server.events == []


def test_answers_of_the_server_and_stale_ones_are_captured_alike() -> None:
    """What matters is what the caller was given, not where it came from; the reason says that it was stale."""
    recorder = Recorder(watch=Feed(snapshot("e.1", flag(), flag("person", attribute="user.plan"), acme="pro")))
    recorder.answer = lambda request: (
        flags_pb2.EvaluateResponse(
            resolution={
                "flag_key": "person",
                "variant": "on",
                "value": {"bool_value": True},
                "reason": "REASON_TARGETING_MATCH",
                "bucket_by": "company",
            }
        )
        if isinstance(request, flags_pb2.EvaluateRequest)
        else capture_pb2.CaptureResponse()
    )
    with serving(recorder):
        client = Client(recorder.target, flag_timeout=5.0)
        for who in ("ann", "bob"):
            assert client.is_enabled("person", who, company="acme")
        assert client.flush()
        assert told(recorder) == [("person", "on", "ann", {"company": "acme"})]
    wait_for(lambda: client.flag_status.state is FlagState.STALE)
    assert client.is_enabled("f", company="acme")
    with serving(Recorder(), recorder.port) as again:
        assert client.flush(30)
        assert json.loads(again.events[0].properties_json)["$feature_flag_reason"] == "STALE"
        client.close()


@pytest.mark.parametrize(
    ("who", "keys", "expected"),
    [
        ("", {"company": "acme", "another": "x"}, ("$company_acme", {"company": "acme", "another": "x"})),
        ("", {"team": "red", "squad": "s"}, ("$squad_s", {"team": "red", "squad": "s"})),
        ("", {"company": "x" * 200}, (f"$company_{'x' * 191}", {"company": "x" * 200})),
        (" ", {"company": "acme"}, ("$company_acme", {"company": "acme"})),
        ("a\tb", {"company": "acme"}, ("$company_acme", {"company": "acme"})),
        ("ann", {"company": "", "a.b": "c", "user": "u", "team": "a\nb"}, ("ann", {})),
        ("", {}, None),
        ("", {"company": ""}, None),
        (" ", {"user": "x"}, None),
    ],
)
def test_an_exposure_is_always_an_event_that_the_server_takes(
    exposing: Client, server: Recorder, who: str, keys: dict[str, str], expected: tuple[str, dict[str, str]] | None
) -> None:
    """Without a distinct_id the group stands for itself; with nobody at all there is nothing to tell."""
    exposing.is_enabled("f", who, groups=keys)
    assert exposing.flush()
    found = [(event.distinct_id, dict(event.groups)) for event in server.events]
    assert found == ([] if expected is None else [expected])


def test_a_flag_drawn_by_a_property_counts_by_its_owner(exposing: Client, server: Recorder, feed: Feed) -> None:
    """All companies of a region get the same; each is told of. Without a company, each user is."""
    by_region = flag(rules=[], fallthrough={"bucket_by": "company.region", "rollout": 50_000})
    feed.begin = (snapshot("e.1", by_region),)
    for who in ("ann", "bob"):
        for company in ("acme", "globex", None):
            exposing.is_enabled("f", who, company=company, group_properties={"company": {"region": "eu"}})
    assert exposing.flush()
    assert Counter(groups.get("company") for *_, groups in told(server)) == {"acme": 1, "globex": 1, None: 2}


def test_each_hour_of_the_clock_has_its_own_exposures(exposing: Client, server: Recorder, clock: list[float]) -> None:
    """The first check of an hour is captured, however short a time ago the last one was."""
    for seconds in (0, 1, 3_599, 3_600, 3_601, 7_300):
        clock[0] = HOUR + seconds
        exposing.is_enabled("f", "ann", company="acme")
    assert exposing.flush()
    assert [event.timestamp_micros / 1e6 - HOUR for event in server.events] == [0, 3_600, 7_300]


def test_many_processes_tell_of_one_exposure_with_one_uuid(server: Recorder, feed: Feed, clock: list[float]) -> None:
    """So that the server counts it once; another company, variant or hour is another event."""
    for seconds in (0, 10, 3_600):
        clock[0] = HOUR + seconds
        with Client(server.target, flag_timeout=5.0) as client:
            client.is_enabled("f", f"user-{seconds}", company="acme")
            client.is_enabled("f", "ann", company="globex")
    by_company: dict[str, list[str]] = {}
    for event in server.events:
        by_company.setdefault(event.groups["company"], []).append(event.uuid)
    for uuids in by_company.values():
        assert len(uuids) == 3
        assert len(set(uuids)) == 2
    assert not set(by_company["acme"]) & set(by_company["globex"])


def test_exposures_can_be_turned_off(server: Recorder, feed: Feed) -> None:
    """No event, whatever is checked."""
    with Client(server.target, flag_timeout=5.0, exposures=False) as client:
        assert client.is_enabled("f", "ann", company="acme")
        assert client.flush()
    assert server.events == []


def test_the_event_is_written_behind_the_callers_back(
    exposing: Client, server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a thread of its own, without anybody flushing; what waits counts as queued meanwhile."""
    threads: list[str] = []
    encode = burgee.exposures.encode_exposure

    def watched(exposure: Any) -> bytes | None:
        threads.append(threading.current_thread().name)
        return encode(exposure)

    monkeypatch.setattr(burgee.exposures, "encode_exposure", watched)
    assert exposing.is_enabled("f", "ann", company="acme")
    assert exposing.stats.queued == 1
    server.wait_for(lambda: len(server.events) == 1)
    assert threads == ["burgee-exposures"]
    wait_for(lambda: exposing.stats.sent == 1)


def test_closing_sends_what_was_noted(server: Recorder, feed: Feed) -> None:
    """And nothing is noted afterwards."""
    client = Client(server.target, flag_timeout=5.0, flush_interval=3_600)
    assert client.is_enabled("f", "ann", company="acme")
    assert client.close() == 0
    client.is_enabled("f", "bob", company="globex")
    assert len(server.events) == 1
    assert client.stats.queued == 0


def test_memory_is_bounded(exposing: Client, server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more than can be remembered, some are told of again; none is missed."""
    monkeypatch.setattr(burgee.exposures, "MOST_REMEMBERED", 10)
    for company in (*range(25), *range(25)):
        exposing.is_enabled("f", "ann", company=str(company))
    assert exposing.flush()
    assert len(exposing._exposures._seen) <= 10  # type: ignore[union-attr]
    assert {groups["company"] for *_, groups in told(server)} == {str(number) for number in range(25)}


def test_exposures_that_find_no_room_are_dropped_and_told(
    server: Recorder, feed: Feed, dropped: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them, once, and not by the thread that checked; the other half of the queue is for captured events."""
    monkeypatch.setattr(burgee.exposures, "MOST_WAITING", 4)
    monkeypatch.setattr(burgee.exposures, "_GATHER_SECONDS", 3_600)
    server.hold.clear()
    with Client(server.target, flag_timeout=5.0, on_drop=dropped.append, queue_size=6) as client:
        for company in "abcdef" * 2:
            client.is_enabled("f", "ann", company=company)
        assert dropped == []
        client.flush(0)
        assert sorted(loss.reason for loss in dropped) == [
            "half of the queue is full, and the rest is kept for what you capture",
            "more exposures at once than can wait",
            "more exposures at once than can wait",
        ]
        assert {(loss.kind, loss.name) for loss in dropped} == {("event", "$feature_flag_called")}
        for _ in range(3):
            client.capture("mine", "ann")
        assert client.stats.queued == 6
        server.hold.set()


def test_a_server_that_is_away_costs_checks_nothing(tmp_path: Any) -> None:
    """From a bootstrap file: exposures wait like all events."""
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": [{"key": "f", "enabled": True, "fallthrough": {"bucket_by": "company"}}]}))
    client = Client(unused_target(), bootstrap=file, flag_timeout=5.0)
    assert client.is_enabled("f", "ann", company="acme")
    assert client.stats.queued == 1
    assert client.close(0) == 1


def test_threads_that_check_at_once_tell_of_each_company_once(exposing: Client, server: Recorder) -> None:
    """Eight threads, the same hundred companies, all at once."""
    companies = [str(number) for number in range(100)]
    together = threading.Barrier(8)

    def check() -> None:
        together.wait()
        for company in companies:
            exposing.is_enabled("f", "ann", company=company)

    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exposing.flush()
    assert sorted(groups["company"] for *_, groups in told(server)) == sorted(companies)
