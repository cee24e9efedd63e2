"""Questions about persons with several ids, against the same questions about events that name each by one id."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import USER, Condition, Operator
from burgee_server.insights.funnel import FunnelQuery, Step
from burgee_server.insights.trend import Measure, Series, TrendQuery
from burgee_server.insights.words import Breakdown
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Fact, new_environment
from tests.unit.insights.asking import MARCH, ask, plan_funnel, plan_trend
from tests.unit.insights.facts import facts

SERIES = (
    Series(measure=Measure.UNIQUE_USERS),
    Series(filter=Condition("user.key", Operator.IN, ("ann", "nobody"))),
    Series(filter=Condition("user.key", Operator.NOT_EQUALS, ("bob",))),
    Series(filter=Condition("user.plan", Operator.EQUALS, ("pro",))),
)
QUESTIONS = (
    (plan_trend, TrendQuery(SERIES, MARCH)),
    (plan_trend, TrendQuery(SERIES[:1], MARCH, breakdown=Breakdown(("user.key",)))),
    (plan_trend, TrendQuery(SERIES[:1], MARCH, breakdown=Breakdown(("user.plan", "company.key")))),
    (plan_funnel, FunnelQuery((Step("a"), Step("b")), MARCH, breakdown=Breakdown(("user.key",)))),
)


@examples(3)
@given(made=facts(), whose=st.fixed_dictionaries({"bob": st.sampled_from(["bob", "eve"]), "ann": st.just("eve")}))
async def test_whoever_has_several_ids_is_one_person(
    warehouse: ClickHouseWarehouse, made: list[Fact], whose: dict[str, str]
) -> None:
    """Trends, breakdowns, filters and funnels; ids in filters stand for whoever has them."""
    merged, plain, other = (new_environment(warehouse) for _ in range(3))
    await merged.load(*made)
    await plain.load(*(replace(fact, distinct_id=whose.get(fact.distinct_id, fact.distinct_id)) for fact in made))
    await warehouse.load_profiles(
        [ProfileRow(each.environment_id, USER, "eve", {"plan": "pro"}, 9) for each in (merged, plain)]
        + [
            ProfileRow(merged.environment_id, USER, alias, {}, revision, person)
            for revision, (alias, person) in enumerate(whose.items(), 1)
        ]
        + [ProfileRow(other.environment_id, USER, "eve", {}, 9, "somebody else")]
    )
    for plan, query in QUESTIONS:
        expected = await ask(plain, plan, _named(query, whose))
        assert (await ask(merged, plan, query, Vocabulary(has_aliases=True))).rows == expected.rows


def _named(query: TrendQuery | FunnelQuery, whose: dict[str, str]) -> TrendQuery | FunnelQuery:
    """The question with every id replaced by the one that stands for the person."""
    if isinstance(query, FunnelQuery):
        return query
    renamed = [
        replace(series, filter=replace(series.filter, values=tuple(whose.get(v, v) for v in series.filter.values)))
        if isinstance(series.filter, Condition)
        else series
        for series in query.series
    ]
    return replace(query, series=tuple(renamed))
