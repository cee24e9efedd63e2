"""Explanations: numbers, notes and one sentence, for people who ask why."""

import pytest

from burgee.evaluation import (
    Context,
    Draw,
    Explanation,
    FlagSet,
    Json,
    RuleVerdict,
    bucket,
    flag_from_document,
    variant_bucket,
    with_defaults,
)

BETA: dict[str, Json] = {
    "key": "beta",
    "enabled": True,
    "rules": [
        {
            "description": "enterprise first",
            "conditions": [{"attribute": "company.plan", "operator": "equals", "values": ["enterprise"]}],
            "distribution": {"bucket_by": "company", "rollout": 80000},
        }
    ],
}
ACME = Context("ann", {"company": "acme"}, group_properties={"company": {"plan": "enterprise"}})


def explain(context: Context, *documents: dict[str, Json], now: float = 0.0) -> Explanation:
    """Explain the last of these flags."""
    flags = [with_defaults(flag_from_document(document)) for document in documents]
    return FlagSet(flags).explain(flags[-1].key, context, {}, now)


def test_a_draw_is_told_in_numbers() -> None:
    """The bucket, the threshold and the place in the split are those of the hash."""
    rule = explain(ACME, BETA).rules[0]
    assert rule.verdict is RuleVerdict.MATCHED
    assert rule.draw == Draw(
        bucket_by="company",
        bucketing_key="acme",
        bucket=bucket("beta", "acme"),
        threshold=0.8,
        included=True,
        variant_bucket=variant_bucket("beta", "acme"),
        variant="on",
    )
    assert (rule.rule_id, rule.description) == ("rule-1", "enterprise first")


def with_first_rule(**changes: Json) -> dict[str, Json]:
    """BETA, its one rule changed."""
    rules = BETA["rules"]
    assert isinstance(rules, list)
    return {**BETA, "rules": [{**rules[0], **changes}]}


@pytest.mark.parametrize(
    ("document", "context", "sentence"),
    [
        (
            BETA,
            ACME,
            '"beta" gives acme "on": rule 1 matched (company.plan is enterprise) and acme falls at 68.4 %, inside the'
            " 80 % rollout.",
        ),
        (
            with_first_rule(distribution={"bucket_by": "company", "rollout": 30000}),
            ACME,
            '"beta" gives acme "off": no rule took the context (rule 1: acme falls at 68.4 %, outside the 30 %'
            " rollout), and it has no fallthrough.",
        ),
        (
            with_first_rule(distribution={}),
            ACME,
            '"beta" gives ann "on": rule 1 matched (company.plan is enterprise).',
        ),
        (
            BETA,
            Context("ann", group_properties=ACME.group_properties),
            '"beta" gives ann "off": no rule took the context (rule 1: the context has no company to draw by), and it'
            " has no fallthrough.",
        ),
        (BETA, Context("ann"), '"beta" gives ann "off": no rule took the context, and it has no fallthrough.'),
        ({**BETA, "enabled": False}, Context("ann"), '"beta" gives ann "off": the flag is disabled.'),
        ({**BETA, "archived": True}, Context(), '"beta" gives everybody "off": the flag is archived.'),
        (
            {"key": "beta", "enabled": True, "fallthrough": {}},
            Context(groups={"company": "acme"}),
            '"beta" gives acme "on": the flag has no rules, and this is the fallthrough.',
        ),
        (
            {"key": "beta", "enabled": True, "fallthrough": {"rollout": 70000}},
            Context("acme"),
            '"beta" gives acme "on": the flag has no rules, and in the fallthrough acme falls at 68.4 %, inside the'
            " 70 % rollout.",
        ),
        (
            {"key": "beta", "enabled": True, "fallthrough": {"rollout": 70000}},
            Context(groups={"company": "acme"}),
            '"beta" gives acme "off": the flag has no rules, and in the fallthrough the context has no distinct_id to'
            " draw by.",
        ),
        (
            {"key": "beta", "enabled": True, "prerequisites": [{"flag_key": "gone", "variants": ["on", "off"]}]},
            Context("ann"),
            '"beta" gives ann "off": its prerequisite "gone" cannot be evaluated, not "on" or "off".',
        ),
    ],
)
def test_the_summary_is_one_sentence(document: dict[str, Json], context: Context, sentence: str) -> None:
    """Who gets what, and why, for every way that evaluation can end."""
    assert explain(context, document).summary == sentence


def test_an_unknown_flag_is_explained() -> None:
    """There is nothing to tell but that."""
    assert FlagSet([]).explain("nope", ACME, {}, 0.0).summary == 'There is no flag "nope".'


def test_rules_after_the_deciding_one_are_left_out() -> None:
    """And conditions after the first that failed are, too."""
    first = {
        "conditions": [{"attribute": "user.a", "operator": "is_set"}, {"attribute": "user.b", "operator": "is_set"}]
    }
    outcome = explain(Context("u"), {"key": "f", "enabled": True, "rules": [first, {}, {}]})
    assert [rule.verdict for rule in outcome.rules] == [RuleVerdict.CONDITION_FAILED, RuleVerdict.MATCHED]
    assert [condition.condition.attribute for condition in outcome.rules[0].conditions] == ["user.a"]


@pytest.mark.parametrize(
    ("operator", "value", "actual", "note"),
    [
        ("gt", 5, "6", "expected a number, got text"),
        ("gt", 5, True, "expected a number, got true or false"),
        ("contains", "a", 5, "expected text or a list, got a number"),
        ("not_contains", "a", {}, "expected text or a list, got an object"),
        ("starts_with", "a", ["a"], "expected text, got a list"),
        ("matches", "a", 1, "expected text, got a number"),
        ("before", "now", 1772366400, "expected a time, got a number"),
        ("after", "now", "soon", "expected a time, got text that is neither an RFC 3339 timestamp nor a date"),
        ("semver_gt", "1.0.0", "1.2", "expected a semantic version, got text that is none"),
        ("semver_gt", "1.0.0", 2, "expected a semantic version, got a number"),
        ("equals", "5", 5, ""),
        ("gt", 5, 4, ""),
        ("gt", 5, None, ""),
    ],
)
def test_a_value_of_the_wrong_type_is_noted(operator: str, value: Json, actual: Json, note: str) -> None:
    """The condition fails, and the note says what was expected and what came."""
    rule = {"conditions": [{"attribute": "user.x", "operator": operator, "values": [value]}]}
    outcome = explain(Context("u", properties={"x": actual}), {"key": "f", "enabled": True, "rules": [rule]})
    condition = outcome.rules[0].conditions[0]
    assert (condition.passed, condition.note, condition.actual) == (False, note, actual)


def test_verdicts_tell_which_key_is_missing() -> None:
    """GROUP_MISSING for a group or a property, TARGETING_KEY_MISSING for the distinct_id."""
    rules = [{"distribution": {"bucket_by": by, "rollout": 5}} for by in ("company", "company.region", "user")]
    outcome = explain(Context(), {"key": "f", "enabled": True, "rules": rules})
    assert [rule.verdict for rule in outcome.rules] == [
        RuleVerdict.GROUP_MISSING,
        RuleVerdict.GROUP_MISSING,
        RuleVerdict.TARGETING_KEY_MISSING,
    ]
