"""What holds for any flag and any context."""

import pytest
from hypothesis import given

from burgee.evaluation import (
    COHORT,
    Condition,
    Context,
    Flag,
    FlagSet,
    Operator,
    Profiles,
    Reason,
    compile_condition,
    violations,
)
from tests.fixtures.examples import examples
from tests.unit.evaluation.strategies import NOW, contexts, flag_sets, flags, profiles


@given(flags(), contexts(), profiles)
def test_a_flag_that_passes_the_check_always_answers(flag: Flag, context: Context, stored: Profiles) -> None:
    """Whatever JSON a context holds, nothing raises, and the answer is one of the flag's variants."""
    assert violations(flag) == []
    resolution = FlagSet([flag]).evaluate(flag.key, context, stored, NOW)
    assert (resolution.variant, resolution.value) in [(variant.key, variant.value) for variant in flag.variants]
    assert resolution.error_code is None
    assert resolution.flag_version == flag.version


@examples(13)
@given(flag_sets(), contexts(), profiles)
def test_explanations_agree_with_evaluation(some: list[Flag], context: Context, stored: Profiles) -> None:
    """Explain and evaluate give the same resolution, and the outcomes that are told lead to it."""
    flag_set = FlagSet(some)
    for flag in some:
        explanation = flag_set.explain(flag.key, context, stored, NOW)
        resolution = flag_set.evaluate(flag.key, context, stored, NOW)
        assert explanation.resolution == resolution
        assert resolution.rule_id == next((rule.rule_id for rule in explanation.rules if rule.verdict == "MATCHED"), "")
        if any(not outcome.passed for outcome in explanation.prerequisites):
            assert resolution.reason is Reason.DISABLED
        if resolution.rule_id:
            assert explanation.rules[-1].draw is not None
            assert explanation.rules[-1].draw.variant == resolution.variant
        for rule in explanation.rules:
            assert all(outcome.passed for outcome in rule.conditions) == (rule.verdict != "CONDITION_FAILED")


@examples(13)
@given(flag_sets(), contexts(), profiles)
def test_all_at_once_is_the_same_as_one_by_one(some: list[Flag], context: Context, stored: Profiles) -> None:
    """evaluate_all gives what evaluate gives, by key, without archived flags."""
    flag_set = FlagSet(some)
    wanted = sorted(flag.key for flag in some if not flag.archived)
    assert flag_set.evaluate_all(context, stored, NOW) == [
        flag_set.evaluate(key, context, stored, NOW) for key in wanted
    ]


@pytest.mark.parametrize("attribute", ["user.plan", "company.plan"])
def test_nobody_has_no_stored_properties(attribute: str) -> None:
    """An empty distinct_id or group key names nobody, even if something was stored under it."""
    asked = compile_condition(Condition(attribute, Operator.IS_SET))
    stored = {("user", ""): {"plan": "pro"}, ("company", ""): {"plan": "pro"}}
    assert not asked.holds(Context("", {"company": ""}), stored, NOW)
    assert asked.holds(
        Context("ann", {"company": "acme"}), {("user", "ann"): {"plan": 1}, ("company", "acme"): {"plan": 1}}, NOW
    )


@given(flags(), contexts(), profiles)
def test_only_mentioned_profiles_and_cohorts_matter(flag: Flag, context: Context, stored: Profiles) -> None:
    """Without the stored properties and the cohorts that a flag set does not mention, every answer stays the same."""
    flag_set = FlagSet([flag])
    mentioned = {(attribute.owner, attribute.name) for attribute in flag_set.mentions_of(flag.key)}
    fewer = {
        (owner, key): {name: value for name, value in properties.items() if (owner, name) in mentioned}
        for (owner, key), properties in stored.items()
        if owner in flag_set.profile_types
    }
    asked = {key for _, key in flag_set.cohorts_of(flag.key)}
    fewer |= {(owner, key): members for (owner, key), members in stored.items() if owner == COHORT and key in asked}
    assert flag_set.evaluate(flag.key, context, stored, NOW) == flag_set.evaluate(flag.key, context, fewer, NOW)
