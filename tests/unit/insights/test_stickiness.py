"""Stickiness against golden cases, and against plain Python over made-up events."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.errors import Invalid
from burgee_server.insights.stickiness import (
    Stickiness,
    StickinessActorsQuery,
    StickinessQuery,
    plan_stickiness,
    plan_stickiness_actors,
)
from burgee_server.insights.timerange import Span
from burgee_server.insights.words import Breakdown, Happening, Interval, Page, Part, PartKind, TimeRange
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import ask
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import once
from tests.unit.insights.returning import HAPPENINGS, actor_of, column_of
from tests.unit.insights.test_trend import MISSING, OTHER, value

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
FOUR_DAYS = TimeRange("2026-03-02", "2026-03-06")


async def stickiness(environment: Environment, query: StickinessQuery) -> Stickiness:
    """Ask for a stickiness."""
    return await ask(environment, plan_stickiness, query)


def seen(who: str, *days: float, company: str = "", plan: str = "") -> list[Fact]:
    """Somebody's events, so many days after the first moment of the range."""
    groups = {"company": company} if company else {}
    return [Fact("seen", who, FIRST + timedelta(days=day), groups, {"plan": plan} if plan else {}) for day in days]


async def test_each_is_counted_by_the_number_of_days_with_an_event(environment: Environment) -> None:
    """Just so many, and so many or more; twice a day is once, and outside the range is never."""
    await environment.load(*seen("one", 0, 0.5, -1, 4), *seen("two", 0, 3.9), *seen("all", 0, 1, 2, 3), *seen("no", 9))
    [row] = (await stickiness(environment, StickinessQuery(range=FOUR_DAYS))).rows
    assert (row.part, row.size) == (None, 3)
    assert [(cell.columns, cell.count, cell.at_least) for cell in row.cells] == [
        (1, 1, 3),
        (2, 1, 2),
        (3, 0, 1),
        (4, 1, 1),
    ]
    assert [(cell.share, cell.at_least_share) for cell in row.cells][:2] == [(1 / 3, 1), (1 / 3, 2 / 3)]


async def test_companies_are_active_by_the_events_of_all_their_users(environment: Environment) -> None:
    """Events without a company are nobody's."""
    await environment.load(*seen("ann", 0, company="acme"), *seen("bob", 1, company="acme"), *seen("eve", 1))
    [row] = (await stickiness(environment, StickinessQuery(range=FOUR_DAYS, count_by="company"))).rows
    assert [cell.count for cell in row.cells] == [0, 1, 0, 0]


async def test_nobody_is_a_row_of_zeros(environment: Environment) -> None:
    """Without a breakdown it is there all the same."""
    [row] = (await stickiness(environment, StickinessQuery(range=FOUR_DAYS))).rows
    assert (row.size, [cell.count for cell in row.cells], row.cells[0].at_least_share) == (0, [0] * 4, 0)
    assert (await stickiness(environment, StickinessQuery(breakdown=Breakdown(("user.key",))))).rows == ()


async def test_somebody_with_two_values_is_in_the_row_of_each(environment: Environment) -> None:
    """For the days with that value; in "other" each day counts once, whatever the value."""
    await environment.load(
        *(*seen("ann", 0, 1, plan="pro"), *seen("ann", 1, 2, plan="x"), *seen("ann", 2, plan="y")),
        *(*seen("bob", 0, plan="pro"), *seen("eve", 3), *seen("kim", 0, plan="x"), *seen("lee", 0, 1, plan="pro")),
    )
    query = StickinessQuery(range=FOUR_DAYS, breakdown=Breakdown(("event.plan",), 1))
    rows = (await stickiness(environment, query)).rows
    assert [(row.part, [cell.count for cell in row.cells]) for row in rows] == [
        (value("pro"), [1, 2, 0, 0]),
        (MISSING, [1, 0, 0, 0]),
        (OTHER, [1, 1, 0, 0]),
    ]


async def test_values_are_ranked_by_how_many_have_them(environment: Environment) -> None:
    """One who has a value by way of two companies counts once."""
    await environment.load(
        *(*seen("ann", 0, company="a"), *seen("ann", 1, company="b"), *seen("ann", 2, company="c")),
        *(*seen("bob", 0, company="d"), *seen("eve", 0, company="d")),
    )
    mine = environment.environment_id
    plans = (("a", "pro"), ("b", "pro"), ("c", "pro"), ("d", "free"))
    await environment.warehouse.load_profiles(
        [ProfileRow(mine, "company", key, {"plan": plan}, n) for n, (key, plan) in enumerate(plans, 1)]
    )
    query = StickinessQuery(range=FOUR_DAYS, breakdown=Breakdown(("company.plan",), 1))
    rows = (await stickiness(environment, query)).rows
    assert [(row.part, [cell.count for cell in row.cells]) for row in rows] == [
        (value("free"), [2, 0, 0, 0]),
        (OTHER, [0, 0, 1, 0]),
    ]


async def test_the_actors_of_a_number_come_page_by_page(environment: Environment) -> None:
    """Of just so many columns, or of more, too."""
    await environment.load(*seen("c", 0, 1), *seen("a", 0, 1), *seen("b", 0, 1, 2), *seen("d", 0))

    async def keys(columns: int, or_more: bool, page: Page) -> tuple[tuple[str, ...], bool]:
        asked = StickinessActorsQuery(StickinessQuery(range=FOUR_DAYS), columns, or_more, None, page)
        found = await ask(environment, plan_stickiness_actors, asked)
        return found.keys, found.has_more

    assert await keys(2, False, Page()) == (("a", "c"), False)
    assert await keys(2, True, Page(limit=2)) == (("a", "b"), True)
    assert await keys(2, True, Page("b", 2)) == (("c",), False)


async def test_the_actors_of_a_value_are_found_though_the_rows_do_not_show_it(environment: Environment) -> None:
    """One value is shown; the actors of it, of any other, and of all others are to be had."""
    await environment.load(*seen("a", 0, 1), *seen("b", 0, 1), *seen("c", 0, 1))
    query = StickinessQuery(range=FOUR_DAYS, breakdown=Breakdown(("user.key",), 1))
    for part, expected in ((value("a"), ("a",)), (value("c"), ("c",)), (value("d"), ()), (OTHER, ("b", "c"))):
        asked = StickinessActorsQuery(query, 2, False, part)
        assert (await ask(environment, plan_stickiness_actors, asked)).keys == expected


@pytest.mark.parametrize(
    ("plan", "query", "field"),
    [
        (plan_stickiness, StickinessQuery(count_by="compny"), "count_by"),
        (plan_stickiness, StickinessQuery(Happening(action="none")), "event.action"),
        (
            plan_stickiness,
            StickinessQuery(
                range=TimeRange("2025-12-01"), interval=Interval.HOUR, breakdown=Breakdown(("user.key",), 99)
            ),
            "interval",
        ),
        (plan_stickiness_actors, StickinessActorsQuery(StickinessQuery(range=FOUR_DAYS), 5), "columns"),
        (plan_stickiness_actors, StickinessActorsQuery(StickinessQuery(), 1, part=value("x")), "part"),
        (
            plan_stickiness_actors,
            StickinessActorsQuery(StickinessQuery(breakdown=Breakdown(("user.key",))), 1),
            "breakdown",
        ),
    ],
)
async def test_a_bad_question_names_the_field(environment: Environment, plan, query, field: str) -> None:
    """That is at fault."""
    with pytest.raises(Invalid) as refusal:
        await ask(environment, plan, query)
    assert [violation.field for violation in refusal.value.violations] == [field]


@examples(8)
@given(
    made=facts(14),
    event=st.sampled_from(HAPPENINGS),
    interval=st.sampled_from([Interval.HOUR, Interval.DAY, Interval.WEEK]),
    first=st.sampled_from(["2026-03-01", "2026-03-28T23:45", "2026-03-29T01:00:00Z"]),
    zone=st.sampled_from(["", "Europe/Berlin"]),
    count_by=st.sampled_from(["user", "company"]),
    is_split=st.booleans(),
)
async def test_a_stickiness_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made, event, interval, first, zone, count_by, is_split
) -> None:
    """Over duplicates, ties in time, and the night in which Berlin's clocks change; also who is behind the numbers."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    breakdown = Breakdown(("user.key",)) if is_split else None
    range_ = TimeRange(first, "2026-03-31")
    query = StickinessQuery(event[0], range_, zone, interval, count_by, None, breakdown)
    answer = await stickiness(environment, query)

    span = Span(answer.info.start, answer.info.end, ZoneInfo(zone or "UTC"))
    columns = span.columns(interval)
    active: dict[Part | None, dict[str, set[int]]] = {} if is_split else {None: defaultdict(set)}
    for fact in once(made):
        if event[1](fact) and span.start <= fact.timestamp < span.end and (count_by == "user" or fact.groups):
            part = Part(PartKind.VALUE, fact.distinct_id) if is_split else None
            there = active.setdefault(part, defaultdict(set))
            there[actor_of(fact, count_by)].add(column_of(fact.timestamp, columns))
    assert {row.part: [cell.count for cell in row.cells] for row in answer.rows} == {
        part: [sum(len(days) == number for days in there.values()) for number in range(1, len(columns) + 1)]
        for part, there in active.items()
    }
    for part, there in active.items():
        asked = StickinessActorsQuery(query, 1, or_more=True, part=part)
        assert set((await ask(environment, plan_stickiness_actors, asked)).keys) == set(there)
