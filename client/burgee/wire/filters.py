"""Filters: trees of conditions."""

from collections.abc import Iterable, Sequence

from burgee.evaluation.filter import AllOf, AnyOf, Filter, Not
from burgee.evaluation.model import Condition
from burgee.v1 import common_pb2
from burgee.wire.flags import condition_from_proto, condition_to_proto
from burgee.wire.values import WireError


def filter_from_proto(message: common_pb2.Filter, path: str) -> Filter | None:
    """The tree as it was sent; None for the empty filter, which lets everything through. Raises WireError.

    Protobuf bounds how deep it can be. Whether it can be asked is for the one who asks it to say.
    """
    return None if message.WhichOneof("node") is None else _read(message, path)


def filter_to_proto(filter_: Filter) -> common_pb2.Filter:
    """A filter as a message. Raises WireError, which is a ValueError, for a value that is not JSON."""
    match filter_:
        case Condition():
            return common_pb2.Filter(condition=condition_to_proto(filter_))
        case AllOf(branches):
            return common_pb2.Filter(all=_list(branches))
        case AnyOf(branches):
            return common_pb2.Filter(any=_list(branches))
        case Not(inner):
            return common_pb2.Filter(**{"not": filter_to_proto(inner)})  # type: ignore[arg-type] # a word of Python's own


def _read(message: common_pb2.Filter, path: str) -> Filter:
    match message.WhichOneof("node"):
        case "condition":
            return condition_from_proto(message.condition, f"{path}.condition")
        case "all":
            return AllOf(_branches(message.all.filters, f"{path}.all"))
        case "any":
            return AnyOf(_branches(message.any.filters, f"{path}.any"))
        case "not":
            return Not(_read(getattr(message, "not"), f"{path}.not"))
        case _:
            raise WireError(path, "must be a condition, all, any or not")


def _branches(filters: Iterable[common_pb2.Filter], path: str) -> tuple[Filter, ...]:
    return tuple(_read(branch, f"{path}.filters[{index}]") for index, branch in enumerate(filters))


def _list(branches: Sequence[Filter]) -> common_pb2.FilterList:
    return common_pb2.FilterList(filters=[filter_to_proto(branch) for branch in branches])
