"""Retention against golden cases, and against plain Python over made-up events."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation.model import Condition, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.retention import (
    CellState,
    Outcome,
    Retention,
    RetentionActorsQuery,
    RetentionQuery,
    RetentionTable,
    Returns,
    Starts,
    Window,
    plan_retention,
    plan_retention_actors,
)
from burgee_server.insights.timerange import Span
from burgee_server.insights.words import FIRST_PAGE, Breakdown, Happening, Interval, Page, Part, PartKind, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import NOW, ask
from tests.unit.insights.facts import facts
from tests.unit.insights.returning import HAPPENINGS, Start, starts
from tests.unit.insights.test_trend import MISSING, OTHER, value

FIRST, LAST = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC)
TWO_WEEKS = TimeRange("2026-03-02", "2026-03-16")


async def retention(environment: Environment, query: RetentionQuery) -> Retention:
    """Ask for a retention."""
    return await ask(environment, plan_retention, query)


def counts(answer: Retention) -> list[list[int]]:
    """The counts of an answer that is not split."""
    [table] = answer.tables
    return [[cell.count for cell in row.cells] for row in table.rows]


def seen(who: str, *days: float, event: str = "seen", company: str = "") -> list[Fact]:
    """Somebody's events, so many days after the first moment of the range."""
    groups = {"company": company} if company else {}
    return [Fact(event, who, FIRST + timedelta(days=day), groups) for day in days]


async def test_who_is_there_again_in_each_of_the_weeks_after_that_of_the_first_time(environment: Environment) -> None:
    """A triangle: everybody in week 0, and in each later week those who were there in it."""
    await environment.load(*seen("ann", 0, 7, 15), *seen("bob", 6.9, 14), *seen("eve", 8, 8.5), *seen("old", -1, 0, 7))
    answer = await retention(environment, RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=2))
    assert counts(answer) == [[2, 1, 2], [1, 0, 0]]
    [table] = answer.tables
    assert [row.column for row in table.rows] == [FIRST, FIRST + timedelta(days=7)]
    assert [row.size for row in table.rows] == [2, 1]
    assert [cell.share for cell in table.rows[0].cells] == [1, 0.5, 1]
    assert [[cell.lost for cell in row.cells] for row in table.rows] == [[0, 1, 0], [0, 1, 0]]
    assert [(mean.size, mean.count, mean.share, mean.lost) for mean in table.averages] == [
        (3, 3, 1, 0),
        (3, 1, 1 / 3, 2),
        (3, 2, 2 / 3, 0),
    ]


async def test_any_start_counts_where_starts_recur(environment: Environment) -> None:
    """Somebody is in the row of every week in which they started, and of none before the range."""
    await environment.load(*seen("ann", -7, 0, 7), *seen("bob", 1))
    query = RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=1, starts=Starts.RECURRING)
    assert counts(await retention(environment, query)) == [[2, 1], [1, 0]]


async def test_starts_and_returns_are_of_their_own_events(environment: Environment) -> None:
    """A start is no return and a return no start; a return in the week of the start is in period 0 like everybody."""
    await environment.load(
        *seen("ann", 0, 7, event="signed_up"),
        *seen("bob", 0, event="signed_up"),
        *seen("bob", 1, 8),
        *seen("eve", 0, 7),
    )
    signed_up, again = (
        Happening("signed_up"),
        Happening("seen", filter=Condition("user.key", Operator.IN, ("bob", "eve"))),
    )
    query = RetentionQuery(signed_up, again, TWO_WEEKS, interval=Interval.WEEK, periods=1)
    assert counts(await retention(environment, query)) == [[2, 1], [0, 0]]


async def test_a_rolling_day_has_24_hours_from_ones_own_start(environment: Environment) -> None:
    """Its first moment is inside, its last is not; the calendar would say otherwise."""
    await environment.load(
        *seen("early", 0.5, 1.49),
        *seen("on time", 0.5, 1.5),
        *seen("late", 0.5, 2.5),
        Fact(distinct_id="to the microsecond", timestamp=FIRST),
        Fact(distinct_id="to the microsecond", timestamp=FIRST + timedelta(days=2, microseconds=-1)),
    )
    day = TimeRange("2026-03-02", "2026-03-03")
    assert counts(await retention(environment, RetentionQuery(range=day, periods=2))) == [[4, 3, 1]]
    rolling = RetentionQuery(range=day, periods=2, window=Window.ROLLING)
    assert counts(await retention(environment, rolling)) == [[4, 2, 1]]


async def test_the_earliest_start_of_a_column_begins_its_rolling_periods(environment: Environment) -> None:
    """Whoever starts on a Monday and a Friday is once in that week's row, and the week goes from the Monday."""
    await environment.load(*seen("ann", 0, 4, 10.5))
    week = TimeRange("2026-03-02", "2026-03-09")
    query = RetentionQuery(
        range=week, interval=Interval.WEEK, periods=2, starts=Starts.RECURRING, window=Window.ROLLING
    )
    assert counts(await retention(environment, query)) == [[1, 1, 0]]


async def test_who_comes_back_later_counts_on_or_after(environment: Environment) -> None:
    """In every period up to the last return, though that is beyond all periods."""
    await environment.load(*seen("ann", 0, 2), *seen("bob", 0, 30), *seen("eve", 0))
    day = TimeRange("2026-03-02", "2026-03-03")
    for window in Window:
        query = RetentionQuery(range=day, periods=3, window=window, returns=Returns.ON_OR_AFTER)
        assert counts(await retention(environment, query)) == [[3, 2, 2, 1]]


async def test_companies_return_by_the_events_of_all_their_users(environment: Environment) -> None:
    """Events without a company are nobody's."""
    await environment.load(
        *seen("ann", 0, company="acme"),
        *seen("bob", 8, company="acme"),
        *seen("eve", 0, 7),
        *seen("kim", 1, company="b"),
    )
    query = RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=1, count_by="company")
    assert counts(await retention(environment, query)) == [[2, 1], [0, 0]]


async def test_a_cell_says_how_much_of_its_time_is_over(environment: Environment) -> None:
    """Now is noon of 15 April; averages are of complete cells only."""
    await environment.load(
        *(Fact(distinct_id=f"{d}", timestamp=datetime(2026, 4, d, 13, tzinfo=UTC)) for d in (13, 14))
    )
    april = TimeRange("2026-04-13", "2026-04-15")
    complete, partial, future = CellState.COMPLETE, CellState.PARTIAL, CellState.FUTURE
    for window, expected, sizes in (
        (Window.CALENDAR, [[complete, complete, partial], [complete, partial, future]], [2, 1, 0]),
        # Somebody of the 13th may have started at its last moment, and is then in period 1 until the 15th ends.
        (Window.ROLLING, [[complete, partial, partial], [partial, partial, future]], [1, 0, 0]),
    ):
        [table] = (await retention(environment, RetentionQuery(range=april, periods=2, window=window))).tables
        assert [[cell.state for cell in row.cells] for row in table.rows] == expected
        assert [mean.size for mean in table.averages] == sizes
        assert [cell.lost for cell in table.rows[0].cells] == [0, 1, 0]
        lost = RetentionActorsQuery(
            RetentionQuery(range=april, periods=2, window=window), datetime(2026, 4, 14, tzinfo=UTC), 2, Outcome.LOST
        )
        assert (await ask(environment, plan_retention_actors, lost)).keys == ()


async def test_a_split_goes_by_the_value_at_the_first_start(environment: Environment) -> None:
    """The greatest by starts, "missing" apart, and the rest as "other"."""

    def event(who: str, day: float, plan: str) -> Fact:
        return Fact("seen", who, FIRST + timedelta(days=day), properties={"plan": plan} if plan else {})

    await environment.load(
        *(event("ann", 0, "pro"), event("ann", 7, "free"), event("bob", 1, "pro"), event("eve", 0, "")),
        *(event("eve", 8, "pro"), event("joe", 7, "free"), event("kim", 7, "gold")),
    )
    breakdown = Breakdown(("event.plan",), 1)
    query = RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=1, breakdown=breakdown)
    tables = (await retention(environment, query)).tables
    assert [(table.part, [[cell.count for cell in row.cells] for row in table.rows]) for table in tables] == [
        (value("pro"), [[2, 1], [0, 0]]),
        (MISSING, [[1, 1], [0, 0]]),
        (OTHER, [[0, 0], [2, 0]]),
    ]


async def test_nobody_is_a_table_of_zeros(environment: Environment) -> None:
    """Without a breakdown it is there all the same."""
    query = RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=1)
    assert counts(await retention(environment, query)) == [[0, 0], [0, 0]]
    split = RetentionQuery(range=TWO_WEEKS, breakdown=Breakdown(("user.key",)))
    assert (await retention(environment, split)).tables == ()


async def test_more_columns_than_a_number_has_bits(environment: Environment) -> None:
    """A year of days and 200 periods, as with a few."""
    await environment.load(*seen("ann", 0, 1, 100, 199, 200, 201, 250))
    year = TimeRange("2025-12-01", "2026-12-01")
    [table] = (await retention(environment, RetentionQuery(range=year, periods=200))).tables
    [row] = [row for row in table.rows if row.size]
    assert [period for period, cell in enumerate(row.cells) if cell.count] == [0, 1, 100, 199, 200]


async def test_who_is_behind_a_cell_comes_page_by_page(environment: Environment) -> None:
    """Of one part or of all, in the byte order of their keys."""
    await environment.load(*(fact for name in ("b", "a", "c", "ä") for fact in seen(name, 0, 7)), *seen("d", 0))
    query = RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=1, breakdown=Breakdown(("user.key",), 2))

    async def page(outcome: Outcome, part: Part | None = None, page: Page = FIRST_PAGE) -> tuple[tuple[str, ...], bool]:
        asked = RetentionActorsQuery(query, FIRST, 1, outcome, part, page)
        found = await ask(environment, plan_retention_actors, asked)
        return found.keys, found.has_more

    assert await page(Outcome.RETURNED, None, Page(limit=3)) == (("a", "b", "c"), True)
    assert await page(Outcome.RETURNED, None, Page("c", 3)) == (("ä",), False)
    assert await page(Outcome.LEFT) == await page(Outcome.LOST) == (("d",), False)
    assert await page(Outcome.RETURNED, value("b")) == (("b",), False)
    assert await page(Outcome.RETURNED, value("ä")) == (("ä",), False)
    assert await page(Outcome.RETURNED, value("e")) == ((), False)
    assert await page(Outcome.RETURNED, OTHER) == (("c", "ä"), False)
    assert await page(Outcome.RETURNED, MISSING) == ((), False)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"column": FIRST + timedelta(days=1)}, "column"),
        ({"column": FIRST + timedelta(days=14)}, "column"),
        ({"period": 2}, "period"),
        ({"part": value("x")}, "part"),
        ({"retention": RetentionQuery(periods=0)}, "periods"),
    ],
)
async def test_a_bad_question_for_a_page_names_the_field(environment: Environment, fields, field: str) -> None:
    """That is at fault."""
    query = RetentionQuery(range=TWO_WEEKS, interval=Interval.WEEK, periods=1)
    asked = replace(RetentionActorsQuery(query, FIRST, 1), **fields)
    with pytest.raises(Invalid) as refusal:
        await ask(environment, plan_retention_actors, asked)
    assert [violation.field for violation in refusal.value.violations] == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (RetentionQuery(periods=0), "periods"),
        (RetentionQuery(periods=201), "periods"),
        (RetentionQuery(window=Window.ROLLING, interval=Interval.MONTH), "window"),
        (RetentionQuery(count_by="compny"), "count_by"),
        (RetentionQuery(start_event=Happening("x" * 201)), "start_event.event"),
        (RetentionQuery(return_event=Happening(action="none")), "return_event.action"),
        (RetentionQuery(range=TimeRange("2024-01-01"), periods=200, breakdown=Breakdown(("user.key",), 9)), "periods"),
    ],
)
async def test_a_bad_question_names_the_field(environment: Environment, query: RetentionQuery, field: str) -> None:
    """That is at fault."""
    with pytest.raises(Invalid) as refusal:
        await retention(environment, query)
    assert [violation.field for violation in refusal.value.violations] == [field]


@examples(4)
@given(
    made=facts(14),
    start=st.sampled_from(HAPPENINGS),
    again=st.sampled_from(HAPPENINGS),
    how=st.tuples(st.sampled_from(Starts), st.sampled_from(Window), st.sampled_from(Returns)),
    interval=st.sampled_from([Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH]),
    first=st.sampled_from(["2026-03-01", "2026-03-28T23:45", "2026-03-29T01:00:00Z"]),
    zone=st.sampled_from(["", "Europe/Berlin"]),
    count_by=st.sampled_from(["user", "company"]),
    is_split=st.booleans(),
)
async def test_a_retention_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made, start, again, how, interval, first, zone, count_by, is_split
) -> None:
    """Over duplicates, ties in time, and the night in which Berlin's clocks change."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    if how[1] is Window.ROLLING and interval is Interval.MONTH:
        interval = Interval.DAY
    breakdown = Breakdown(("user.key",)) if is_split else None
    range_ = TimeRange(first, "2026-03-29T04:00")
    query = RetentionQuery(start[0], again[0], range_, zone, interval, 3, *how, count_by, None, breakdown)
    answer = await retention(environment, query)

    span = Span(answer.info.start, answer.info.end, ZoneInfo(zone or "UTC"))
    columns = span.columns(interval, after=4)
    expected = starts(made, query, columns, (span.start, span.end), start[1], again[1])
    assert {table.part: _numbers(table) for table in answer.tables} == {
        part: [
            [_count(of, column, period) for period in range(4)]
            + [
                _count(of, column, period - 1) - _both(of, column, period) if columns[number + period] < NOW else 0
                for period in range(1, 4)
            ]
            for number, column in enumerate(columns[:-4])
        ]
        for part, of in _parts(expected, is_split).items()
    }
    for part, of in _parts(expected, is_split).items():
        row = [each for each in of if each.column == columns[-5]]
        for outcome, is_so in OUTCOMES.items():
            actors = await ask(
                environment, plan_retention_actors, RetentionActorsQuery(query, columns[-5], 2, outcome, part)
            )
            expected_keys = {e.actor for e in row if is_so(2, e.periods)}
            if outcome is Outcome.LOST and columns[-3] >= NOW:  # who is not there yet is not lost
                expected_keys = set()
            assert list(actors.keys) == sorted(expected_keys, key=str.encode)


OUTCOMES: dict[Outcome, Callable[[int, frozenset[int]], bool]] = {
    Outcome.RETURNED: lambda period, there: period in there,
    Outcome.LEFT: lambda period, there: period not in there,
    Outcome.LOST: lambda period, there: period - 1 in there and period not in there,
}


def _numbers(table: RetentionTable) -> list[list[int]]:
    return [[cell.count for cell in row.cells] + [cell.lost for cell in row.cells[1:]] for row in table.rows]


def _parts(found: Sequence[Start], is_split: bool) -> dict[Part | None, list[Start]]:
    parts: dict[Part | None, list[Start]] = {} if is_split else {None: []}
    for each in found:
        parts.setdefault(Part(PartKind.VALUE, each.value) if is_split else None, []).append(each)
    return parts


def _count(found: Sequence[Start], column: datetime, period: int) -> int:
    return sum(each.column == column and period in each.periods for each in found)


def _both(found: Sequence[Start], column: datetime, period: int) -> int:
    return sum(each.column == column and {period - 1, period} <= each.periods for each in found)
