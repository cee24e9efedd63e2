"""Trends against golden cases, and against plain Python over made-up events."""

import json
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.trend import Measure, Series, TrendQuery
from burgee_server.insights.words import Breakdown, Interval, Part, PartKind, TimeRange
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, trend
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import by, measured, numbers, once

LOOKING_BACK = {Measure.WEEKLY_ACTIVE, Measure.MONTHLY_ACTIVE, Measure.FIRST_TIME}
OTHER, MISSING = Part(PartKind.OTHER), Part(PartKind.MISSING)


def day(number: int) -> datetime:
    """Noon of a day in March."""
    return datetime(2026, 3, number, 12, tzinfo=UTC)


def value(text: str) -> Part:
    """A part of a breakdown."""
    return Part(PartKind.VALUE, text)


async def test_unique_users_of_the_range_are_not_the_sum_of_the_days(environment: Environment) -> None:
    """Ann on two days is one user; days without events are there with 0."""
    await environment.load(Fact(timestamp=day(1)), Fact(timestamp=day(3)), Fact(distinct_id="bob", timestamp=day(3)))
    query = TrendQuery((Series(measure=Measure.UNIQUE_USERS),), TimeRange("2026-03-01", "2026-03-05"))
    answer = await trend(environment, query)
    [row] = answer.rows
    assert (row.values, row.total, row.part) == ((1, 0, 2, 0), 2, None)
    assert answer.columns == tuple(datetime(2026, 3, number, tzinfo=UTC) for number in range(1, 5))


async def test_without_events_counts_are_0_and_averages_are_nan(environment: Environment) -> None:
    """A line for every series, whatever there is."""
    series = tuple(
        Series(measure=measure, property="amount", group_type="company", label=measure.value) for measure in Measure
    )
    assert len(series) == 14
    for row in (await trend(environment, TrendQuery(series, MARCH))).rows:
        of_numbers = Measure(row.label).value in {"avg", "min", "max", "median", "p90", "p95", "p99"}
        assert len(row.values) == 31
        assert all(math.isnan(number) if of_numbers else number == 0 for number in (*row.values, row.total))


async def test_other_is_counted_and_not_added_up(environment: Environment) -> None:
    """One user with two of the lesser values is one user in "other"; no value is no "other"."""
    plans = [("ann", "pro"), ("bob", "pro"), ("eve", "x"), ("eve", "y"), ("joe", None), ("ann", "z")]
    await environment.load(
        *(Fact(distinct_id=name, timestamp=day(2), properties={"plan": plan} if plan else {}) for name, plan in plans)
    )
    query = TrendQuery((Series(measure=Measure.UNIQUE_USERS),), MARCH, breakdown=Breakdown(("event.plan",), 2))
    rows = [(row.part, row.total) for row in (await trend(environment, query)).rows]
    assert rows == [(value("pro"), 2), (MISSING, 1), (value("x"), 1), (OTHER, 2)]


async def test_the_first_series_chooses_the_values_of_all(environment: Environment) -> None:
    """By its own measure, event and filter; each series then has its own numbers and its own "other"."""
    for event, plan, users in (("a", "pro", 2), ("a", "free", 1), ("b", "free", 3), ("b", "pro", 1), ("c", "gold", 9)):
        await environment.load(*(Fact(event, f"u{number}", properties={"plan": plan}) for number in range(users)))
    not_gold = Condition("event.plan", Operator.NOT_EQUALS, ("gold",))
    series = (Series("a", Measure.UNIQUE_USERS), Series("b"), Series(filter=not_gold))
    answer = await trend(environment, TrendQuery(series, MARCH, breakdown=Breakdown(("event.plan",), 1)))
    assert [(row.series, row.part, row.total) for row in answer.rows] == [
        (0, value("pro"), 2),
        (0, OTHER, 1),
        (1, value("pro"), 1),
        (1, OTHER, 3),
        (2, value("pro"), 3),
        (2, OTHER, 4),
    ]


async def test_of_values_with_the_same_total_the_first_by_name_are_shown(environment: Environment) -> None:
    """The same question twice has the same answer."""
    await environment.load(*(Fact(properties={"plan": f"p{number:02}"}) for number in reversed(range(40))))
    query = TrendQuery((Series(),), MARCH, breakdown=Breakdown(("event.plan",), 3))
    rows = [(row.part, row.total) for row in (await trend(environment, query)).rows]
    assert rows == [(value("p00"), 1), (value("p01"), 1), (value("p02"), 1), (OTHER, 37)]


async def test_a_breakdown_by_profile_goes_by_what_the_profile_is_now(environment: Environment) -> None:
    """Properties of users and of groups; who has no profile, no such property or no group is missing."""
    await environment.load(
        Fact(distinct_id="ann", groups={"company": "acme"}),
        Fact(distinct_id="bob", groups={"company": "globex"}),
        Fact(distinct_id="eve"),
    )
    mine = environment.environment_id
    await environment.warehouse.load_profiles(
        [
            ProfileRow(mine, "user", "ann", {"role": "admin"}, 1),
            ProfileRow(mine, "user", "bob", {"seats": 3}, 2),
            ProfileRow(mine, "company", "acme", {"role": "old"}, 3),
            ProfileRow(mine, "company", "acme", {"role": 7}, 4),
            ProfileRow(mine, "team", "globex", {"role": "not a company"}, 5),
        ]
    )
    for attribute, expected in (
        ("user.role", {value("admin"): 1, MISSING: 2}),
        ("company.role", {value("7"): 1, MISSING: 2}),
        ("company.key", {value("acme"): 1, value("globex"): 1, MISSING: 1}),
        ("user.key", {value("ann"): 1, value("bob"): 1, value("eve"): 1}),
    ):
        answer = await trend(environment, TrendQuery((Series(),), MARCH, breakdown=Breakdown((attribute,))))
        assert {row.part: row.total for row in answer.rows} == expected


async def test_only_events_inside_the_range_count(environment: Environment) -> None:
    """The first moment is inside, the end is not, though their week's column is wider."""
    edges = [datetime(2026, 3, 4, 23, 59, 59, 999_999, UTC), datetime(2026, 3, 5, tzinfo=UTC)]
    edges += [datetime(2026, 3, 10, 23, 59, 59, 999_999, UTC), datetime(2026, 3, 11, tzinfo=UTC)]
    await environment.load(*(Fact(timestamp=edge) for edge in edges))
    query = TrendQuery((Series(),), TimeRange("2026-03-05", "2026-03-11"), interval=Interval.WEEK)
    [row] = (await trend(environment, query)).rows
    assert (row.values, row.total) == ((1, 1), 2)


async def test_series_are_told_apart(environment: Environment) -> None:
    """Each with its event, filter and label, in the order of the request."""
    await environment.load(
        Fact("a", properties={"amount": 2}), Fact("a", properties={"amount": 5}), Fact("b", groups={"company": "acme"})
    )
    series = (
        Series("b", Measure.UNIQUE_GROUPS, group_type="company"),
        Series("a", Measure.SUM, "amount", label="spent"),
        Series("a", filter=Condition("event.amount", Operator.GT, (2,))),
        Series(),
    )
    rows = (await trend(environment, TrendQuery(series, MARCH))).rows
    assert [(row.series, row.label, row.total) for row in rows] == [
        (0, "b", 1),
        (1, "spent", 7),
        (2, "a", 1),
        (3, "", 3),
    ]


async def test_one_environment_never_sees_another(warehouse: ClickHouseWarehouse) -> None:
    """Events, users' properties and groups' properties of another environment change nothing."""
    mine, other = new_environment(warehouse), new_environment(warehouse)
    await mine.load(Fact(groups={"company": "acme"}))
    await other.load(*(Fact(groups={"company": "acme"}) for _ in range(3)))
    await warehouse.load_profiles(
        [
            ProfileRow(other.environment_id, type_, key, {"plan": "pro"}, 1)
            for type_, key in (("user", "ann"), ("company", "acme"))
        ]
    )
    for owner in ("user", "company"):
        is_pro = Condition(f"{owner}.plan", Operator.EQUALS, ("pro",))
        query = TrendQuery((Series(), Series(filter=is_pro)), MARCH, breakdown=Breakdown((f"{owner}.plan",)))
        assert [(row.part, row.total) for row in (await trend(mine, query)).rows] == [(MISSING, 1)]
        assert [row.total for row in (await trend(other, query)).rows] == [3, 3]


def rendered(fact: Fact) -> str | None:
    """How the property "pl.an" is shown: text as it is, else JSON."""
    plan = fact.properties.get("pl.an")
    if plan is None or isinstance(plan, str):
        return plan
    return json.dumps(int(plan) if isinstance(plan, float) else plan, separators=(",", ":"))


def same(left: float, right: float) -> bool:
    """Equal up to rounding; NaN is NaN."""
    return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-12)


@examples(8)
@given(
    made=facts(),
    measure=st.sampled_from([measure for measure in Measure if measure not in LOOKING_BACK]),
    interval=st.sampled_from(Interval),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    event=st.sampled_from(["", "a"]),
    limit=st.sampled_from([None, 1, 2, 10]),
)
async def test_a_trend_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse,
    made: list[Fact],
    measure: Measure,
    interval: Interval,
    zone: str,
    event: str,
    limit: int | None,
) -> None:
    """Every measure, over duplicates, mixed types, changing clocks, and with and without a breakdown."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    name = "company" if measure is Measure.UNIQUE_GROUPS else "amount"
    series = Series(event, measure, property="amount", group_type="company")
    breakdown = None if limit is None else Breakdown(("event.pl.an",), limit)
    query = TrendQuery((series,), MARCH, zone, interval, breakdown=breakdown)
    answer = await trend(environment, query)

    start, end = (datetime(2026, month, 1, tzinfo=ZoneInfo(zone)) for month in (3, 4))
    inside = [fact for fact in once(made) if start <= fact.timestamp < end and event in ("", fact.event)]
    parts: dict[Part | None, list[Fact]] = {None: inside}
    if limit is not None:
        parts = _split(inside, measure, name, limit)
    assert {row.part for row in answer.rows} == set(parts)
    for row in answer.rows:
        assert same(row.total, measured(parts[row.part], measure, name))
        for column, following, number in zip(answer.columns, [*answer.columns[1:], end], row.values, strict=True):
            there = [fact for fact in parts[row.part] if column <= fact.timestamp < following]
            assert same(number, measured(there, measure, name))
    sizes = [row.total for row in answer.rows if row.part != OTHER]
    assert sizes == sorted(sizes, reverse=True)
    assert OTHER not in [row.part for row in answer.rows[:-1]]


def _split(inside: list[Fact], measure: Measure, name: str, limit: int) -> dict[Part | None, list[Fact]]:
    if measure is Measure.UNIQUE_GROUPS:
        inside = [fact for fact in inside if name in fact.groups]
    elif measure not in {Measure.TOTAL, Measure.UNIQUE_USERS}:
        inside = [fact for fact in inside if numbers([fact], name)]
    values = by(inside, rendered)
    missing = values.pop(None, [])
    ranked = sorted(values, key=lambda text: (-measured(values[text], measure, name), text.encode()))
    parts: dict[Part | None, list[Fact]] = {value(text): values[text] for text in ranked[:limit]}
    others = [fact for text in ranked[limit:] for fact in values[text]]
    return parts | ({OTHER: others} if others else {}) | ({MISSING: missing} if missing else {})


@pytest.mark.parametrize("name", ["a.b", "it's", "`", "\\", "%s", "{p:String}", "x\n--", "日本", "a.:Int64", "^"])
async def test_any_property_name_can_be_summed_and_split_by(environment: Environment, name: str) -> None:
    """A name is data, in a measure, in a filter, in a breakdown, and as a group type."""
    await environment.load(Fact(properties={name: 3}), Fact(properties={name: 4, "other": 1}))
    series = Series(measure=Measure.SUM, property=name, filter=Condition(f"event.{name}", Operator.GT, (3,)))
    query = TrendQuery((series,), MARCH, breakdown=Breakdown((f"event.{name}",)))
    assert [(row.part, row.total) for row in (await trend(environment, query)).rows] == [(value("4"), 4)]
