"""Groups that belong to groups, in the clients: what is sent, what a fake knows, and what is never guessed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

from burgee import Client, Reason
from burgee.evaluation import Distribution, FlagSet, Rule, VariantWeight, flag_to_document
from burgee.openfeature import BurgeeProvider
from burgee.profiles import group_change
from burgee.snapshot import Snapshot
from burgee.testing import FakeClient, ProfileChange
from burgee.v1.profiles_pb2 import GroupName
from tests.unit.client.fakes import unused_target
from tests.unit.client.streamed import flag

PRO = [{"attribute": "company.plan", "operator": "equals", "values": ["pro"]}]
BY_PLAN = {"key": "by-plan", "enabled": True, "rules": [{"conditions": PRO, "distribution": {"bucket_by": "company"}}]}


def test_a_parent_is_sent_by_its_type_and_key() -> None:
    """And none where none is given; what is no name is refused before it is sent."""
    change = group_change("team", "t1", {"size": 3}, None, (), ("company", "acme"))
    assert change.parent == GroupName(group_type="company", group_key="acme")
    assert not group_change("team", "t1", None, None, ()).HasField("parent")
    fake = FakeClient()
    wrong: list[Any] = [("company", ""), ("company",), "company", ("company", 7)]
    for parent in wrong:
        fake.group("team", "t1", parent=parent)
    assert [(each.kind, each.name) for each in fake.dropped] == [("group", "team:t1")] * 4
    assert fake.changes == []


def test_a_fake_knows_parents_and_exposes_what_was_drawn() -> None:
    """As the server does: the first parent's type is that of the whole type, and a parent is a property."""
    fake = FakeClient()
    fake.put_flags([BY_PLAN])
    fake.group("company", "acme", {"plan": "pro"})
    assert not fake.is_enabled("by-plan", "ann", team="t1")
    fake.group("team", "t1", parent=("company", "acme"))
    assert fake.changes[-1] == ProfileChange("team", "t1", {}, {}, (), ("company", "acme"))
    fake.clear()

    assert fake.is_enabled("by-plan", "ann", team="t1")
    assert [each.groups for each in fake.exposures] == [{"team": "t1", "company": "acme"}]
    assert fake.is_enabled("by-plan", "bob", team="t1", company="acme")
    assert len(fake.exposures) == 1, "it was the company that was given it, and had been"
    assert not fake.is_enabled("by-plan", "ann", team="t1", company="globex")
    assert fake.is_enabled("by-plan", "ann", team="t2", group_properties={"team": {"company": "acme"}})
    fake.group("team", "t2", {"company": "acme"})
    assert fake.variant("by-plan", team="t2") == "on"
    fake.group("team", "t2", unset=["company"])
    assert fake.variant("by-plan", team="t2") == "off"


def test_the_openfeature_provider_has_parents() -> None:
    """From the groups of the evaluation context."""
    fake = FakeClient()
    fake.put_flags([BY_PLAN])
    fake.group("company", "acme", {"plan": "pro"})
    fake.group("team", "t1", parent=("company", "acme"))
    api.set_provider_and_wait(BurgeeProvider(fake), "parents")
    try:
        asked = api.get_client("parents")
        assert asked.get_boolean_value("by-plan", False, EvaluationContext("ann", {"groups": {"team": "t1"}}))
        assert not asked.get_boolean_value("by-plan", True, EvaluationContext("ann", {"groups": {"team": "t2"}}))
    finally:
        api.shutdown()
        api.clear_providers()


def test_a_bootstrap_file_does_not_guess_a_company(tmp_path: Path) -> None:
    """It knows that teams have one, and not which: the default, unless the check names it, or says so of the team."""
    file = tmp_path / "flags.json"
    document = {"flags": [flag_to_document(flag(attribute="company.key"))], "parent_types": {"team": "company"}}
    file.write_text(json.dumps(document))
    client = Client(unused_target(), bootstrap=file, flag_timeout=3_600)

    assert client.resolve("f", team="t1").reason is Reason.ERROR
    assert client.is_enabled("f", team="t1", default=True) is True
    assert client.is_enabled("f", team="t1", company="pro") is True
    assert client.is_enabled("f", team="t1", company="free", default=True) is False
    assert client.is_enabled("f", team="t1", group_properties={"team": {"company": "pro"}}) is True
    client.close(0)


@pytest.mark.parametrize("parent_types", ["[]", '{"team": 1}', '{"team": null}'])
def test_parent_types_that_are_none_are_told(
    parent_types: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The file is not used, and says why."""
    file = tmp_path / "flags.json"
    file.write_text(f'{{"flags": [], "parent_types": {parent_types}}}')
    Client(unused_target(), bootstrap=file).close(0)
    assert "parent_types" in caplog.text


def test_a_flag_is_certain_where_the_parents_that_it_needs_are_carried() -> None:
    """A flag by company needs teams, too; one by team does not need companies."""
    by_team = Rule("r", Distribution((VariantWeight("on", 1),), bucket_by="team"))
    named = replace(flag("by-team"), rules=(by_team,), fallthrough=None)
    flags = FlagSet([flag("by-company", attribute="company.key"), named], {"team": "company"})

    some = Snapshot.of(flags, carried=frozenset())
    every = Snapshot.of(flags, carried=frozenset({"team"}))

    assert (some.uncertain, every.uncertain) == (True, False)
    assert (some.consider("by-company"), some.consider("by-team") is None) == (None, False)
    assert every.consider("by-company") is not None
    assert not flags.profile_types, "a check that names the company reads no team"
