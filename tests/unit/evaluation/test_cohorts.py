"""Cohorts in flags: what may be saved, what is read, and how it is told."""

import pytest

from burgee.evaluation import (
    COHORT,
    Context,
    Flag,
    FlagSet,
    Json,
    Profiles,
    cohort,
    flag_from_document,
    named_cohorts,
    violations,
    with_defaults,
)

COHORTS = {"beta": "company", "gold": "company", "testers": "user"}
STORED: Profiles = {(COHORT, "beta"): cohort(["acme"]), (COHORT, "gold"): cohort(["acme", "globex"])}


def flag(*values: Json, attribute: str = "company.key", operator: str = "in_cohort", **fields: Json) -> Flag:
    """A flag that asks for cohorts."""
    condition: dict[str, Json] = {"attribute": attribute, "operator": operator, "values": list(values)}
    document: dict[str, Json] = {"key": "f", "enabled": True, "rules": [{"conditions": [condition]}], **fields}
    return with_defaults(flag_from_document(document))


@pytest.mark.parametrize("operator", ["in_cohort", "not_in_cohort"])
@pytest.mark.parametrize(
    ("values", "attribute", "path", "message"),
    [
        ((), "company.key", "values", "at least one value"),
        ((5,), "company.key", "values[0]", "takes text, not a number"),
        ((None,), "company.key", "values[0]", "null"),
        (("beta",), "company.plan", "attribute", '"company.key"'),
        (("beta", "never"), "company.key", "values[1]", 'there is no cohort "never"'),
        (("gold", "testers"), "company.key", "values[1]", "made of user: ask for user.key"),
        (("beta",), "user.key", "values[0]", "made of company: ask for company.key"),
    ],
)
def test_what_cannot_be_asked_is_named_by_its_path(
    operator: str, values: tuple[Json, ...], attribute: str, path: str, message: str
) -> None:
    """Exactly one thing is wrong; cohorts are looked up only where they are given."""
    asked = flag(*values, attribute=attribute, operator=operator)
    ((found, words),) = violations(asked, {}, COHORTS)
    assert found == f"rules[0].conditions[0].{path}"
    assert message in words
    assert violations(flag("never", operator=operator)) == []


def test_what_is_read_is_what_flags_that_decide_by_it_name() -> None:
    """Of a flag and of what it needs; a flag that is off reads nothing, and still names what it names."""
    needed = flag("testers", attribute="user.key", key="needed")
    needing = flag("beta", "gold", prerequisites=[{"flag_key": "needed", "variants": ["on"]}])
    off = flag("silver", key="off", enabled=False)
    flags = FlagSet([needed, needing, off])
    companies = {("company", "beta"), ("company", "gold")}
    assert flags.cohorts == companies | {("user", "testers")}
    assert flags.cohort_types == {"company", "user"}
    assert flags.cohorts_of("f") == companies | {("user", "testers")}
    assert flags.cohorts_of("needed") == {("user", "testers")}
    assert flags.cohorts_of("off") == flags.cohorts_of("no such flag") == frozenset()
    assert named_cohorts(off) == {("company", "silver")}
    assert flags.mentions == frozenset()


@pytest.mark.parametrize(
    ("operator", "values", "company", "passed", "note"),
    [
        ("in_cohort", ("beta",), "acme", True, "in beta"),
        ("in_cohort", ("beta",), "globex", False, "not in it"),
        ("in_cohort", ("beta", "gold"), "acme", True, "in beta, gold"),
        ("in_cohort", ("beta", "gold"), "globex", True, "in gold"),
        ("in_cohort", ("beta", "gold"), "initech", False, "in none of them"),
        ("not_in_cohort", ("beta", "gold"), "globex", False, "in gold"),
        ("not_in_cohort", ("beta",), "globex", True, "not in it"),
        ("in_cohort", ("unknown",), "acme", False, "not in it"),
        ("in_cohort", ("beta",), "", False, ""),
        ("not_in_cohort", ("beta",), "", True, ""),
    ],
)
def test_an_explanation_says_which_cohorts_it_is(
    operator: str, values: tuple[Json, ...], company: str, passed: bool, note: str
) -> None:
    """With the key that was looked for."""
    flags = FlagSet([flag(*values, operator=operator)])
    explanation = flags.explain("f", Context("", {"company": company}), STORED, 0.0)
    outcome = explanation.rules[0].conditions[0]
    assert (outcome.actual, outcome.passed, outcome.note) == (company or None, passed, note)


def test_the_summary_names_the_cohort() -> None:
    """In words."""
    for operator, words in (("in_cohort", "is in cohort beta"), ("not_in_cohort", "is not in cohort beta")):
        flags = FlagSet([flag("beta", operator=operator)])
        company = "acme" if operator == "in_cohort" else "globex"
        summary = flags.explain("f", Context("", {"company": company}), STORED, 0.0).summary
        assert f"rule 1 matched (company.key {words})" in summary
