"""Filters as people write them: `where("company.plan", "in", ["pro", "team"])`, put together with all, any and not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from burgee.evaluation.model import Condition, Json, Operator
from burgee.v1 import common_pb2
from burgee.wire import condition_to_proto


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these must hold."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these must hold."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This must not hold."""

    filter: "Filter"


Filter: TypeAlias = Condition | AllOf | AnyOf | Not


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


def filter_to_proto(filter_: Filter | Sequence[Filter] | None) -> common_pb2.Filter | None:
    """The filter on the wire; of a sequence all must hold; nothing, or an empty sequence, lets everything through."""
    if not filter_:
        return None
    return _node(AllOf(tuple(filter_)) if isinstance(filter_, Sequence) else filter_)


def _node(filter_: Filter) -> common_pb2.Filter:
    match filter_:
        case Condition():
            return common_pb2.Filter(condition=condition_to_proto(filter_))
        case AllOf(branches):
            return common_pb2.Filter(all=_list(branches))
        case AnyOf(branches):
            return common_pb2.Filter(any=_list(branches))
        case Not(inner):
            return common_pb2.Filter(**{"not": _node(inner)})  # type: ignore[arg-type] # a word of Python's own


def _list(branches: Sequence[Filter]) -> common_pb2.FilterList:
    return common_pb2.FilterList(filters=[_node(branch) for branch in branches])
