"""What may not be saved, and by which path it is named; and what may be left out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from burgee.evaluation import Flag, FlagType, Json, flag_from_document, violations, with_defaults


def flag(**fields: Json) -> Flag:
    """A flag that may be saved, but for these fields."""
    return with_defaults(flag_from_document({"key": "f", "enabled": True, **fields}))


def condition(operator: str, *values: Json, attribute: str = "user.x") -> Flag:
    """A flag with this one condition."""
    asked: dict[str, Json] = {"attribute": attribute, "operator": operator, "values": list(values)}
    return flag(rules=[{"conditions": [asked]}])


def distribution(**fields: Json) -> Flag:
    """A flag with this one distribution."""
    return flag(rules=[{"distribution": fields}])


def ramp(*steps: tuple[str, int]) -> list[Json]:
    """Steps of a ramp."""
    return [{"at": at, "rollout": rollout} for at, rollout in steps]


VALUE = "rules[0].conditions[0].values[0]"
VALUES = "rules[0].conditions[0].values"
DISTRIBUTION = "rules[0].distribution"


@pytest.mark.parametrize(
    ("wrong", "path", "message"),
    [
        (flag(key=""), "key", "1 to 200"),
        (flag(key="x" * 201), "key", "1 to 200"),
        (flag(key="a b"), "key", "1 to 200"),
        (flag(key="é"), "key", "1 to 200"),
        (flag(key="a\n"), "key", "1 to 200"),
        (flag(type="string"), "variants", "at least one"),
        (flag(variants=[{"key": "", "value": True}, {"key": "off", "value": False}]), "variants[0].key", "1 to 200"),
        (
            flag(variants=[{"key": "off", "value": True}, {"key": "off", "value": False}]),
            "variants[1].key",
            'another variant is named "off"',
        ),
        (flag(variants=[{"key": "off", "value": 1}]), "variants[0].value", "true or false, not a number"),
        (flag(type="number", variants=[{"key": "a", "value": True}]), "variants[0].value", "a number, not true or"),
        (flag(type="number", variants=[{"key": "a", "value": "5"}]), "variants[0].value", "a number, not text"),
        (flag(type="string", variants=[{"key": "a", "value": None}]), "variants[0].value", "text, not nothing"),
        (flag(type="json", variants=[{"key": "a", "value": "x"}]), "variants[0].value", "an object or a list"),
        (flag(off_variant="nope"), "off_variant", 'no variant "nope"'),
        (flag(rules=[{"rule_id": "a"}, {"rule_id": "a"}]), "rules[1].rule_id", 'another rule has the id "a"'),
        (condition("is_set", attribute="plan"), "rules[0].conditions[0].attribute", "two parts"),
        (condition("is_set", attribute=".plan"), "rules[0].conditions[0].attribute", "two parts"),
        (condition("is_set", attribute="user."), "rules[0].conditions[0].attribute", "two parts"),
        (condition("is_set", attribute="event.plan"), "rules[0].conditions[0].attribute", "no event"),
        (condition("is_set", "x"), VALUES, "takes no values"),
        (condition("equals"), VALUES, "takes one value"),
        (condition("equals", 1, 2), VALUES, "exactly one value"),
        (condition("in"), VALUES, "at least one value"),
        (condition("matches", "a", "b"), VALUES, "exactly one value"),
        (condition("equals", None), VALUE, "is_not_set"),
        (condition("in", 1, None), "rules[0].conditions[0].values[1]", "is_not_set"),
        (condition("gt", "5"), VALUE, "takes a number, not text"),
        (condition("lte", True), VALUE, "takes a number, not true or false"),
        (condition("starts_with", "a", 5), "rules[0].conditions[0].values[1]", "takes text, not a number"),
        (condition("matches", "(a"), VALUE, "not a pattern: missing )"),
        (condition("matches", "(a)\\1"), VALUE, "backreferences"),
        (condition("before", "soon"), VALUE, "not a time"),
        (condition("after", 5), VALUE, "takes text, not a number"),
        (condition("after", "30d"), VALUE, "not a time"),
        (condition("semver_caret", "1.2"), VALUE, "not a semantic version"),
        (distribution(weights=[{"variant": "x", "weight": 1}]), f"{DISTRIBUTION}.weights[0].variant", 'no variant "x"'),
        (
            distribution(weights=[{"variant": "on", "weight": 1}, {"variant": "on", "weight": 1}]),
            f"{DISTRIBUTION}.weights[1].variant",
            "has a weight already",
        ),
        (distribution(weights=[{"variant": "on", "weight": 0}]), f"{DISTRIBUTION}.weights", "above 0"),
        (
            distribution(weights=[{"variant": "on", "weight": 2}, {"variant": "off", "weight": -1}]),
            f"{DISTRIBUTION}.weights[1].weight",
            "0 or more",
        ),
        (
            flag(type="string", variants=[{"key": "a", "value": ""}], rules=[{}]),
            f"{DISTRIBUTION}.weights",
            "above 0",
        ),
        (distribution(rollout=100_001), f"{DISTRIBUTION}.rollout", "0 to 100000"),
        (distribution(rollout=-1), f"{DISTRIBUTION}.rollout", "0 to 100000"),
        (distribution(bucket_by="company."), f"{DISTRIBUTION}.bucket_by", "a group type"),
        (distribution(bucket_by="event.x"), f"{DISTRIBUTION}.bucket_by", "no event"),
        (distribution(ramp=ramp(("2026-01-01", 5)), rollout=5), f"{DISTRIBUTION}.rollout", "one of them"),
        (distribution(ramp=ramp(("2026-01-01", 100_001))), f"{DISTRIBUTION}.ramp[0].rollout", "0 to 100000"),
        (
            distribution(ramp=ramp(("2026-01-02", 5), ("2026-01-03", 6), ("2026-01-03", 7))),
            f"{DISTRIBUTION}.ramp[2].at",
            "in order of time",
        ),
        (flag(fallthrough={"rollout": -1}), "fallthrough.rollout", "0 to 100000"),
        (flag(prerequisites=[{"flag_key": "f", "variants": ["on"]}]), "prerequisites[0].flag_key", "its own"),
        (flag(prerequisites=[{"flag_key": "gone", "variants": ["on"]}]), "prerequisites[0].flag_key", "no flag"),
        (flag(prerequisites=[{"flag_key": "a", "variants": []}]), "prerequisites[0].variants", "at least one"),
        (
            flag(prerequisites=[{"flag_key": "a", "variants": ["on", "x"]}]),
            "prerequisites[0].variants[1]",
            'has no variant "x"',
        ),
        (
            flag(prerequisites=[{"flag_key": "a", "variants": ["on"]}] * 2),
            "prerequisites[1].flag_key",
            "a prerequisite already",
        ),
        (
            flag(prerequisites=[{"flag_key": "needs-a-that-needs-f", "variants": ["on"]}]),
            "prerequisites[0].flag_key",
            "a cycle: f -> needs-a-that-needs-f -> needs-f -> f",
        ),
    ],
)
def test_a_violation_is_named_by_its_path(wrong: Flag, path: str, message: str) -> None:
    """Exactly one thing is wrong, its path is that of the proto's field, and the words say what would be right."""
    others = {
        "f": flag(),
        "a": flag(key="a"),
        "needs-f": flag(key="needs-f", prerequisites=[{"flag_key": "f", "variants": ["on"]}]),
        "needs-a-that-needs-f": flag(
            key="needs-a-that-needs-f", prerequisites=[{"flag_key": "needs-f", "variants": ["on"]}]
        ),
    }
    ((found, words),) = violations(wrong, others)
    assert found == path
    assert message in words


def test_everything_wrong_is_named_at_once() -> None:
    """A caller need not mend one thing to hear of the next."""
    wrong = flag(key="", off_variant="x", rules=[{"conditions": [{"attribute": "a", "operator": "gt"}]}])
    assert [path for path, _ in violations(wrong)] == [
        "key",
        "off_variant",
        "rules[0].conditions[0].attribute",
        "rules[0].conditions[0].values",
    ]


def test_a_ramp_without_an_offset_is_refused() -> None:
    """A naive moment is nobody's moment."""
    stepped = distribution(ramp=ramp(("2026-01-01", 5)))
    rule = stepped.rules[0]
    step = replace(rule.distribution.ramp[0], at=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
    naive = replace(stepped, rules=(replace(rule, distribution=replace(rule.distribution, ramp=(step,))),))
    assert violations(naive) == [(f"{DISTRIBUTION}.ramp[0].at", "a moment needs its offset from UTC")]


def test_a_boolean_flag_is_spelled_out() -> None:
    """On and off, off when disabled, "on" where no weights are given, the first free ids for rules."""
    filled = flag(rules=[{}, {"rule_id": "rule-1"}, {}, {"rule_id": "vip"}], fallthrough={"rollout": 5})
    assert [(variant.key, variant.value) for variant in filled.variants] == [("on", True), ("off", False)]
    assert filled.off_variant == "off"
    assert [rule.rule_id for rule in filled.rules] == ["rule-2", "rule-1", "rule-3", "vip"]
    given = [filled.fallthrough, *(rule.distribution for rule in filled.rules)]
    assert all(each is not None and [weight.variant for weight in each.weights] == ["on"] for each in given)
    assert violations(filled) == []


def test_filling_in_twice_changes_nothing() -> None:
    """with_defaults is idempotent, so a saved flag stays as it is."""
    filled = flag(rules=[{}, {}], fallthrough={})
    assert with_defaults(filled) == filled


def test_other_flags_fall_back_to_their_first_variant() -> None:
    """And their distributions must say what they give."""
    filled = flag(type="string", variants=[{"key": "a", "value": "x"}, {"key": "b", "value": "y"}], rules=[{}])
    assert (filled.type, filled.off_variant) == (FlagType.STRING, "a")
    assert filled.rules[0].distribution.weights == ()
