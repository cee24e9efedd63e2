"""Criteria of computed cohorts, as the wire has them."""

from collections.abc import Iterable

from burgee import wire
from burgee.v1 import cohorts_pb2 as pb
from burgee.v1 import common_pb2
from burgee_server.errors import Invalid
from burgee_server.ports.criteria import (
    Between,
    Comparison,
    Computed,
    Criterion,
    Events,
    Every,
    FirstPerformed,
    Having,
    InCohort,
    InOrder,
    Performed,
    Some,
    Stopped,
    Unless,
)


def read_computed(message: pb.ComputedCohort, path: str) -> Computed:
    """How a cohort is computed. Raises Invalid, WireError."""
    return Computed(_read(message.criterion, f"{path}.criterion"), message.time_zone)


def write_computed(computed: Computed) -> pb.ComputedCohort:
    """The same as a message."""
    return pb.ComputedCohort(criterion=_write(computed.criterion), time_zone=computed.time_zone)


def _read(message: pb.Criterion, path: str) -> Criterion:
    match message.WhichOneof("kind"):
        case "properties":
            filter_ = wire.filter_from_proto(message.properties, f"{path}.properties")
            if filter_ is None:
                raise Invalid.of(f"{path}.properties", "must not be empty: everybody would pass")
            return Having(filter_)
        case "performed":
            return _read_performed(message.performed, f"{path}.performed")
        case "first_performed":
            did = message.first_performed
            return FirstPerformed(*_read_did(did.events, did.range, f"{path}.first_performed"))
        case "stopped":
            return Stopped(*_read_did(message.stopped.events, message.stopped.range, f"{path}.stopped"))
        case "in_order":
            return _read_in_order(message.in_order, f"{path}.in_order")
        case "cohort_key":
            return InCohort(message.cohort_key)
        case "all":
            return Every(_read_list(message.all.criteria, f"{path}.all"))
        case "any":
            return Some(_read_list(message.any.criteria, f"{path}.any"))
        case "not":
            return Unless(_read(getattr(message, "not"), f"{path}.not"))
        case _:
            raise Invalid.of(
                path, "must be properties, performed, first_performed, stopped, in_order, cohort_key, all, any or not"
            )


def _read_list(criteria: Iterable[pb.Criterion], path: str) -> tuple[Criterion, ...]:
    return tuple(_read(each, f"{path}.criteria[{index}]") for index, each in enumerate(criteria))


def _read_performed(message: pb.Performed, path: str) -> Performed:
    events, between = _read_did(message.events, message.range, path)
    if (word := message.WhichOneof("times")) is None:
        return Performed(events, range=between)
    return Performed(events, Comparison(word), getattr(message, word), between)


def _read_in_order(message: pb.InOrder, path: str) -> InOrder:
    steps = tuple(_read_events(step, f"{path}.steps[{index}]") for index, step in enumerate(message.steps))
    try:
        window = message.window.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise Invalid.of(f"{path}.window", "is longer than any time there is") from error
    return InOrder(steps, window, _read_range(message.range, path))


def _read_did(events: common_pb2.EventMatch, range_: common_pb2.TimeRange, path: str) -> tuple[Events, Between]:
    return _read_events(events, f"{path}.events"), _read_range(range_, path)


def _read_events(message: common_pb2.EventMatch, path: str) -> Events:
    return Events(message.event, message.action, wire.filter_from_proto(message.filter, f"{path}.filter"))


def _read_range(message: common_pb2.TimeRange, path: str) -> Between:
    if message.compare:
        raise Invalid.of(f"{path}.range.compare", "must be empty: a cohort is of one time")
    return Between(message.start, message.end)


def _write(criterion: Criterion) -> pb.Criterion:
    match criterion:
        case Having(filter_):
            return pb.Criterion(properties=wire.filter_to_proto(filter_))
        case Performed(events, comparison, times, between):
            performed = pb.Performed(events=_write_events(events), range=_write_range(between))
            setattr(performed, comparison.value, times)
            return pb.Criterion(performed=performed)
        case FirstPerformed(events, between):
            first = pb.FirstPerformed(events=_write_events(events), range=_write_range(between))
            return pb.Criterion(first_performed=first)
        case Stopped(events, between):
            return pb.Criterion(stopped=pb.Stopped(events=_write_events(events), range=_write_range(between)))
        case InOrder(steps, window, between):
            in_order = pb.InOrder(steps=map(_write_events, steps), range=_write_range(between))
            in_order.window.FromTimedelta(window)
            return pb.Criterion(in_order=in_order)
        case InCohort(cohort_key):
            return pb.Criterion(cohort_key=cohort_key)
        case Every(criteria):
            return pb.Criterion(all=pb.CriterionList(criteria=map(_write, criteria)))
        case Some(criteria):
            return pb.Criterion(any=pb.CriterionList(criteria=map(_write, criteria)))
        case Unless(inner):
            return pb.Criterion(**{"not": _write(inner)})  # type: ignore[arg-type] # a word of Python's own


def _write_events(events: Events) -> common_pb2.EventMatch:
    filter_ = None if events.filter is None else wire.filter_to_proto(events.filter)
    return common_pb2.EventMatch(event=events.event, action=events.action, filter=filter_)


def _write_range(between: Between) -> common_pb2.TimeRange:
    return common_pb2.TimeRange(start=between.start, end=between.end)
