"""Filters as people write them: `where("company.plan", "in", ["pro", "team"])`, put together with all, any and not."""

from collections.abc import Sequence

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Json, Not, Operator


def where(attribute: str, operator: str, values: Json = None) -> Condition:
    """One comparison: an attribute such as `event.pages` or `company.plan`, an operator, a value or a list of values.

    Raises ValueError for an operator that does not exist.
    """
    if values is None:
        listed: tuple[Json, ...] = ()
    elif isinstance(values, Sequence) and not isinstance(values, str):
        listed = tuple(values)
    else:
        listed = (values,)
    return Condition(attribute, Operator(operator), listed)


def all_of(*filters: Filter) -> AllOf:
    """Every one of these must hold."""
    return AllOf(filters)


def any_of(*filters: Filter) -> AnyOf:
    """At least one of these must hold."""
    return AnyOf(filters)


def not_(filter_: Filter) -> Not:
    """This must not hold."""
    return Not(filter_)
