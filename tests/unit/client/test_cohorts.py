"""Cohorts in a client's memory: who is in them, how that changes, and what is asked of the server instead."""

import json
from pathlib import Path
from typing import Any

import pytest

from burgee import Client, Reason
from burgee.evaluation import COHORT, Flag, flag_from_document, flag_to_document, with_defaults
from burgee.intake import Intake
from burgee.v1 import flags_pb2
from burgee.wire import flag_to_proto
from tests.unit.client.fakes import Feed, Recorder, serving, unused_target
from tests.unit.client.streamed import wait_for


def flag(key: str, *cohort_keys: str, attribute: str = "company.key", version: int = 1, **fields: Any) -> Flag:
    """On for the members of any of these cohorts."""
    condition = {"attribute": attribute, "operator": "in_cohort", "values": list(cohort_keys)}
    document = {"key": key, "enabled": True, "rules": [{"conditions": [condition]}], "version": version, **fields}
    return with_defaults(flag_from_document(document))


def change(version: str, *flags: Flag, carried: list[str] | None = None, **fields: Any) -> flags_pb2.WatchResponse:
    """A message that completes a version."""
    message = flags_pb2.WatchResponse(version=version, flags=map(flag_to_proto, flags), **fields)
    if carried is not None:
        message.carried_cohorts.SetInParent()
        message.carried_cohorts.cohort_keys.extend(carried)
    return message


def members(cohort_key: str, *added: str, removed: tuple[str, ...] = ()) -> flags_pb2.CohortChange:
    """Who came and who left."""
    return flags_pb2.CohortChange(cohort_key=cohort_key, added=added, removed=removed)


BEGIN = change(
    "e.1",
    flag("f", "beta"),
    flag("people", "testers", attribute="user.key"),
    snapshot=True,
    carried=["beta", "testers"],
    cohorts=[members("beta", "acme"), members("beta", "globex"), members("testers", "ann")],
)


@pytest.fixture
def feed(server: Recorder) -> Feed:
    """What the server streams."""
    server.watch = Feed(BEGIN)
    return server.watch


def test_members_are_known_without_asking(client: Client, server: Recorder, feed: Feed) -> None:
    """Groups and persons; whoever is not sent is none."""
    given = [client.is_enabled("f", company=company) for company in ("acme", "globex", "initech")]
    assert given == [True, True, False]
    assert client.is_enabled("people", "ann")
    assert not client.is_enabled("people", "bob")
    assert {key: each.value for key, each in client.all_flags("ann", company="initech").items()} == {
        "f": False,
        "people": True,
    }
    assert [type(request) for request in server.requests] == [flags_pb2.WatchRequest]


def test_who_comes_and_who_leaves_is_seen(client: Client, feed: Feed) -> None:
    """Also together with a change of a flag, and a cohort that is new with it."""
    assert not client.is_enabled("f", company="initech")
    feed.send(change("e.2", cohorts=[members("beta", "initech", removed=("acme",))]))
    wait_for(lambda: client.is_enabled("f", company="initech"))
    assert not client.is_enabled("f", company="acme")
    feed.send(
        change(
            "e.3",
            flag("g", "gold"),
            carried=["beta", "testers", "gold"],
            cohorts=[members("gold", "acme"), members("beta", "acme", removed=("initech",))],
        )
    )
    wait_for(lambda: client.is_enabled("g", company="acme"))
    assert [client.is_enabled("f", company=company) for company in ("acme", "globex", "initech")] == [True, True, False]


def test_a_cohort_that_is_not_carried_is_asked_for(client: Client, server: Recorder, feed: Feed) -> None:
    """And only where the answer depends on it: not without a company, nor for one that is in another of the cohorts."""
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution=flags_pb2.Resolution(flag_key=request.flag_key, reason=flags_pb2.REASON_SPLIT, variant="asked")
    )
    two = flag("f", "beta", "huge")
    feed.begin = (change("e.1", two, snapshot=True, carried=["beta"], cohorts=[members("beta", "acme")]),)
    assert [client.variant("f", "ann"), client.variant("f", company="acme")] == ["off", "on"]
    feed.send(change("e.2", flag("g", "huge")))
    wait_for(lambda: client.variant("g", "ann") == "off")
    assert server.of(flags_pb2.EvaluateRequest) == []
    assert client.variant("f", company="initech") == "asked"
    feed.send(change("e.3", carried=["beta", "huge"], cohorts=[members("huge", "initech")]))
    wait_for(lambda: client.variant("f", company="initech") == "on")
    assert client.variant("f", company="globex") == "off"
    feed.send(change("e.4", carried=["beta"]))
    wait_for(lambda: client.variant("f", company="globex") == "asked")


def test_members_stay_known_when_the_server_is_gone() -> None:
    """As STALE."""
    with serving(Recorder(watch=Feed(BEGIN))) as recorder:
        client = Client(recorder.target, flag_timeout=3_600)
        assert client.is_enabled("f", company="acme")
    wait_for(lambda: client.resolve("f", company="acme").reason is Reason.STALE)
    assert client.resolve("f", company="acme").variant == "on"
    assert client.resolve("f", company="initech").variant == "off"
    client.close(0)


def test_a_bootstrap_file_has_members(tmp_path: Path) -> None:
    """Who is in it is on; of a cohort that is not in the file, nothing is guessed."""
    file = tmp_path / "flags.json"
    flags = [flag_to_document(each) for each in (flag("f", "beta"), flag("g", "gone"))]
    file.write_text(json.dumps({"flags": flags, "cohorts": {"beta": ["acme"]}}))
    client = Client(unused_target(), bootstrap=file, flag_timeout=3_600)
    assert client.resolve("f", company="acme").variant == "on"
    assert client.resolve("f", company="globex").variant == "off"
    assert client.is_enabled("g", company="acme", default=True)
    assert client.resolve("g", company="acme").reason is Reason.ERROR
    client.close(0)  # nobody takes its exposures


def test_a_change_of_members_copies_no_list() -> None:
    """One of 50,000 is changed in place; with a change of flags, only the lists that change themselves are copied."""
    intake = Intake()
    intake.take(BEGIN)
    many = intake.take(change("e.2", cohorts=[members("beta", *(f"company-{number}" for number in range(50_000)))]))
    assert many is not None
    beta, testers = many.stored[COHORT, "beta"], many.stored[COHORT, "testers"]

    after = intake.take(change("e.3", cohorts=[members("beta", "new", removed=("company-7",))]))
    assert after is not None
    assert after.stored[COHORT, "beta"] is beta
    assert "new" in beta
    assert "company-7" not in beta

    changed = intake.take(change("e.4", flag("f", "beta", version=2), cohorts=[members("beta", "newer")]))
    assert changed is not None
    assert "newer" in changed.stored[COHORT, "beta"]
    assert "newer" not in beta
    assert changed.stored[COHORT, "testers"] is testers


def test_members_of_a_cohort_that_is_not_carried_are_nobodys() -> None:
    """A server that sends them all the same does not make it carried."""
    intake = Intake()
    intake.take(BEGIN)
    snapshot = intake.take(change("e.2", cohorts=[members("other", "acme")]))
    assert snapshot is not None
    assert (COHORT, "other") not in snapshot.stored
    assert snapshot.cohorts == {"beta", "testers"}


def test_a_new_snapshot_forgets_the_members_of_the_one_before() -> None:
    """Whatever it does not say is not so."""
    intake = Intake()
    intake.take(BEGIN)
    snapshot = intake.take(
        change("e.9", flag("f", "beta"), snapshot=True, carried=["beta"], cohorts=[members("beta", "umbrella")])
    )
    assert snapshot is not None
    assert dict(snapshot.stored) == {(COHORT, "beta"): {"umbrella": True}}
