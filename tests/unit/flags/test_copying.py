"""Which flags are copied, and in what order."""

from dataclasses import replace

import pytest

from burgee.evaluation import Flag, FlagType, Prerequisite, Variant
from burgee_server.errors import Invalid
from burgee_server.flags.checking import Surroundings
from burgee_server.flags.copying import plan_copy


def flag(key, *needs, version=1, **fields):
    """A boolean flag."""
    variants = (Variant("on", True), Variant("off", False))
    prerequisites = tuple(Prerequisite(need, ("on",)) for need in needs)
    return Flag(key, FlagType.BOOLEAN, variants, "off", prerequisites=prerequisites, version=version, **fields)


def by_key(*flags):
    """An environment."""
    return {flag.key: flag for flag in flags}


def around(flags):
    """Where these flags are, and no cohorts."""
    return Surroundings(flags, {})


def test_what_others_need_comes_first():
    """Also where the keys are in another order, and along a chain."""
    source = by_key(flag("a", "c"), flag("b"), flag("c", "d"), flag("d"))

    plan = plan_copy(source, around({}), (), overwrite=False)

    assert plan.created == ("d", "c", "a", "b")
    assert [copied.key for copied in plan.flags] == list(plan.created)


def test_what_is_here_is_skipped_or_replaced_and_what_is_the_same_is_left_alone():
    """A replaced flag follows the version that is here, and stays archived if it is archived here."""
    source = by_key(flag("same", version=7), flag("other", enabled=True, version=7), flag("old", enabled=True))
    here = by_key(flag("same", version=2), flag("other", version=3), flag("old", archived=True))

    assert plan_copy(source, around(here), (), overwrite=False).skipped == ("old", "other", "same")
    plan = plan_copy(source, around(here), (), overwrite=True)

    assert (plan.created, plan.updated, plan.skipped) == ((), ("old", "other"), ("same",))
    assert plan.flags == (flag("old", enabled=True, archived=True), flag("other", enabled=True, version=3))


def test_archived_flags_are_left_out_and_cannot_be_named():
    """Neither can a flag that is not there; each is named by its place."""
    source = by_key(flag("a"), flag("old", archived=True))

    assert plan_copy(source, around({}), (), overwrite=False).created == ("a",)
    with pytest.raises(Invalid) as caught:
        plan_copy(source, around({}), ("a", "old", "gone"), overwrite=False)
    assert [violation.field for violation in caught.value.violations] == ["flag_keys[1]", "flag_keys[2]"]


def test_what_could_not_be_evaluated_here_is_refused():
    """A prerequisite that is neither here nor copied, a variant that a flag here waits for, another type."""
    source = by_key(flag("a", "b"), flag("b"), flag("c"))
    here = by_key(replace(flag("c"), type=FlagType.STRING, variants=(Variant("off", "x"),)))
    without_on = by_key(replace(flag("b"), variants=(Variant("off", False),)))

    for target, environment, keys, field in (
        (source, {}, ("a",), "flags[a].prerequisites[0].flag_key"),
        (source, here, ("c",), "flags[c].type"),
        (without_on, by_key(flag("b"), flag("a", "b")), ("b",), "flags[b]"),
    ):
        with pytest.raises(Invalid) as caught:
            plan_copy(target, around(environment), keys, overwrite=True)
        assert field in [violation.field for violation in caught.value.violations]
