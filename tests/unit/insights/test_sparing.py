"""A question that is refused for want of memory is asked in a way that needs less, and has the same answer."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burgee_server.errors import BurgeeError, Overloaded
from burgee_server.insights.asked import Asked, Plan, Terms
from burgee_server.insights.funnel import Attribution, FunnelQuery, Step, plan_funnel
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown
from burgee_server.ports.warehouse import Answer, ShortOfMemory, Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.vocabulary import AT, insights
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import GROUP_TYPES, MARCH, FixedClock, ask

_USERS = Series(measure=Measure.UNIQUE_USERS)
_COMPANIES = Series(measure=Measure.UNIQUE_GROUPS, group_type="company")


@dataclass
class Small:
    """A warehouse that refuses statements with what takes much memory: a bit for each column of each part, say."""

    warehouse: ClickHouseWarehouse
    refusal: BurgeeError = field(default_factory=lambda: ShortOfMemory("too much", retry_after=5))
    asked: list[bool] = field(default_factory=list)
    costly: str = "groupBitOrResample"
    group_columns: frozenset[str] = frozenset()
    property_columns: frozenset[str] = frozenset()

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        is_costly = self.costly in statement.sql
        if "FINAL" in statement.sql:  # and not a look at which properties there are
            self.asked.append(is_costly)
        if is_costly:
            raise self.refusal
        return await self.warehouse.query(statement, timeout)


def _sparing(query: TrendQuery, asked: Asked) -> Plan[Any]:
    return plan_trend(query, replace(asked, sparing=True))


async def _total(small: Small, environment: Environment, series: Series) -> float:
    """Of all who have a plan."""
    asking = insights(small, FixedClock())  # type: ignore[arg-type]
    query = TrendQuery((series,), MARCH, breakdown=Breakdown(("event.plan",)))
    [row] = (await asking.ask(plan_trend, query, Terms(environment.environment_id, GROUP_TYPES))).answer.rows
    return row.total


async def test_a_question_that_is_refused_is_asked_in_another_way(environment: Environment) -> None:
    """Once; and what can be asked in one way only is refused, as is an answer that would be too large."""
    pro = {"plan": "pro"}
    await environment.load(*(Fact(distinct_id=who, properties=pro) for who in ("ann", "bob", "ann")))
    small = Small(environment.warehouse)
    assert await _total(small, environment, _USERS) == 2
    assert small.asked == [True, False]
    in_one_way = Small(environment.warehouse, costly="uniqExact")
    with pytest.raises(ShortOfMemory):
        await _total(in_one_way, environment, Series(per="user"))
    assert in_one_way.asked == [True]

    large = Small(environment.warehouse, Overloaded("too large", retry_after=5))
    with pytest.raises(Overloaded):
        await _total(large, environment, _USERS)
    assert large.asked == [True]


async def test_a_split_funnel_does_not_need_room_for_all_events_of_a_company(environment: Environment) -> None:
    """Those of one user are sorted in one row where there is room, and those of a company, which has many, never."""
    steps = Step("viewed"), Step("signed")
    await environment.load(
        *(
            Fact(step.event, timestamp=at, groups={"company": "acme"}, properties={"plan": plan})
            for plan in ("pro", "free")
            for at, step in zip((AT, AT + timedelta(minutes=1)), steps, strict=True)
        )
    )
    for count_by, asked in (("user", [True, False]), ("company", [False])):
        small = Small(environment.warehouse, costly="arraySplit")
        query = FunnelQuery(
            steps, MARCH, count_by=count_by, breakdown=Breakdown(("event.plan",)), attribution=Attribution.ALL_STEPS
        )
        asking = insights(small, FixedClock())  # type: ignore[arg-type]
        rows = (await asking.ask(plan_funnel, query, Terms(environment.environment_id, GROUP_TYPES))).answer.rows
        assert [[step.count for step in row.steps] for row in rows] == [[1, 1], [1, 1]]
        assert small.asked[: len(asked)] == asked


_MOMENTS = st.builds(lambda hours: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours), st.integers(0, 80))
_FACTS = st.lists(
    st.builds(
        lambda at, who, company, plan: Fact(
            timestamp=at,
            distinct_id=who,
            groups={"company": company} if company else {},
            properties={"plan": plan} if plan else {},
        ),
        _MOMENTS,
        st.sampled_from("abc"),
        st.sampled_from(["", "acme", "globex"]),
        st.sampled_from(["", "pro", "free", "team"]),
    ),
    max_size=20,
)


@settings(max_examples=15, deadline=None)
@given(_FACTS, st.sampled_from([_USERS, _COMPANIES]), st.sampled_from([None, Breakdown(("event.plan",), 1)]))
async def test_the_other_way_has_the_same_answer(
    warehouse: ClickHouseWarehouse, facts: list[Fact], series: Series, breakdown: Breakdown | None
) -> None:
    """By day, split or not, users and companies, with those who lack what is asked for."""
    environment = new_environment(warehouse)
    await environment.load(Fact("other", timestamp=datetime(2026, 2, 1, tzinfo=UTC)), *facts)
    query = TrendQuery((series,), MARCH, breakdown=breakdown)
    assert (await ask(environment, plan_trend, query)).rows == (await ask(environment, _sparing, query)).rows
