"""Who is in a cohort, as SQL: a list, or what a criterion makes of profiles and events."""

from burgee_server.errors import Invalid
from burgee_server.insights.sql.criteria import CriterionWriter
from burgee_server.insights.sql.keysets import KeySet
from burgee_server.insights.sql.scope import Scope
from burgee_server.ports.vocabulary import NamedCohort

MAX_CHAIN = 10
"""How many cohorts may ask for one another, from the first to the last: each is written inside the one that asks."""


def members(scope: Scope, owner: str, cohort_key: str, path: str, within: tuple[str, ...] = ()) -> KeySet:
    """The members of a cohort that must be made of persons, or of groups of a type: of `owner`.

    `within` are the cohorts that ask for it, the outermost first. Raises Invalid with `path`.
    """
    cohort = scope.asked.vocabulary.cohorts.get(cohort_key)
    if cohort is None:
        raise Invalid.of(path, f"there is no cohort {cohort_key!r} here")
    if cohort.group_type != owner:
        raise Invalid.of(path, f"cohort {cohort_key!r} is made of {cohort.group_type}, and not of {owner}")
    if cohort_key in within:
        way = " → ".join((*within[within.index(cohort_key) :], cohort_key))
        raise Invalid.of(path, f"goes round in a circle: {way}")
    if len(within) == MAX_CHAIN:
        way = " → ".join((*within, cohort_key))
        raise Invalid.of(path, f"cohorts may ask for one another {MAX_CHAIN} deep, and these go further: {way}")
    scope.count_cohort(path)
    return _members(scope, cohort, path, within)


def check_cohort(scope: Scope, cohort: NamedCohort, path: str) -> None:
    """Raise Invalid if a cohort, which the scope's vocabulary has by its key, cannot be computed."""
    if cohort.computed is not None:
        CriterionWriter(scope, cohort.group_type, cohort.computed, (cohort.key,)).check(path)


def _members(scope: Scope, cohort: NamedCohort, path: str, within: tuple[str, ...]) -> KeySet:
    if cohort.computed is None:
        return KeySet(scope.listed(cohort))
    writer = CriterionWriter(scope, cohort.group_type, cohort.computed, (*within, cohort.key))
    try:
        return writer.members("")
    except Invalid as error:  # what is wrong in there is not in this request
        reasons = "; ".join(violation.reason for violation in error.violations)
        raise Invalid.of(path, f"cohort {cohort.key!r}: {reasons}") from error
