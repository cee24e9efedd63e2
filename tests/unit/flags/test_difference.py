"""What is told of the difference between two versions of a flag."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from burgee.evaluation import (
    Condition,
    Distribution,
    Flag,
    FlagType,
    Operator,
    Prerequisite,
    RampStep,
    Rule,
    Variant,
    VariantWeight,
)
from burgee_server.flags.difference import difference, is_same, summary

ON = (VariantWeight("on", 1),)
FIRST = Rule("first", Distribution(ON, "company", 10_000), (Condition("company.plan", Operator.IN, ("pro",)),))
SECOND = Rule("second", Distribution(ON))
FLAG = Flag("beta", FlagType.JSON, (Variant("on", [1]), Variant("off", {})), "off", rules=(FIRST, SECOND), version=1)
RAMP = (RampStep(datetime(2026, 3, 1, tzinfo=UTC), 500), RampStep(datetime(2026, 4, 1, tzinfo=UTC), 100_000))


def first(**distribution):
    """The flag with another distribution in its first rule."""
    return replace(FLAG, rules=(replace(FIRST, distribution=replace(FIRST.distribution, **distribution)), SECOND))


CASES = {
    "description": (replace(FLAG, description="new"), ("description", "", "new")),
    "type": (replace(FLAG, type=FlagType.STRING), ("type", "json", "string")),
    "enabled": (replace(FLAG, enabled=True), ("enabled", "false", "true")),
    "a value that Python takes for the same": (
        replace(FLAG, variants=(Variant("on", [True]), FLAG.variants[1])),
        ("variants[on]", "[1]", "[true]"),
    ),
    "a new variant": (replace(FLAG, variants=(*FLAG.variants, Variant("x", 2))), ("variants[x]", "", "2")),
    "off variant": (replace(FLAG, off_variant="on"), ("off_variant", "off", "on")),
    "rollout": (first(rollout=33_333), ("rules[first].distribution.rollout", "10%", "33.333%")),
    "bucket": (first(bucket_by="user"), ("rules[first].distribution.bucket_by", "company", "user")),
    "weights": (
        first(weights=(*ON, VariantWeight("off", 3))),
        ("rules[first].distribution.weights", "on 1", "on 1, off 3"),
    ),
    "salt of a rule": (first(salt="s"), ("rules[first].distribution.salt", "", "s")),
    "conditions": (
        replace(FLAG, rules=(replace(FIRST, conditions=()), SECOND)),
        ("rules[first].conditions", "company.plan in pro", ""),
    ),
    "text that looks like a number": (
        replace(
            FLAG, rules=(replace(FIRST, conditions=(Condition("company.n", Operator.IN, (1, "1", "a,b")),)), SECOND)
        ),
        ("rules[first].conditions", "company.plan in pro", 'company.n in 1, "1", "a,b"'),
    ),
    "order of rules": (replace(FLAG, rules=(SECOND, FIRST)), ("rules", "first, second", "second, first")),
    "a rule less": (replace(FLAG, rules=(FIRST,)), ("rules[second]", "on", "")),
    "a rule in front": (
        replace(FLAG, rules=(replace(FIRST, rule_id="new"), FIRST, SECOND)),
        ("rules[new]", "", "on to 10% by company if company.plan in pro"),
    ),
    "a fallthrough": (
        replace(FLAG, fallthrough=Distribution(ON, "company", 5_000)),
        ("fallthrough", "", "on to 5% by company"),
    ),
    "salt": (replace(FLAG, salt="pepper"), ("salt", "", "pepper")),
    "a prerequisite": (
        replace(FLAG, prerequisites=(Prerequisite("other", ("a", "b")),)),
        ("prerequisites[other]", "", "a or b"),
    ),
    "tags": (replace(FLAG, tags=("x", "y")), ("tags", "", "x, y")),
    "owner": (replace(FLAG, owner="ann"), ("owner", "", "ann")),
    "archived": (replace(FLAG, archived=True), ("archived", "false", "true")),
}


@pytest.mark.parametrize(("after", "expected"), CASES.values(), ids=CASES.keys())
def test_one_change_is_told_as_one_change_and_backwards_the_other_way_round(after, expected):
    """The path, what it was, what it is."""
    path, old, new = expected

    assert [(each.path, each.before, each.after) for each in difference(FLAG, after)] == [(path, old, new)]
    assert [(each.path, each.before, each.after) for each in difference(after, FLAG)] == [(path, new, old)]
    assert not is_same(FLAG, after)


def test_a_ramp_stands_in_place_of_a_rollout():
    """Both sides are told, with every step."""
    assert summary(difference(FLAG, first(rollout=100_000, ramp=RAMP))) == (
        "rules[first].distribution.rollout: 10% → nothing; rules[first].distribution.ramp: nothing → "
        "0.5% from 2026-03-01T00:00:00Z, 100% from 2026-04-01T00:00:00Z"
    )


def test_what_the_server_writes_is_no_change():
    """The version counts up by itself."""
    assert difference(FLAG, replace(FLAG, version=2)) == ()


def test_every_field_of_a_flag_can_differ():
    """A field that is added to flags has to be added to the history of flags."""
    told = {expected[0].partition("[")[0].partition(".")[0] for _, expected in CASES.values()}
    assert told | {"key", "version"} == {field.name for field in fields(Flag)}
