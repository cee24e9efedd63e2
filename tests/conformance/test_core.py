"""The core answers every conformance case, its explanation says the same, and the flags can be saved."""

import pytest

from burgee.evaluation import Flag, FlagSet, Reason, violations
from tests.conformance.cases import CASES, THEMES, Case


@pytest.mark.parametrize("cases", THEMES.values(), ids=THEMES)
def test_the_core_answers(each, cases: tuple[Case, ...]) -> None:
    """Variant, value, reason, deciding rule and error are those that the specification asks for."""
    each(cases, check)


def check(case: Case) -> None:
    """The explanation says the same; and the flags pass the check, so that a server can be made to have them."""
    flags = FlagSet(case.flags, case.parent_types)
    resolution = flags.evaluate(case.flag_key, case.context, case.stored, case.now)
    assert (resolution.variant, resolution.reason) == (case.expected.variant, case.expected.reason)
    assert resolution.value == case.expected.value
    assert type(resolution.value) is type(case.expected.value)
    assert (resolution.rule_id, resolution.error_code) == (case.expected.rule_id, case.expected.error_code)
    assert resolution.parent_groups == case.expected.parent_groups
    if case.flag_key in flags.listed:
        everything = flags.evaluate_all(case.context, case.stored, case.now)
        assert resolution == next(each for each in everything if each.flag_key == case.flag_key)

    explanation = flags.explain(case.flag_key, case.context, case.stored, case.now)
    assert explanation.resolution == resolution
    assert explanation.summary.endswith(".")
    assert {each.group_type: each.group_key for each in explanation.parents} == resolution.parent_groups

    saved: dict[str, Flag] = {}
    cohorts = {key: each.group_type for key, each in case.cohorts.items()}
    for flag in case.flags:
        assert violations(flag, saved, cohorts) == []
        saved[flag.key] = flag


def test_cases_cover_every_reason_a_core_gives() -> None:
    """Every reason but STALE, which only a client that lost its stream gives, is asked for."""
    assert {case.expected.reason for case in CASES} == set(Reason) - {Reason.STALE}


def test_names_of_cases_are_unique() -> None:
    """A failing case can be found by its name."""
    assert len({case.name for case in CASES}) == len(CASES)
