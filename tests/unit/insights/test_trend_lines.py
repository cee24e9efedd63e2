"""Measures that look back, averages per user and company, running totals, moving averages and formulas."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.errors import Invalid
from burgee_server.insights.trend import FormulaQuery, Measure, Series, TrendQuery
from burgee_server.insights.trend.lines import moving_average
from burgee_server.insights.words import Breakdown, Interval, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, trend
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import once

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = {Measure.WEEKLY_ACTIVE: 7, Measure.MONTHLY_ACTIVE: 30}


def at(day: int, month: int = 3) -> datetime:
    """Noon of a day of 2026."""
    return datetime(2026, month, day, 12, tzinfo=UTC)


async def lines(environment: Environment, *series: Series, **asked: Any) -> list[tuple[tuple[float, ...], float]]:
    """The values and the total of each line."""
    rows = (await trend(environment, TrendQuery(series, **({"range": MARCH} | asked)))).rows
    return [(row.values, row.total) for row in rows]


async def test_weekly_active_looks_back_seven_days_from_the_end_of_each_column(environment: Environment) -> None:
    """Also beyond the beginning of the range, which the total does not."""
    await environment.load(Fact(distinct_id="bob", timestamp=at(26, 2)), Fact(timestamp=at(2)), Fact(timestamp=at(4)))
    span = TimeRange("2026-03-01", "2026-03-13")
    [line] = await lines(environment, Series(measure=Measure.WEEKLY_ACTIVE), range=span)
    assert line == ((1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0), 1)


async def test_a_first_time_is_the_first_of_all_time(environment: Environment) -> None:
    """Who did it before the range is not new; who does it twice is new once, and under its first value."""
    await environment.load(
        Fact("a", "bob", at(1, 1)),
        Fact("a", "bob", at(5)),
        Fact("b", "eve", at(2)),
        Fact("a", "eve", at(7), properties={"plan": "free"}),
        Fact("a", "eve", at(8), properties={"plan": "pro"}),
    )
    span = TimeRange("2026-03-05", "2026-03-09")
    assert await lines(environment, Series("a", Measure.FIRST_TIME), range=span) == [((0, 0, 1, 0), 1)]
    query = TrendQuery((Series("a", Measure.FIRST_TIME),), span, breakdown=Breakdown(("event.plan",)))
    assert [(str(row.part), row.total) for row in (await trend(environment, query)).rows] == [("free", 1)]


async def test_a_total_is_divided_by_those_who_have_any_of_it(environment: Environment) -> None:
    """In each column by those of the column, and in the total by all; events without a company are left out."""
    acme, globex = {"company": "acme"}, {"company": "globex"}
    await environment.load(
        *(Fact("a", "ann", at(1), acme, {"n": 4}) for _ in range(3)),
        Fact("a", "bob", at(1), globex, {"n": 1}),
        Fact("a", "bob", at(2), globex),
        Fact("a", "eve", at(2)),
    )
    per_company = Series("a", per="company")
    per_user = Series("a", Measure.SUM, "n", per="user")
    span = TimeRange("2026-03-01", "2026-03-04")
    [totals, sums] = await lines(environment, per_company, per_user, range=span)
    assert totals[0][:2] == (2, 1)
    assert totals[1] == 2.5
    assert math.isnan(totals[0][2])
    assert (sums[0][0], sums[1]) == (6.5, 6.5)


async def test_running_totals_count_everybody_once(environment: Environment) -> None:
    """Ann on two days is one; sums and events add up."""
    for name, day, number in (("ann", 1, 2), ("ann", 2, 3), ("bob", 3, 4)):
        await environment.load(Fact("a", name, at(day), properties={"n": number}))
    series = (Series("a"), Series("a", Measure.UNIQUE_USERS), Series("a", Measure.SUM, "n"))
    span = TimeRange("2026-03-01", "2026-03-05")
    assert await lines(environment, *series, range=span, cumulative=True) == [
        ((1, 2, 3, 3), 3),
        ((1, 1, 2, 2), 2),
        ((2, 5, 9, 9), 9),
    ]


async def test_a_moving_average_is_of_the_columns_there_are(environment: Environment) -> None:
    """Fewer at the beginning; columns without a number are left out and not counted as 0."""
    await environment.load(*(Fact("a", timestamp=at(day), properties={"n": n}) for day, n in ((1, 6), (3, 12), (4, 0))))
    span = TimeRange("2026-03-01", "2026-03-06")
    [(count, _), (mean, total)] = await lines(
        environment, Series("a"), Series("a", Measure.AVG, "n"), range=span, moving_average=2
    )
    assert count == (1, 0.5, 0.5, 1, 0.5)
    assert mean == (6, 6, 12, 6, 0)
    assert total == 6


@given(
    values=st.lists(st.floats(), max_size=12),
    columns=st.integers(min_value=2, max_value=15),
)
def test_a_moving_average_is_the_mean_to_the_last_digit(values: list[float], columns: int) -> None:
    """Of the finite numbers in each window, as fractions have it: also of those too great, or too far apart, to add."""
    expected = []
    for end in range(1, len(values) + 1):
        there = [Fraction(value) for value in values[max(0, end - columns) : end] if math.isfinite(value)]
        expected.append(float(sum(there) / len(there)) if there else math.nan)
    assert list(map(repr, moving_average(values, columns))) == [repr(mean + 0.0) for mean in expected]


def test_a_wide_moving_average_looks_at_each_column_once() -> None:
    """Nobody waits for a window as wide as the longest answer."""

    class Counted(float):
        looks = 0

        def as_integer_ratio(self) -> tuple[int, int]:
            Counted.looks += 1
            return super().as_integer_ratio()

    assert moving_average([Counted(1)] * 1000, 1000) == (1.0,) * 1000
    assert Counted.looks == 1000


async def test_formulas_are_lines_more(environment: Environment) -> None:
    """In every column, in the total, and in every part, with nothing where a series lacks the part; x / 0 is NaN."""
    for event, plan, count in (("a", "pro", 2), ("b", "pro", 4), ("b", "free", 3)):
        await environment.load(*(Fact(event, timestamp=at(1), properties={"plan": plan}) for _ in range(count)))
    query = TrendQuery(
        (Series("a"), Series("b")),
        TimeRange("2026-03-01", "2026-03-03"),
        breakdown=Breakdown(("event.plan",)),
        formulas=(FormulaQuery("B / A"), FormulaQuery("-(A + B) * 1.5", "cost")),
    )
    rows = [
        (row.series, row.label, str(row.part), row.total, row.values[0])
        for row in (await trend(environment, query)).rows
    ]
    assert rows[:3] == [(0, "a", "pro", 2, 2), (1, "b", "pro", 4, 4), (1, "b", "", 3, 3)]
    assert rows[3:5] == [
        (2, "B / A", "pro", 2, 2),
        (2, "B / A", "", pytest.approx(math.nan, nan_ok=True), pytest.approx(math.nan, nan_ok=True)),
    ]
    assert sorted(rows[5:]) == [(3, "cost", "", -4.5, -4.5), (3, "cost", "pro", -9, -9)]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"formulas": (FormulaQuery(""),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A"), FormulaQuery("A +"))}, "formulas[1].expression"),
    ({"formulas": (FormulaQuery("C"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("1 + 1"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A ** 9"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A.real"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A(1)"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A if B else 1"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("AB"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A + True"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A + 1e999"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("-" * 60 + "A"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("(" * 300 + "A"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A + " * 200 + "A"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A\0"),)}, "formulas[0].expression"),
    ({"formulas": (FormulaQuery("A", "x" * 201),)}, "formulas[0].label"),
    ({"formulas": (FormulaQuery("A"),) * 11}, "formulas"),
    ({"series": (Series("a", Measure.AVG, "n", per="user"),)}, "series[0].per"),
    ({"series": (Series("a", per="planet"),)}, "series[0].per"),
    ({"series": (Series("a", Measure.WEEKLY_ACTIVE, group_type="planet"),)}, "series[0].group_type"),
    ({"series": (Series("a", Measure.AVG, "n"),), "cumulative": True}, "cumulative"),
    ({"series": (Series("a", per="user"),), "cumulative": True}, "cumulative"),
    ({"cumulative": True, "moving_average": 2}, "moving_average"),
]


@pytest.mark.parametrize(("asked", "field"), BAD)
async def test_what_cannot_be_made_is_refused_by_its_field(
    warehouse: ClickHouseWarehouse, asked: dict[str, Any], field: str
) -> None:
    """Before anything is asked of the warehouse."""
    with pytest.raises(Invalid) as error:
        await trend(new_environment(warehouse), TrendQuery(**({"series": (Series("a"), Series("b"))} | asked)))
    assert error.value.violations[0].field == field


def _actor(of: str) -> Callable[[Fact], str]:
    return (lambda fact: fact.distinct_id) if of == "user" else (lambda fact: fact.groups.get(of, ""))


def _plan(fact: Fact) -> str | None:
    """The property "amount" as text for people; None if missing."""
    amount = fact.properties.get("amount")
    return None if amount is None else amount if isinstance(amount, str) else str(amount).lower().removesuffix(".0")


def _starts(interval: Interval, start: datetime, end: datetime) -> list[datetime]:
    """Where columns begin, worked out hour by hour."""
    hours = [start + timedelta(hours=number) for number in range(int((end - start) / timedelta(hours=1)))]
    local = [hour.astimezone(BERLIN) for hour in hours]
    if interval is Interval.HOUR:
        return hours
    first = [
        hour
        for hour, here in zip(hours, local, strict=True)
        if here.hour == 0 and (interval is Interval.DAY or here.weekday() == 0)
    ]
    return first if first[:1] == [start] else [start, *first]


@examples(8)
@given(
    made=facts(),
    measure=st.sampled_from([*DAYS, Measure.FIRST_TIME, Measure.UNIQUE_USERS]),
    of=st.sampled_from(["user", "company"]),
    interval=st.sampled_from([Interval.HOUR, Interval.DAY, Interval.WEEK]),
    event=st.sampled_from(["", "a"]),
    limit=st.sampled_from([None, 1, 10]),
)
async def test_what_looks_back_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse,
    made: list[Fact],
    measure: Measure,
    of: str,
    interval: Interval,
    event: str,
    limit: int | None,
) -> None:
    """Actives and first times, and unique users as running totals; over the night in which Berlin's clocks change."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    cumulative = measure is Measure.UNIQUE_USERS
    of = "user" if cumulative else of
    breakdown = None if limit is None else Breakdown(("event.amount",), limit)
    group_type = "" if of == "user" else of
    query = TrendQuery(
        (Series(event, measure, group_type=group_type),),
        TimeRange("2026-03-28", "2026-04-01"),
        "Europe/Berlin",
        interval,
        breakdown=breakdown,
        cumulative=cumulative,
    )
    answer = await trend(environment, query)

    actor = _actor(of)
    start, end = (datetime(2026, month, day, tzinfo=BERLIN).astimezone(UTC) for month, day in ((3, 28), (4, 1)))
    matching = [fact for fact in once(made) if event in ("", fact.event) and actor(fact) and fact.timestamp < end]
    if measure is Measure.FIRST_TIME:
        ordered = sorted(matching, key=lambda fact: (fact.timestamp, UUID(fact.uuid).int), reverse=True)
        matching = list({actor(fact): fact for fact in ordered}.values())
        matching = [fact for fact in matching if fact.timestamp >= start]
    inside = [fact for fact in matching if fact.timestamp >= start]

    def part_of(fact: Fact) -> tuple[str, str | None]:
        if limit is None:
            return "all", None
        plan = _plan(fact)
        return ("missing", "") if plan is None else ("value", plan) if plan in top else ("other", "")

    plans = {plan for fact in inside if (plan := _plan(fact)) is not None}
    sizes = {plan: len({actor(fact) for fact in inside if _plan(fact) == plan}) for plan in plans}
    top = sorted(plans, key=lambda plan: (-sizes[plan], plan.encode()))[: limit or 0]
    columns = _starts(interval, start, end)
    assert [column for column in answer.columns if column > start] == [column for column in columns if column > start]
    found = {("all", None) if row.part is None else (row.part.kind.value, row.part.value): row for row in answer.rows}
    for part, row in found.items():
        mine = [fact for fact in matching if part_of(fact) == part]
        assert row.total == len({actor(fact) for fact in mine if fact.timestamp >= start})
        for begin, until, number in zip(columns, [*columns[1:], end], row.values, strict=True):
            assert number == len({actor(fact) for fact in _counted(mine, measure, cumulative, start, begin, until)})
    assert {part_of(fact) for fact in inside} <= set(found)


def _counted(
    mine: Sequence[Fact], measure: Measure, cumulative: bool, start: datetime, begin: datetime, until: datetime
) -> list[Fact]:
    """The events that count in a column."""
    if measure in DAYS:
        since = (until.astimezone(BERLIN) - timedelta(days=DAYS[measure])).astimezone(UTC)
    else:
        since = start if cumulative else begin
    return [fact for fact in mine if since <= fact.timestamp < until]
