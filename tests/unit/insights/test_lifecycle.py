"""Lifecycles against golden cases, and against plain Python over made-up events."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.errors import Invalid
from burgee_server.insights.lifecycle import (
    Lifecycle,
    LifecycleActorsQuery,
    LifecycleQuery,
    Stage,
    plan_lifecycle,
    plan_lifecycle_actors,
)
from burgee_server.insights.timerange import Span
from burgee_server.insights.words import Happening, Interval, Page, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import ask
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import by, once
from tests.unit.insights.returning import HAPPENINGS, actor_of

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
FOUR_DAYS = TimeRange("2026-03-02", "2026-03-06")


async def lifecycle(environment: Environment, query: LifecycleQuery) -> Lifecycle:
    """Ask for a lifecycle."""
    return await ask(environment, plan_lifecycle, query)


def numbers(answer: Lifecycle) -> list[tuple[int, int, int, int]]:
    """new, returning, resurrecting, dormant."""
    return [(each.new, each.returning, each.resurrecting, each.dormant) for each in answer.columns]


def seen(who: str, *days: float, company: str = "") -> list[Fact]:
    """Somebody's events, so many days after the first moment of the range."""
    groups = {"company": company} if company else {}
    return [Fact("seen", who, FIRST + timedelta(days=day), groups) for day in days]


async def test_everybody_is_at_one_stage_a_day_as_posthog_has_it(environment: Environment) -> None:
    """New with the first event ever, returning the day after another, resurrecting after a gap, dormant below zero."""
    await environment.load(
        *seen("new", 0, 0.5),
        *seen("returning", 0, 1, 2, 3),
        *seen("resurrecting", 0, 2),
        *seen("old", -9, 1),
        *seen("yesterday", -1),
        *seen("later", 7),
    )
    answer = await lifecycle(environment, LifecycleQuery(range=FOUR_DAYS))
    assert [each.column for each in answer.columns] == [FIRST + timedelta(days=day) for day in range(4)]
    assert numbers(answer) == [(3, 0, 0, -1), (0, 1, 1, -2), (0, 1, 1, -1), (0, 1, 0, -1)]


async def test_new_plus_resurrecting_plus_dormant_is_what_was_gained(environment: Environment) -> None:
    """So the active of a day are those of the day before and its three other numbers."""
    await environment.load(*(fact for n in range(9) for fact in seen(f"u{n}", *(d for d in range(5) if (n >> d) & 1))))
    columns = (await lifecycle(environment, LifecycleQuery(range=FOUR_DAYS))).columns
    active = [each.new + each.returning + each.resurrecting for each in columns]
    gained = [each.new + each.resurrecting + each.dormant for each in columns]
    assert [before + more for before, more in zip(active, gained[1:], strict=False)] == active[1:]


async def test_the_first_column_counts_whole_and_one_that_is_not_over_says_so(environment: Environment) -> None:
    """A range that begins on a Wednesday asks for that whole week; nobody is new who was there on Monday."""
    await environment.load(*seen("ann", 0, 9), *seen("bob", 4))
    query = LifecycleQuery(range=TimeRange("2026-03-04", "2026-03-12"), interval=Interval.WEEK)
    answer = await lifecycle(environment, query)
    assert numbers(answer) == [(2, 0, 0, 0), (0, 1, 0, -1)]
    assert [each.complete for each in answer.columns] == [True, False]


async def test_the_hour_before_the_first_is_one_hour(environment: Environment) -> None:
    """Who was last there three hours before the range has come back after a gap, and did not go dormant in it."""
    await environment.load(*seen("ann", -3 / 24, 0), *seen("bob", -3 / 24), *seen("cid", -0.5 / 24))
    query = LifecycleQuery(range=TimeRange("2026-03-02", "2026-03-02T02:00"), interval=Interval.HOUR)
    assert numbers(await lifecycle(environment, query)) == [(0, 0, 1, -1), (0, 0, 0, -1)]


async def test_companies_live_by_the_events_of_all_their_users(environment: Environment) -> None:
    """Events without a company are nobody's."""
    await environment.load(*seen("ann", 0, company="acme"), *seen("bob", 1, company="acme"), *seen("eve", 1))
    query = LifecycleQuery(range=FOUR_DAYS, count_by="company")
    assert numbers(await lifecycle(environment, query)) == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, -1), (0, 0, 0, 0)]


async def test_the_actors_of_a_stage_come_page_by_page(environment: Environment) -> None:
    """In the byte order of their keys, each once."""
    await environment.load(*(fact for name in ("b", "a", "c", "ä", "B") for fact in seen(name, 0)), *seen("d", 1))
    pages, after = [], ""
    while True:
        query = LifecycleActorsQuery(LifecycleQuery(range=FOUR_DAYS), FIRST, Stage.NEW, Page(after, 2))
        page = await ask(environment, plan_lifecycle_actors, query)
        pages.append(page.keys)
        if not page.has_more:
            break
        after = page.keys[-1]
    assert pages == [("B", "a"), ("b", "c"), ("ä",)]


@pytest.mark.parametrize(
    ("plan", "query", "field"),
    [
        (plan_lifecycle, LifecycleQuery(count_by="compny"), "count_by"),
        (plan_lifecycle, LifecycleQuery(Happening("x" * 201)), "event.event"),
        (plan_lifecycle_actors, LifecycleActorsQuery(LifecycleQuery(), FIRST, Stage.NEW), "column"),
        (
            plan_lifecycle_actors,
            LifecycleActorsQuery(LifecycleQuery(count_by="compny"), FIRST, Stage.NEW),
            "count_by",
        ),
    ],
)
async def test_a_bad_question_names_the_field(environment: Environment, plan, query, field: str) -> None:
    """That is at fault."""
    with pytest.raises(Invalid) as refusal:
        await ask(environment, plan, query)
    assert [violation.field for violation in refusal.value.violations] == [field]


@examples(4)
@given(
    made=facts(14),
    event=st.sampled_from(HAPPENINGS),
    interval=st.sampled_from([Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH]),
    first=st.sampled_from(["2026-03-01", "2026-03-28T23:45", "2026-03-29T01:00:00Z"]),
    zone=st.sampled_from(["", "Europe/Berlin"]),
    count_by=st.sampled_from(["user", "company"]),
)
async def test_a_lifecycle_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made, event, interval, first, zone, count_by
) -> None:
    """Over duplicates, ties in time, and the night in which Berlin's clocks change; also who is behind the numbers."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    query = LifecycleQuery(event[0], TimeRange(first, "2026-03-29T04:00"), zone, interval, count_by)
    answer = await lifecycle(environment, query)

    span = Span(answer.info.start, answer.info.end, ZoneInfo(zone or "UTC"))
    stages = _stages(made, span, interval, event[1], count_by)
    columns = span.columns(interval)
    assert numbers(answer) == [
        tuple(len(stages[number, stage]) * (-1 if stage is Stage.DORMANT else 1) for stage in Stage)
        for number in range(len(columns))
    ]
    for stage in Stage:
        actors = LifecycleActorsQuery(query, columns[-1], stage)
        assert set((await ask(environment, plan_lifecycle_actors, actors)).keys) == stages[len(columns) - 1, stage]


def _stages(
    made: Sequence[Fact], span: Span, interval: Interval, is_active: Callable[[Fact], bool], count_by: str
) -> dict[tuple[int, Stage], set[str]]:
    """Who is at which stage in which column."""
    edges = span.columns(interval, before=1, after=1)
    found: dict[tuple[int, Stage], set[str]] = {(n, stage): set() for n in range(len(edges) - 2) for stage in Stage}
    mine = [f for f in once(made) if is_active(f) and f.timestamp < span.end and (count_by == "user" or f.groups)]
    for actor, events in by(mine, lambda fact: actor_of(fact, count_by)).items():
        first = min(fact.timestamp for fact in events)
        there = [any(edges[n] <= f.timestamp < edges[n + 1] for f in events) for n in range(len(edges) - 1)]
        for number in range(len(edges) - 2):
            before, now = there[number], there[number + 1]
            if now and edges[number + 1] <= first:
                found[number, Stage.NEW].add(actor)
            elif now:
                found[number, Stage.RETURNING if before else Stage.RESURRECTING].add(actor)
            elif before:
                found[number, Stage.DORMANT].add(actor)
    return found
