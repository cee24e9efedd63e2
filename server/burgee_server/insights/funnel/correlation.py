"""What goes with converting: events on the way, and properties of those who go it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.actors import MOMENTS, REACHED, Actors, read_actors
from burgee_server.insights.funnel.model import AboutFunnel
from burgee_server.insights.funnel.statistics import Interval, odds_ratio, significance
from burgee_server.insights.sql.scope import profile_key
from burgee_server.insights.words import QueryInfo
from burgee_server.ports.warehouse import Statement

DEFAULT_LIMIT, MAX_LIMIT = 20, 1000
DEFAULT_LEAST = 10
MAX_PROPERTIES = 100


class Subject(StrEnum):
    """What is looked at."""

    EVENTS = "events"
    PROPERTIES = "properties"


@dataclass(frozen=True, slots=True)
class FunnelCorrelationQuery(AboutFunnel):
    """Asks for the `limit` clearest differences between who converted and who did not.

    Of events other than the steps; or of the values that properties of the users or groups have now, those in
    `properties` or all. What fewer than `least` had or did is left out.
    """

    subject: Subject = Subject.EVENTS
    properties: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    least: int = DEFAULT_LEAST


@dataclass(frozen=True, slots=True)
class Correlate:
    """An event; or a property, and its value as text. How many did or had it, of each kind; and what that is worth."""

    event: str
    property: str
    value: str
    converted: int
    dropped: int
    odds_ratio: float
    """How many times the odds of converting are with it what they are without."""
    interval: Interval
    p_value: float
    is_exact: bool


@dataclass(frozen=True, slots=True)
class FunnelCorrelation:
    """The answer, the clearest first, and of how many it was made."""

    converted: int
    dropped: int
    correlates: tuple[Correlate, ...]
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class FunnelCorrelationPlan:
    """A checked question and its statement."""

    statements: tuple[Statement]
    query: FunnelCorrelationQuery

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FunnelCorrelation:
        """From rows of (name, value as JSON, converted, dropped); the one without a name is everybody."""
        everybody = (0, 0)
        counts = dict[tuple[str, str], tuple[int, int]]()
        for name, value, converted, dropped in rows[0]:
            if (name, value) == ("", ""):
                everybody = (int(converted), int(dropped))
            else:
                # 5 and "5" are one value to people, and nobody has both.
                key = name, _shown(value)
                before = counts.get(key, (0, 0))
                counts[key] = before[0] + int(converted), before[1] + int(dropped)
        found = [self._correlate(name, text, each, everybody) for (name, text), each in counts.items()]
        found = [each for each in found if each.converted + each.dropped >= self.query.least]
        found.sort(key=_clearness)
        return FunnelCorrelation(*everybody, tuple(found[: self.query.limit]), info)

    def _correlate(self, name: str, text: str, counts: tuple[int, int], everybody: tuple[int, int]) -> Correlate:
        converted, dropped = counts
        others = (everybody[0] - converted, everybody[1] - dropped)
        ratio, interval = odds_ratio(converted, dropped, *others)
        p_value, is_exact = significance(converted, converted + dropped, others[0], sum(others))
        is_event = self.query.subject is Subject.EVENTS
        event, property_ = (name, "") if is_event else ("", name)
        return Correlate(event, property_, text, converted, dropped, ratio, interval, p_value, is_exact)


def plan_funnel_correlation(query: FunnelCorrelationQuery, asked: Asked) -> FunnelCorrelationPlan:
    """Check a question and write its SQL. Raises Invalid."""
    actors = read_actors(query.funnel, asked)
    if query.funnel.breakdown is not None:
        raise Invalid.of("breakdown", "has no place here: ask for the part by a filter")
    if query.limit > MAX_LIMIT:
        raise Invalid.of("limit", f"must be at most {MAX_LIMIT}")
    if query.subject is Subject.EVENTS and query.properties:
        raise Invalid.of("properties", "go with properties, and not with events")
    if len(query.properties) > MAX_PROPERTIES:
        raise Invalid.of("properties", f"at most {MAX_PROPERTIES} properties")
    sql = _events_sql(actors) if query.subject is Subject.EVENTS else _properties_sql(actors, query.properties)
    return FunnelCorrelationPlan((actors.scope.statement(sql),), query)


def _events_sql(actors: Actors) -> str:
    """What happened from the first step to the last, or for whom it did not come to that while the window was open.

    Everybody has a first step, so what was a step or excluded, under no name, counts everybody.
    """
    known = " OR ".join([*actors.marks.steps, *actors.marks.exclusions])
    actor = actors.scope.event_key(actors.query.count_by)
    events = actors.scope.events(
        [
            f"assumeNotNull({actor.text}) AS actor",
            "toUInt64(toUnixTimestamp64Micro(timestamp)) AS at",
            f"if({known}, '', toString(event)) AS name",
        ],
        [f"NOT {actor.missing}", *actors.marks.between, *actors.filters],
    )
    steps = len(actors.query.steps)
    until = f"if(reached = {steps}, moments[{steps}], moments[1] + {actors.ways.window})"
    people = (
        f"SELECT assumeNotNull(actor) AS actor, reached = {steps} AS is_converted, moments[1] AS since,"
        f" {until} AS until FROM ({actors.source(REACHED, MOMENTS)})"
    )
    once = (
        f"SELECT name, actor, any(is_converted) AS is_converted FROM ({events}) AS events"
        f" INNER JOIN ({people}) AS people ON events.actor = people.actor"
        " WHERE events.at BETWEEN people.since AND people.until GROUP BY name, events.actor AS actor"
    )
    return f"SELECT name, '', countIf(is_converted), countIf(NOT is_converted) FROM ({once}) GROUP BY name"


def _properties_sql(actors: Actors, names: Sequence[str]) -> str:
    """Values as JSON; an object is not a value."""
    owner = actors.query.count_by
    pairs = "JSONExtractKeysAndValuesRaw(toJSONString(properties))"
    wanted = "NOT startsWith(pair.2, '{')"
    if names:
        wanted += f" AND pair.1 IN {actors.scope.bind(list(names), 'Array(String)')}"
    kept = f"arrayFilter(pair -> {wanted}, {pairs}) AS pairs"
    profiles = actors.scope.profiles(owner, [f"{profile_key(owner)} AS actor", kept])
    people = (
        f"SELECT assumeNotNull(actor) AS actor, reached = {len(actors.query.steps)} AS is_converted"
        f" FROM ({actors.source(REACHED)})"
    )
    joined = (
        "SELECT is_converted, arrayJoin(arrayPushFront(pairs, ('', ''))) AS pair"
        f" FROM ({people}) AS people LEFT ANY JOIN ({profiles}) AS profiles ON people.actor = profiles.actor"
    )
    return (
        "SELECT pair.1 AS name, pair.2 AS value, countIf(is_converted), countIf(NOT is_converted)"
        f" FROM ({joined}) GROUP BY name, value"
    )


def _clearness(correlate: Correlate) -> tuple[float, float, str, str]:
    """By how far the interval stays from no difference; then by p."""
    low, high = correlate.interval.low, correlate.interval.high
    distance = low if low > 1 else 1 / high if high < 1 else 1.0
    return -distance, correlate.p_value, correlate.event or correlate.property, correlate.value


def _shown(value: str) -> str:
    """As breakdowns show it: a text as it is, anything else as JSON."""
    return str(json.loads(value)) if value.startswith('"') else value
