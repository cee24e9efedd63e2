"""Answers that a client remembers: they hold until something changes, and only for who asked the same."""

import pytest

import burgee.flags
import burgee.snapshot
from burgee import Client, ErrorCode, Reason
from burgee.testing import FakeClient
from burgee.v1 import flags_pb2
from tests.unit.client.fakes import Feed, Recorder
from tests.unit.client.streamed import change, flag, snapshot, stored, wait_for

BY_USER = {"rules": [{"distribution": {"bucket_by": "user", "rollout": 50_000}}]}
PATIENT = {"rules": [{"distribution": {"bucket_by": "company", "ramp": [{"at": "2026-03-01", "rollout": 100_000}]}}]}


def remembered(client: Client) -> int:
    """How many answers are."""
    stream = client._flags.stream
    assert stream is not None
    assert stream.current is not None
    return len(stream.current.answers)


def test_one_answer_serves_all_users_of_a_company(client: Client, feed: Feed) -> None:
    """Where the flag looks at nothing of the user; where it does, each has an answer, and the right one."""
    feed.begin = (snapshot("e.1", flag(), flag("by-user", **BY_USER), acme="pro"),)
    users = [f"user-{number}" for number in range(40)]
    assert all(client.is_enabled("f", user, company="acme") for user in users)
    assert not any(client.is_enabled("f", user, company="globex") for user in users)
    assert remembered(client) == 2
    given = [client.is_enabled("by-user", user, company="acme") for user in users]
    assert given == [client.is_enabled("by-user", user, company="acme") for user in users]
    assert given == [client.is_enabled("by-user", user, properties={"a": 1}) for user in users]
    assert set(given) == {True, False}
    assert remembered(client) == 42


def test_an_answer_is_forgotten_with_what_it_rests_on(client: Client, feed: Feed) -> None:
    """A stored property, and a flag that another one needs."""
    needed = flag("needed", attribute="company.key")
    needs = flag(prerequisites=[{"flag_key": "needed", "variants": ["off"]}])
    feed.begin = (snapshot("e.1", needed, needs, acme="pro"),)
    assert client.is_enabled("f", company="acme")
    feed.send(change("e.2", stored=stored(acme="free")))
    wait_for(lambda: not client.is_enabled("f", company="acme"))
    feed.send(change("e.3", stored=stored(acme="pro")))
    wait_for(lambda: client.is_enabled("f", company="acme"))
    feed.send(change("e.4", flag("needed", version=2, off_variant="on")))
    wait_for(lambda: client.resolve("f", company="acme").reason is Reason.DISABLED)


def test_what_is_passed_is_looked_at_each_time(client: Client, feed: Feed) -> None:
    """After an answer from what is stored, and before one."""
    assert client.is_enabled("f", "ann", company="acme")
    assert not client.is_enabled("f", "ann", company="acme", group_properties={"company": {"plan": "free"}})
    assert client.is_enabled("f", "ann", company="acme", properties={}, group_properties={})
    assert not client.is_enabled("f", "ann", company="globex")
    assert client.is_enabled("f", "ann", company="globex", group_properties={"company": {"plan": "pro"}})
    assert not client.is_enabled("f", "ann", groups={"company": "globex"})


def test_a_user_that_the_server_refuses_is_refused_with_any_answer_at_hand(client: Client, feed: Feed) -> None:
    """Also by a flag that looks at nothing of the user."""
    assert client.ready()
    assert client.is_enabled("f", "ann", company="acme")
    for who in ("a" * 201, "\ud800", 7):
        refused = client.resolve("f", who, company="acme")  # type: ignore[arg-type]
        assert refused.error_code is ErrorCode.INVALID_CONTEXT
    assert client.resolve("f", "ann", company="acme", team="t" * 201).error_code is ErrorCode.INVALID_CONTEXT
    assert client.is_enabled("f", "Änne", company="acme")


def test_what_the_time_may_change_is_worked_out_each_time(
    client: Client, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ramp that begins between two checks."""
    feed.begin = (snapshot("e.1", flag(**PATIENT), acme="pro"),)
    assert client.ready()
    monkeypatch.setattr(burgee.flags, "time", lambda: 1_772_323_199.0)
    assert not client.is_enabled("f", company="acme")
    monkeypatch.setattr(burgee.flags, "time", lambda: 1_772_323_200.0)
    assert client.is_enabled("f", company="acme")


def test_no_more_is_remembered_than_is_bounded(
    client: Client, server: Recorder, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it begins anew; and a question of very many groups is not kept at all."""
    monkeypatch.setattr(burgee.snapshot, "MOST_ANSWERS", 10)
    assert client.ready()
    for number in range(25):
        assert client.is_enabled("f", company="acme", team=f"team-{number}")
    assert remembered(client) == 5
    assert client.is_enabled("f", groups={"company": "acme", **{f"type-{number}": "a" for number in range(20)}})
    assert remembered(client) == 5
    assert server.of(flags_pb2.EvaluateRequest) == []


def test_a_fake_forgets_when_properties_change() -> None:
    """A test that changes a company's plan sees what comes of it."""
    with FakeClient() as client:
        condition = {"attribute": "company.plan", "operator": "equals", "values": ["pro"]}
        client.put_flags([{"key": "f", "enabled": True, "rules": [{"conditions": [condition]}]}])
        assert not client.is_enabled("f", company="acme")
        client.group("company", "acme", {"plan": "pro"})
        assert client.is_enabled("f", company="acme")
