"""Cohort conditions: whether the person, or the group, that the context names is a member."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from burgee.evaluation.attributes import Read
from burgee.evaluation.model import COHORT, Context, Flag, Json, Profiles, Properties
from burgee.evaluation.operators import COHORTS

Identity: TypeAlias = tuple[str, str]
_NOBODY: Properties = {}


def cohort(members: Iterable[str]) -> Properties:
    """The members of a cohort as profiles hold them, under (COHORT, the cohort's key)."""
    return dict.fromkeys(members, True)


def named_cohorts(flag: Flag) -> frozenset[tuple[str, str]]:
    """The cohorts that a flag names, switched on or not, as (`user` or group type, cohort key)."""
    return frozenset(
        (condition.attribute.partition(".")[0], str(cohort_key))
        for rule in flag.rules
        for condition in rule.conditions
        if condition.operator in COHORTS
        for cohort_key in condition.values
    )


def read_cohorts(flag: Flag) -> frozenset[tuple[str, str]]:
    """The cohorts that a flag reads before it answers, without those of its prerequisites."""
    return frozenset() if flag.archived or not flag.enabled else named_cohorts(flag)


def membership(read: Read, cohort_keys: Iterable[str]) -> tuple[Read, Callable[[Json, Profiles], str]]:
    """Whether whom `read` finds is in any of the cohorts, None for nobody; and, of a key, which it is in, in words.

    A cohort that the profiles do not have has no members.
    """
    identities: list[Identity] = [(COHORT, key) for key in cohort_keys]
    first = identities[0]

    # No more is looked up than the answer depends on: a client may have to ask its server for what it does not have.
    def in_one(context: Context, profiles: Profiles) -> Json:
        key = read(context, profiles)
        return None if key is None else key in profiles.get(first, _NOBODY)

    def in_any(context: Context, profiles: Profiles) -> Json:
        key = read(context, profiles)
        return None if key is None else any(key in profiles.get(identity, _NOBODY) for identity in identities)

    def note(key: Json, profiles: Profiles) -> str:
        found = [identity[1] for identity in identities if key in profiles.get(identity, _NOBODY)]
        return f"in {', '.join(found)}" if found else "in none of them" if len(identities) > 1 else "not in it"

    return in_one if len(identities) == 1 else in_any, note
