"""Walks a compiled flag as evaluation does, with the same parts, and writes down each step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from burgee.evaluation import bucketing
from burgee.evaluation.compile import CompiledFlag, CompiledRule
from burgee.evaluation.conditions import CompiledCondition
from burgee.evaluation.distributions import CompiledDistribution
from burgee.evaluation.explanation import (
    ConditionOutcome,
    Draw,
    Explanation,
    PrerequisiteOutcome,
    RuleOutcome,
    RuleVerdict,
)
from burgee.evaluation.model import ROLLOUT_ALL, USER, Context, Profiles, Reason, Resolution
from burgee.evaluation.parents import ParentGroup
from burgee.evaluation.summary import summary


def explain(
    compiled: CompiledFlag,
    given: Mapping[str, Resolution],
    context: Context,
    profiles: Profiles,
    now: float,
    parents: Sequence[ParentGroup] = (),
) -> Explanation:
    """Explain a flag. `given`: what its prerequisites give, without those that are missing or on a cycle.

    The context is complete; `parents` are the groups in it that it did not name.
    """
    prerequisites = tuple(_prerequisite(key, variants, compiled, given) for key, variants in compiled.prerequisites)
    rules: list[RuleOutcome] = []
    fallthrough = None
    if not all(outcome.passed for outcome in prerequisites):
        resolution = compiled.disabled
    else:
        resolution = compiled.undecided
        for rule in compiled.rules:
            outcome, taken = _rule(rule, context, profiles, now)
            rules.append(outcome)
            if taken is not None:
                resolution = taken
                break
        else:
            if compiled.fallthrough is not None:
                fallthrough, taken = _draw(compiled.fallthrough, context, profiles, now)
                resolution = taken or compiled.left_out(fallthrough.bucketing_key)
    explanation = Explanation(resolution, prerequisites, tuple(rules), fallthrough, parents=tuple(parents))
    return replace(explanation, summary=summary(compiled.flag, explanation, context))


def _prerequisite(
    key: str, variants: frozenset[str], compiled: CompiledFlag, given: Mapping[str, Resolution]
) -> PrerequisiteOutcome:
    expected = next(each.variants for each in compiled.flag.prerequisites if each.flag_key == key)
    resolution = given.get(key)
    actual = "" if resolution is None or resolution.reason is Reason.ERROR else resolution.variant
    return PrerequisiteOutcome(key, expected, actual, resolution is not None and resolution.variant in variants)


def _rule(
    rule: CompiledRule, context: Context, profiles: Profiles, now: float
) -> tuple[RuleOutcome, Resolution | None]:
    rule_id, description = rule.rule.rule_id, rule.rule.description
    outcomes: list[ConditionOutcome] = []
    for condition in rule.conditions:
        outcomes.append(_condition(condition, context, profiles, now))
        if not outcomes[-1].passed:
            return RuleOutcome(rule_id, description, RuleVerdict.CONDITION_FAILED, tuple(outcomes)), None
    draw, taken = _draw(rule.distribution, context, profiles, now)
    if draw.included:
        verdict = RuleVerdict.MATCHED
    elif draw.bucketing_key:
        verdict = RuleVerdict.NOT_INCLUDED
    elif draw.bucket_by == USER:
        verdict = RuleVerdict.TARGETING_KEY_MISSING
    else:
        verdict = RuleVerdict.GROUP_MISSING
    return RuleOutcome(rule_id, description, verdict, tuple(outcomes), draw), taken


def _condition(condition: CompiledCondition, context: Context, profiles: Profiles, now: float) -> ConditionOutcome:
    actual = condition.read(context, profiles)
    note = "" if actual is None else condition.note(actual, profiles)
    return ConditionOutcome(condition.condition, actual, condition.holds(context, profiles, now), note)


def _draw(
    compiled: CompiledDistribution, context: Context, profiles: Profiles, now: float
) -> tuple[Draw, Resolution | None]:
    bucket_by = compiled.distribution.bucket_by
    key = compiled.read_key(context, profiles)
    rollout = compiled.rollout_at(now)
    threshold = rollout / ROLLOUT_ALL
    if not key:
        taken = None if compiled.key_needed else compiled.certain
        return Draw(bucket_by, "", 0.0, threshold, taken is not None, 0.0, taken.variant if taken else ""), taken
    bucket = bucketing.bucket(compiled.salt, key)
    place = bucketing.variant_bucket(compiled.salt, key)
    taken = None
    if bucket <= threshold:
        taken = compiled.certain if rollout >= ROLLOUT_ALL else None
        taken = taken or compiled.answers[bucketing.pick(compiled.bounds, place)]
    return Draw(bucket_by, key, bucket, threshold, taken is not None, place, taken.variant if taken else ""), taken
