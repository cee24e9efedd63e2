"""Cohort conditions: whether the person, or the group, that the context names is a member."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from burgee.evaluation.attributes import Read
from burgee.evaluation.model import COHORT, Context, Flag, Json, Profiles, Properties
from burgee.evaluation.operators import COHORTS

Identity: TypeAlias = tuple[str, str]


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


def compile_membership(
    read: Read, cohort_keys: Iterable[str], wanted: bool
) -> tuple[Callable[[Context, Profiles, float], bool], Callable[[Json, Profiles], str]]:
    """Whether a context is in any of the cohorts (not `wanted`: in none); and, of a key, which it is in, in words.

    Who is missing from the context is in none. A cohort that the profiles do not have has no members.
    """
    identities: list[Identity] = [(COHORT, key) for key in cohort_keys]
    first = identities[0]

    # No more is looked up than the answer depends on: a client may have to ask its server for what it does not have.
    def holds_of_one(context: Context, profiles: Profiles, _now: float) -> bool:
        key = read(context, profiles)
        if key is None:
            return not wanted
        members = profiles.get(first)
        return (members is not None and key in members) is wanted

    def holds_of_any(context: Context, profiles: Profiles, _now: float) -> bool:
        key = read(context, profiles)
        return (key is not None and any(key in profiles.get(identity, ()) for identity in identities)) is wanted

    def note(key: Json, profiles: Profiles) -> str:
        found = [identity[1] for identity in identities if key in profiles.get(identity, ())]
        return f"in {', '.join(found)}" if found else "in none of them" if len(identities) > 1 else "not in it"

    return holds_of_one if len(identities) == 1 else holds_of_any, note
