"""Flag sets: prerequisites of every shape, broken flags, changes, and what is mentioned."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from burgee.evaluation import (
    Attribute,
    Condition,
    Context,
    Distribution,
    ErrorCode,
    Flag,
    FlagSet,
    FlagType,
    Operator,
    Prerequisite,
    RampStep,
    Reason,
    Rule,
    VariantWeight,
    with_defaults,
)

CONTEXT = Context("u")
ON = Distribution((VariantWeight("on", 1),))
DAWN = datetime(2026, 1, 1, 6, tzinfo=UTC)


def flag(key: str, *needs: str) -> Flag:
    """A flag that is on when all it needs are on."""
    prerequisites = tuple(Prerequisite(need, ("on",)) for need in needs)
    return with_defaults(Flag(key, FlagType.BOOLEAN, (), "", enabled=True, fallthrough=ON, prerequisites=prerequisites))


def variants(*flags: Flag) -> dict[str, str]:
    """What each flag gives, which evaluate, evaluate_all and explain must agree on."""
    flag_set = FlagSet(flags)
    given = {each.key: flag_set.evaluate(each.key, CONTEXT, {}, 0.0) for each in flags}
    assert flag_set.evaluate_all(CONTEXT, {}, 0.0) == [given[key] for key in sorted(given)]
    assert {key: flag_set.explain(key, CONTEXT, {}, 0.0).resolution for key in given} == given
    return {key: resolution.variant for key, resolution in given.items()}


def test_a_missing_prerequisite_fails() -> None:
    """A flag whose prerequisite is gone gives its off variant, DISABLED."""
    assert variants(flag("a", "gone")) == {"a": "off"}
    assert FlagSet([flag("a", "gone")]).evaluate("a", CONTEXT, {}, 0.0).reason is Reason.DISABLED


@pytest.mark.parametrize("ring", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_prerequisites_in_a_ring_fail(ring: list[str]) -> None:
    """Every flag of a cycle gives its off variant, whichever is asked first."""
    flags = [flag(key, ring[(index + 1) % len(ring)]) for index, key in enumerate(ring)]
    assert variants(*flags) == dict.fromkeys(ring, "off")


def test_a_ring_fails_whatever_is_wanted_of_it() -> None:
    """Even flags that want one another's off variant: a cycle has no first flag to begin with."""
    wanted = (Prerequisite("b", ("on", "off")),), (Prerequisite("a", ("on", "off")),)
    flags = [replace(flag(key), prerequisites=needs) for key, needs in zip("ab", wanted, strict=True)]
    assert variants(*flags) == {"a": "off", "b": "off"}
    assert {each.reason for each in FlagSet(flags).evaluate_all(CONTEXT, {}, 0.0)} == {Reason.DISABLED}


def test_a_flag_that_hangs_on_a_ring_is_evaluated() -> None:
    """It sees the off variants of the ring, which may be what it wants."""
    hanging = replace(flag("h", "a"), prerequisites=(Prerequisite("a", ("off",)),))
    assert variants(flag("a", "b"), flag("b", "a"), hanging, flag("i", "a")) == {
        "a": "off",
        "b": "off",
        "h": "on",
        "i": "off",
    }


def test_a_chain_longer_than_the_stack_is_evaluated() -> None:
    """3,000 flags, each the prerequisite of the next: no RecursionError, and the last is on."""
    chain = [flag("f0"), *(flag(f"f{number}", f"f{number - 1}") for number in range(1, 3000))]
    flag_set = FlagSet(chain)
    assert flag_set.evaluate("f2999", CONTEXT, {}, 0.0).variant == "on"
    assert flag_set.explain("f2999", CONTEXT, {}, 0.0).prerequisites[0].passed


def test_a_broken_flag_harms_no_other() -> None:
    """A flag that could not have been saved answers PARSE_ERROR and names what is wrong; the others answer."""
    flag_set = FlagSet([replace(flag("broken"), off_variant="nope"), flag("fine"), flag("needs", "broken")])
    broken = flag_set.evaluate("broken", CONTEXT, {}, 0.0)
    assert (broken.reason, broken.error_code, broken.value) == (Reason.ERROR, ErrorCode.PARSE_ERROR, None)
    assert broken.error_message == 'off_variant: there is no variant "nope"'
    assert flag_set.explain("broken", CONTEXT, {}, 0.0).resolution == broken
    assert flag_set.evaluate("fine", CONTEXT, {}, 0.0).variant == "on"
    assert flag_set.evaluate("needs", CONTEXT, {}, 0.0).reason is Reason.DISABLED


def test_changes_make_a_new_set() -> None:
    """Changed flags are put in, removed ones taken out, prerequisites looked at anew; the old set stays as it was."""
    old = FlagSet([flag("a"), flag("b", "a"), flag("c")])
    new = old.with_changes([replace(flag("a"), enabled=False), flag("d")], ["c", "unknown"])
    assert [(each.flag_key, each.variant) for each in new.evaluate_all(CONTEXT, {}, 0.0)] == [
        ("a", "off"),
        ("b", "off"),
        ("d", "on"),
    ]
    assert [each.variant for each in old.evaluate_all(CONTEXT, {}, 0.0)] == ["on", "on", "on"]
    assert new.evaluate("c", CONTEXT, {}, 0.0).error_code is ErrorCode.FLAG_NOT_FOUND
    assert set(new.flags) == {"a", "b", "d"}


def test_mentions_name_the_properties_that_are_read() -> None:
    """Conditions, what is bucketed by, and prerequisites count; keys and disabled flags read no profile."""
    company = Condition("company.plan", Operator.IS_SET)
    key = Condition("team.key", Operator.IS_SET)
    base = replace(flag("base"), rules=(Rule("r", Distribution(ON.weights, bucket_by="region.size"), (company, key)),))
    user = replace(flag("user", "base"), rules=(Rule("r", ON, (Condition("user.a.b", Operator.IS_SET),)),))
    flag_set = FlagSet([base, user, replace(base, key="off", enabled=False), flag("plain")])
    assert flag_set.mentions_of("base") == {Attribute("company", "plan"), Attribute("region", "size")}
    assert flag_set.mentions_of("user") == {Attribute("user", "a.b"), *flag_set.mentions_of("base")}
    assert flag_set.mentions_of("plain") == flag_set.mentions_of("off") == flag_set.mentions_of("nope") == frozenset()
    assert flag_set.profile_types == {"user", "company", "region"}


@pytest.mark.parametrize(
    ("changes", "timed"),
    [
        ({}, False),
        ({"fallthrough": Distribution((VariantWeight("on", 1),), ramp=(RampStep(DAWN, 50_000),))}, True),
        ({"rules": (Rule("r", ON, (Condition("user.born", Operator.BEFORE, ("2026-01-01",)),)),)}, False),
        ({"rules": (Rule("r", ON, (Condition("user.born", Operator.AFTER, ("-30d",)),)),)}, True),
        ({"rules": (Rule("r", Distribution(ON.weights, ramp=(RampStep(DAWN, 50_000),))),)}, True),
        ({"enabled": False, "rules": (Rule("r", ON, (Condition("user.born", Operator.AFTER, ("now",)),)),)}, False),
    ],
)
def test_a_flag_is_timed_when_the_time_alone_may_change_it(changes, timed):
    """By a ramp or a relative time: its own, or that of what it needs, however far away."""
    root = with_defaults(replace(flag("root"), **changes))
    flag_set = FlagSet([root, flag("between", "root"), flag("leaf", "between"), flag("other")])

    assert [flag_set.is_timed(key) for key in ("root", "between", "leaf")] == [timed] * 3
    assert not flag_set.is_timed("other")
    assert not flag_set.is_timed("missing")
