"""An explanation in one sentence, for people."""

import json

from burgee.evaluation.explanation import Draw, Explanation, RuleVerdict
from burgee.evaluation.model import ROLLOUT_ALL, USER, Condition, Context, Flag, Operator, Reason
from burgee.evaluation.parents import ParentGroup

_WORDS = {
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.MATCHES: "matches",
    Operator.GT: "is greater than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.BEFORE: "is before",
    Operator.AFTER: "is after",
    Operator.SEMVER_EQ: "is version",
    Operator.SEMVER_GT: "is a later version than",
    Operator.SEMVER_GTE: "is at least version",
    Operator.SEMVER_LT: "is an earlier version than",
    Operator.SEMVER_LTE: "is at most version",
    Operator.SEMVER_TILDE: "is in the version range ~",
    Operator.SEMVER_CARET: "is in the version range ^",
    Operator.IS_SET: "is set",
    Operator.IS_NOT_SET: "is not set",
    Operator.IN_COHORT: "is in cohort",
    Operator.NOT_IN_COHORT: "is not in cohort",
}


def summary(flag: Flag, explanation: Explanation, context: Context) -> str:
    """One sentence: what the flag gives whom, and why."""
    resolution = explanation.resolution
    if resolution.reason is Reason.ERROR:
        return f'"{flag.key}" cannot be evaluated: {resolution.error_message}.'
    gives = f'"{flag.key}" gives {_subject(explanation, context)} "{resolution.variant}": {_why(flag, explanation)}'
    return f"{gives}{''.join(map(_parent, explanation.parents))}."


def _subject(explanation: Explanation, context: Context) -> str:
    draws = [explanation.fallthrough, *(rule.draw for rule in reversed(explanation.rules))]
    keys = (draw.bucketing_key for draw in draws if draw is not None and draw.bucketing_key)
    return next(keys, "") or context.distinct_id or ", ".join(context.groups.values()) or "everybody"


def _parent(parent: ParentGroup) -> str:
    child = f"{parent.child_type} {parent.child_key}".strip()
    return f"; {parent.group_type} {parent.group_key} is taken from {child}"


def _why(flag: Flag, explanation: Explanation) -> str:
    if flag.archived:
        return "the flag is archived"
    if not flag.enabled:
        return "the flag is disabled"
    for prerequisite in explanation.prerequisites:
        if not prerequisite.passed:
            gives = f'gives "{prerequisite.actual_variant}"' if prerequisite.actual_variant else "cannot be evaluated"
            wanted = " or ".join(f'"{variant}"' for variant in prerequisite.expected_variants)
            return f'its prerequisite "{prerequisite.flag_key}" {gives}, not {wanted}'
    if explanation.rules and explanation.rules[-1].verdict is RuleVerdict.MATCHED:
        rule = explanation.rules[-1]
        held = " and ".join(_condition(outcome.condition) for outcome in rule.conditions)
        matched = f"rule {len(explanation.rules)} matched ({held or 'it is for everybody'})"
        return f"{matched} and {_draw(rule.draw)}" if rule.draw and _is_real(explanation) else matched
    nothing = "no rule took the context" if explanation.rules else "the flag has no rules"
    last = _nearest_miss(explanation)
    if explanation.fallthrough is None:
        return f"{nothing}{last}, and it has no fallthrough"
    if not explanation.fallthrough.included or _is_real(explanation):
        return f"{nothing}{last}, and in the fallthrough {_draw(explanation.fallthrough)}"
    return f"{nothing}{last}, and this is the fallthrough"


def _is_real(explanation: Explanation) -> bool:
    return explanation.resolution.reason is Reason.SPLIT


def _nearest_miss(explanation: Explanation) -> str:
    """The first rule whose conditions held and that still did not take the context."""
    for number, rule in enumerate(explanation.rules, 1):
        if rule.draw is not None:
            return f" (rule {number}: {_draw(rule.draw)})"
    return ""


def _draw(draw: Draw) -> str:
    if not draw.bucketing_key:
        lacking = "distinct_id" if draw.bucket_by == USER else draw.bucket_by
        return f"the context has no {lacking} to draw by"
    if draw.threshold >= 1.0:
        return f"{draw.bucketing_key} falls at {_percent(draw.variant_bucket)} of the split"
    side = "inside" if draw.included else "outside"
    return f"{draw.bucketing_key} falls at {_percent(draw.bucket)}, {side} the {_rollout(draw.threshold)} rollout"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _rollout(threshold: float) -> str:
    return f"{round(threshold * ROLLOUT_ALL) / 1000:g} %"


def _condition(condition: Condition) -> str:
    values = ", ".join(value if isinstance(value, str) else json.dumps(value) for value in condition.values)
    return f"{condition.attribute} {_WORDS[condition.operator]} {values}".rstrip()
