"""Trends in plain Python, written to be read: what the SQL is held against."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from burgee_server.insights.trend import Measure
from tests.fixtures.warehouse import Fact

_PERCENTILES = {Measure.MEDIAN: 0.5, Measure.P90: 0.9, Measure.P95: 0.95, Measure.P99: 0.99}


def once(facts: Sequence[Fact]) -> list[Fact]:
    """Each uuid once."""
    return list({fact.uuid: fact for fact in facts}.values())


def numbers(facts: Sequence[Fact], name: str) -> list[float]:
    """The numbers of a property; true and false are none."""
    values = [fact.properties.get(name) for fact in facts]
    return [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def measured(facts: Sequence[Fact], measure: Measure, name: str) -> float:
    """What a measure makes of events. `name` is the property, or the group type."""
    match measure:
        case Measure.TOTAL:
            return len(facts)
        case Measure.UNIQUE_USERS:
            return len({fact.distinct_id for fact in facts})
        case Measure.UNIQUE_GROUPS:
            return len({fact.groups[name] for fact in facts if name in fact.groups})
        case Measure.SUM:
            return math.fsum(numbers(facts, name))
    values = sorted(numbers(facts, name))
    if not values:
        return math.nan
    match measure:
        case Measure.AVG:
            return math.fsum(values) / len(values)
        case Measure.MIN:
            return values[0]
        case Measure.MAX:
            return values[-1]
    position = (len(values) - 1) * _PERCENTILES[measure]
    below = values[math.floor(position)]
    return below + (values[math.ceil(position)] - below) * (position - math.floor(position))


def by(facts: Sequence[Fact], key: Callable[[Fact], Any]) -> dict[Any, list[Fact]]:
    """Events by what `key` makes of them."""
    found: dict[Any, list[Fact]] = {}
    for fact in facts:
        found.setdefault(key(fact), []).append(fact)
    return found
