"""Answers split by combinations of two or three attributes."""

from collections import defaultdict
from datetime import UTC, datetime
from random import Random

from burgee_server.insights.funnel import FunnelQuery, Step
from burgee_server.insights.trend import Measure, Series, TrendQuery
from burgee_server.insights.words import Breakdown, TimeRange
from burgee_server.ports.warehouse import ProfileRow
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, funnel, trend


async def _fill(environment: Environment) -> None:
    await environment.load(
        Fact("seen", "ann", groups={"company": "acme"}, properties={"os": "mac", "n": 1}),
        Fact("seen", "ann", groups={"company": "acme"}, properties={"os": "mac", "n": 1}),
        Fact("seen", "bob", groups={"company": "acme"}, properties={"os": 'say "hi", you', "n": 2}),
        Fact("seen", "bob", groups={"company": "globex"}, properties={}),
        Fact("seen", "eve"),
    )
    rows = [
        ProfileRow(environment.environment_id, type_, key, {"plan": plan}, 1)
        for type_, key, plan in (("company", "acme", "pro"), ("user", "bob", 7))
    ]
    await environment.warehouse.load_profiles(rows)


async def test_a_combination_is_a_row_of_its_own(environment: Environment) -> None:
    """Of properties of the event, of the company and of the user; one that is missing does not hide the others."""
    await _fill(environment)
    query = TrendQuery((Series("seen"),), MARCH, breakdown=Breakdown(("event.os", "company.plan", "user.plan")))
    rows = {str(row.part): row.total for row in (await trend(environment, query)).rows}
    assert rows == {"mac / pro / ": 2, 'say "hi", you / pro / 7': 1, " /  / 7": 1, "": 1}
    kinds = [[value.kind for value in row.part.values] for row in (await trend(environment, query)).rows if row.part]
    assert ["value", "value", "missing"] in kinds
    assert [] in kinds, "who has none of the attributes is missing, and no combination"


async def test_beyond_the_limit_is_other_whatever_it_is_made_of(environment: Environment) -> None:
    """The greatest combination is shown; all the rest but the missing is counted together, once for each user."""
    await _fill(environment)
    query = TrendQuery((Series("seen"),), MARCH, breakdown=Breakdown(("event.n", "company.key"), 1))
    rows = {(row.part.kind, str(row.part)): row.total for row in (await trend(environment, query)).rows if row.part}
    assert rows == {("combination", "1 / acme"): 2, ("other", ""): 2, ("missing", ""): 1}


async def test_a_funnel_is_split_by_combinations_too(environment: Environment) -> None:
    """Of the attributes at the first step."""
    await _fill(environment)
    query = FunnelQuery((Step("seen"), Step("seen")), MARCH, breakdown=Breakdown(("event.os", "company.plan")))
    rows = {str(row.part): [step.count for step in row.steps] for row in (await funnel(environment, query)).rows}
    assert rows["mac / pro"] == [1, 1]
    assert sum(counts[0] for counts in rows.values()) == 3


async def test_groups_are_ranked_by_their_counts_and_then_by_name(environment: Environment) -> None:
    """By key, and by a property that two of them share: that is one part. Days and totals of "other" add up."""
    companies = ("acme", "acme", "acme", "beta", "beta", "gamma", "gamma", "delta")
    days = (1, 2, 2, 2, 2, 2, 2, 5)
    await environment.load(
        Fact("seen", "eve"),
        *(
            Fact("seen", "eve", datetime(2026, 3, day, tzinfo=UTC), {"company": company})
            for company, day in zip(companies, days, strict=True)
        ),
    )
    plans = {"beta": "pro", "gamma": "free", "delta": "free"}
    await environment.warehouse.load_profiles(
        [ProfileRow(environment.environment_id, "company", key, {"plan": plan}, 1) for key, plan in plans.items()]
    )

    async def rows(attribute: str, limit: int) -> dict[tuple[str, str], tuple[float, float, float]]:
        query = TrendQuery((Series("seen"),), MARCH, breakdown=Breakdown((attribute,), limit))
        answer = (await trend(environment, query)).rows
        return {(row.part.kind, str(row.part)): (row.total, row.values[1], row.values[4]) for row in answer if row.part}

    by_key = await rows("company.key", 2)
    assert by_key.pop(("missing", ""))[0] == 1
    assert by_key == {("value", "acme"): (3, 2, 0), ("value", "beta"): (2, 2, 0), ("other", ""): (3, 2, 1)}
    by_plan = await rows("company.plan", 1)
    assert by_plan.pop(("missing", ""))[0] == 4
    assert by_plan == {("value", "free"): (3, 2, 1), ("other", ""): (2, 2, 0)}


async def test_whoever_was_there_is_counted_once_in_each_part_however_many_parts_and_days_there_are(
    environment: Environment,
) -> None:
    """A bit for each day of each part is gathered where these are few, and who was in which part where they are many.

    An empty text is a value, not a missing one; nobody has two of "other" who has two values that are not shown.
    """
    random = Random(7)
    values = ["", *(f"v{number}" for number in range(40)), None]
    facts = [
        Fact(
            "seen",
            f"user-{random.randrange(25)}",
            datetime(2026, random.randrange(1, 6), random.randrange(1, 29), tzinfo=UTC),
            properties={} if (value := random.choice(values)) is None else {"plan": value},
        )
        for _ in range(1_500)
    ]
    await environment.load(*facts)
    range_ = TimeRange("2026-01-01", "2026-06-01")
    shown = 0
    for limit in (3, 30, 1_000):
        query = TrendQuery((Series("seen", Measure.UNIQUE_USERS),), range_, breakdown=Breakdown(("event.plan",), limit))
        there = defaultdict[str | None, set[str]](set)
        for fact in facts:
            there[fact.properties.get("plan")].add(fact.distinct_id)  # type: ignore[arg-type]
        ranked = sorted((value for value in there if value is not None), key=lambda value: (-len(there[value]), value))
        expected = defaultdict[tuple[str, str], list[set[str]]](lambda: [set() for _ in range(152)])
        for fact in facts:
            value = fact.properties.get("plan")
            part = ("missing", "") if value is None else ("value", value) if value in ranked[:limit] else ("other", "")
            for column in (fact.timestamp - datetime(2026, 1, 1, tzinfo=UTC)).days, 151:
                expected[part][column].add(fact.distinct_id)  # type: ignore[index]
        rows = (await trend(environment, query)).rows
        found = {(row.part.kind, row.part.value): [*row.values, row.total] for row in rows if row.part}
        assert found == {part: [len(each) for each in columns] for part, columns in expected.items()}
        shown += len(found)
    assert shown == 5 + 32 + 42
