"""Who, how long, when, which of two, and what goes with it: what plain Python makes of made-up events."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

import pytest
from hypothesis import given

from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.funnel import (
    FunnelActorsQuery,
    FunnelComparisonQuery,
    FunnelCorrelationQuery,
    FunnelOverTimeQuery,
    FunnelQuery,
    FunnelTimesQuery,
    Outcome,
    Side,
    Step,
    Subject,
    plan_funnel_actors,
    plan_funnel_comparison,
    plan_funnel_correlation,
    plan_funnel_over_time,
    plan_funnel_times,
)
from burgee_server.insights.words import Interval, TimeRange
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, ask
from tests.unit.insights.facts import facts
from tests.unit.insights.funnel.made_up import MadeUp, funnels
from tests.unit.insights.funnel.test_funnel import ABC, START, way
from tests.unit.insights.funnel.ways import is_spoiled, ways
from tests.unit.insights.reference import once


async def test_the_way_that_counts_is_the_first_there_and_of_those_the_shortest(environment: Environment) -> None:
    """Not a later way that is shorter still, and not from the earliest first step."""
    await environment.load(*way("ann", ("a", 0), ("a", 5), ("b", 7), ("a", 8), ("b", 9)))
    query = FunnelActorsQuery(FunnelQuery(ABC[:2], MARCH), 2)
    [ann] = (await ask(environment, plan_funnel_actors, query)).actors
    assert ann.moments == (START + timedelta(seconds=5), START + timedelta(seconds=7))


async def test_a_number_and_its_text_are_one_value_of_a_property(environment: Environment) -> None:
    """As in breakdowns: otherwise there were two lines of a property that look the same."""
    await environment.load(
        *(Fact("a", who, timestamp=START) for who in ("ann", "bob")), Fact("b", "ann", timestamp=START)
    )
    seats: list[tuple[str, Any]] = [("ann", {"seats": 5}), ("bob", {"seats": "5"})]
    await environment.warehouse.load_profiles(
        [ProfileRow(environment.environment_id, "user", who, properties, 1) for who, properties in seats]
    )
    query = FunnelCorrelationQuery(FunnelQuery((Step("a"), Step("b")), MARCH), subject=Subject.PROPERTIES, least=0)
    [found] = (await ask(environment, plan_funnel_correlation, query)).correlates
    assert (found.property, found.value, found.converted, found.dropped) == ("seats", "5", 1, 1)


@examples(2)
@given(made=facts(14), asked=funnels())
async def test_every_question_about_a_funnel_is_answered_as_plain_python_answers_it(
    warehouse: ClickHouseWarehouse, made: list[Fact], asked: MadeUp
) -> None:
    """People and their moments, times and their bins, columns in a zone whose clocks change, two sides, events."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    query, steps = asked.query, len(asked.query.steps)
    expected = asked.expected(made)

    for step, outcome in [(1, Outcome.REACHED), (steps, Outcome.REACHED), (2, Outcome.LOST)]:
        people = await ask(environment, plan_funnel_actors, FunnelActorsQuery(query, step, outcome))
        assert [(actor.key, list(actor.moments)) for actor in people.actors] == sorted(
            (actor, moments)
            for actor, moments in expected.items()
            if (len(moments) >= step if outcome is Outcome.REACHED else len(moments) == step - 1)
        )

    times = await ask(environment, plan_funnel_times, FunnelTimesQuery(query, bins=3))
    took = [(moments[-1] - moments[0]).total_seconds() for moments in expected.values() if len(moments) == steps]
    legs = [(m[1] - m[0]).total_seconds() for m in expected.values() if len(m) > 1]
    assert len(times.rows) == bool(expected)
    for row in times.rows:
        for time, want in ((row.whole, took), (row.steps[0], legs)):
            assert time.count == len(want)
            assert time.average == (pytest.approx(fmean(want)) if want else None)
            assert time.median == (pytest.approx(median(want)) if want else None)
        assert [bin_.count for bin_ in row.bins] == binned(took, 3)

    same = TimeRange("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    local = replace(query, range=same, time_zone="Europe/Berlin")
    over_time = await ask(environment, plan_funnel_over_time, FunnelOverTimeQuery(local, Interval.DAY))
    [line] = over_time.rows
    got = {column: list(counts) for column, counts in zip(over_time.columns, line.counts, strict=True) if counts[0]}
    assert got == by_column(asked, made, over_time.columns)

    acme, globex = (Condition("company.key", Operator.EQUALS, (company,)) for company in ("acme", "globex"))
    sides = FunnelComparisonQuery(query, Side(filter=acme), Side(filter=globex))
    comparison = await ask(environment, plan_funnel_comparison, sides)
    for company, side in (("acme", comparison.first), ("globex", comparison.second)):
        reached = [len(m) for m in asked.expected([f for f in made if f.groups.get("company") == company]).values()]
        assert [step.count for step in side.steps] == [sum(r >= n for r in reached) for n in range(1, steps + 1)]

    correlation = await ask(environment, plan_funnel_correlation, FunnelCorrelationQuery(query, least=0))
    assert (correlation.converted, correlation.dropped) == (len(took), len(expected) - len(took))
    found = {each.event: (each.converted, each.dropped) for each in correlation.correlates}
    assert found == correlated(asked, made)


def binned(took: list[float], bins: int) -> list[int]:
    """How many of equal width, the last with its end; one if there is nothing between."""
    if not took:
        return []
    micros = [round(each * 1e6) for each in took]
    width = max(micros) - min(micros)
    if not width:
        return [len(took)]
    places = Counter(min((each - min(micros)) * bins // width, bins - 1) for each in micros)
    return [places[place] for place in range(bins)]


def by_column(asked: MadeUp, made: list[Fact], columns: tuple[datetime, ...]) -> dict[datetime, list[int]]:
    """How many reached each step on the best way that began in a column, of those who are in the funnel."""
    counts: dict[datetime, list[int]] = {}
    expected = asked.expected(made)
    for actor, theirs in asked.actors(made).items():
        best: dict[datetime, list[int]] = {}
        for moments in ways(theirs, asked.asked):
            column = max(column for column in columns if column <= moments[0])
            clean = 0 if is_spoiled(moments, theirs, asked.asked) else len(moments)
            most = best.setdefault(column, [0, 0])
            best[column] = [max(most[0], len(moments)), max(most[1], clean)]
        for column, (most, clean) in best.items():
            if most == clean and actor in expected:
                line = counts.setdefault(column, [0] * len(asked.query.steps))
                for step in range(clean):
                    line[step] += 1
    return counts


def correlated(asked: MadeUp, made: list[Fact]) -> dict[str, tuple[int, int]]:
    """Who did what else between the first step and the last, or while the window was open."""
    done: dict[str, list[int]] = {}
    for actor, moments in asked.expected(made).items():
        is_converted = len(moments) == len(asked.query.steps)
        until = moments[-1] if is_converted else moments[0] + asked.asked.window
        for event in {
            fact.event
            for fact in asked.actors(once(made))[actor]
            if moments[0] <= fact.timestamp <= until
            and not asked.asked.matched(fact)
            and not any(each.test(fact) for each in asked.asked.excluded)
        }:
            done.setdefault(event, [0, 0])[not is_converted] += 1
    return {event: (converted, dropped) for event, (converted, dropped) in done.items()}
