"""Criteria of computed cohorts as the JSON that the control store keeps. It reads what it wrote."""

from datetime import timedelta
from typing import Any

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
from burgee_server.storage.sql.documents import filter_document, read_filter

_MICROSECOND = timedelta(microseconds=1)


def computed_document(computed: Computed) -> dict[str, Any]:
    """How a cohort is computed."""
    return {"criterion": _document(computed.criterion), "time_zone": computed.time_zone}


def read_computed(document: dict[str, Any]) -> Computed:
    """As it was written."""
    return Computed(_read(document["criterion"]), document["time_zone"])


def _document(criterion: Criterion) -> dict[str, Any]:
    """One word, by the names of the wire, with what stands under it."""
    match criterion:
        case Having(filter_):
            return {"properties": filter_document(filter_)}
        case Performed(events, comparison, times, between):
            counted = {"comparison": comparison.value, "times": times}
            return {"performed": _did(events, between) | counted}
        case FirstPerformed(events, between):
            return {"first_performed": _did(events, between)}
        case Stopped(events, between):
            return {"stopped": _did(events, between)}
        case InOrder(steps, window, between):
            steps_document = [_events_document(step) for step in steps]
            return {"in_order": _range(between) | {"steps": steps_document, "window_micros": window // _MICROSECOND}}
        case InCohort(cohort_key):
            return {"cohort_key": cohort_key}
        case Every(criteria):
            return {"all": [_document(each) for each in criteria]}
        case Some(criteria):
            return {"any": [_document(each) for each in criteria]}
        case Unless(inner):
            return {"not": _document(inner)}


def _read(document: dict[str, Any]) -> Criterion:
    [(word, inner)] = document.items()
    match word:
        case "properties":
            return Having(read_filter(inner))
        case "performed":
            return Performed(_events(inner), Comparison(inner["comparison"]), inner["times"], _between(inner))
        case "first_performed":
            return FirstPerformed(_events(inner), _between(inner))
        case "stopped":
            return Stopped(_events(inner), _between(inner))
        case "in_order":
            steps = tuple(map(_read_events, inner["steps"]))
            return InOrder(steps, timedelta(microseconds=inner["window_micros"]), _between(inner))
        case "cohort_key":
            return InCohort(inner)
        case "all":
            return Every(tuple(map(_read, inner)))
        case "any":
            return Some(tuple(map(_read, inner)))
        case "not":
            return Unless(_read(inner))
        case _:
            raise ValueError(f"no such criterion: {word}")


def _did(events: Events, between: Between) -> dict[str, Any]:
    return _range(between) | {"events": _events_document(events)}


def _range(between: Between) -> dict[str, Any]:
    return {"start": between.start, "end": between.end}


def _events_document(events: Events) -> dict[str, Any]:
    filter_ = None if events.filter is None else filter_document(events.filter)
    return {"event": events.event, "action": events.action, "filter": filter_}


def _events(document: dict[str, Any]) -> Events:
    return _read_events(document["events"])


def _read_events(document: dict[str, Any]) -> Events:
    filter_ = document["filter"]
    return Events(document["event"], document["action"], None if filter_ is None else read_filter(filter_))


def _between(document: dict[str, Any]) -> Between:
    return Between(document["start"], document["end"])
