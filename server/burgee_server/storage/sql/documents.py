"""Filters, and what is made of them, as the JSON that the control store keeps. It reads what it wrote."""

from typing import Any

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator
from burgee_server.ports.actions import Matcher


def filter_document(filter_: Filter) -> dict[str, Any]:
    """A condition, or one branch word with what stands under it."""
    match filter_:
        case Condition():
            return {
                "attribute": filter_.attribute,
                "operator": filter_.operator.value,
                "values": list(filter_.values),
            }
        case AllOf(branches):
            return {"all": [filter_document(branch) for branch in branches]}
        case AnyOf(branches):
            return {"any": [filter_document(branch) for branch in branches]}
        case Not(inner):
            return {"not": filter_document(inner)}


def read_filter(document: dict[str, Any]) -> Filter:
    """The filter that was written."""
    match document:
        case {"all": branches}:
            return AllOf(tuple(map(read_filter, branches)))
        case {"any": branches}:
            return AnyOf(tuple(map(read_filter, branches)))
        case {"not": inner}:
            return Not(read_filter(inner))
        case _:
            return Condition(document["attribute"], Operator(document["operator"]), tuple(document["values"]))


def matcher_document(matcher: Matcher) -> dict[str, Any]:
    """A matcher of an action; what is empty is left out."""
    document: dict[str, Any] = {"event": matcher.event} if matcher.event else {}
    if matcher.filter is not None:
        document["filter"] = filter_document(matcher.filter)
    return document


def read_matcher(document: dict[str, Any]) -> Matcher:
    """The matcher that was written."""
    filter_ = document.get("filter")
    return Matcher(document.get("event", ""), None if filter_ is None else read_filter(filter_))
