"""A question that cannot be answered is refused with the path of what is wrong in it."""

from datetime import timedelta
from typing import Any

import pytest

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator
from burgee_server.errors import BurgeeError, Invalid
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.insights import MAX_ANSWER_BYTES
from burgee_server.insights.paths import PathGroup, PathsQuery, plan_paths
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Interval, TimeRange
from burgee_server.ports.warehouse import Answer, BadPattern, Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.property_columns import PropertyColumns
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, ask, funnel, trend

PLAN = Condition("user.plan", Operator.EQUALS, ("pro",))
LONG = "x" * 201


def deep(levels: int) -> Filter:
    """A filter of that depth."""
    return PLAN if levels == 1 else Not(deep(levels - 1))


BAD_FILTERS: list[tuple[Filter, str]] = [
    (Condition("plan", Operator.IS_SET), ".condition.attribute"),
    (Condition("", Operator.IS_SET), ".condition.attribute"),
    (Condition("event.", Operator.IS_SET), ".condition.attribute"),
    (Condition(".x", Operator.IS_SET), ".condition.attribute"),
    (Condition("planet.key", Operator.IS_SET), ".condition.attribute"),
    (Condition(f"event.{LONG}", Operator.IS_SET), ".condition.attribute"),
    (Condition("event.x", Operator.IS_SET, ("y",)), ".condition.values"),
    (Condition("event.x", Operator.EQUALS), ".condition.values"),
    (Condition("event.x", Operator.EQUALS, ("y", "z")), ".condition.values"),
    (Condition("event.x", Operator.EQUALS, (None,)), ".condition.values[0]"),
    (Condition("event.x", Operator.IN, ("y", ["z"])), ".condition.values[1]"),
    (Condition("event.x", Operator.GT, ("5",)), ".condition.values[0]"),
    (Condition("event.x", Operator.STARTS_WITH, ("y", 5)), ".condition.values[1]"),
    (Condition("event.x", Operator.MATCHES, ("(",)), ".condition.values[0]"),
    (Condition("event.x", Operator.AFTER, ("soon",)), ".condition.values[0]"),
    (Condition("event.x", Operator.SEMVER_GT, ("v1",)), ".condition.values[0]"),
    (Condition("event.x", Operator.EQUALS, ("y" * 1001,)), ".condition.values[0]"),
    (Condition("event.x", Operator.IN, ("y",) * 1001), ".condition.values"),
    (AllOf(()), ".all.filters"),
    (Not(AnyOf((PLAN, Condition("x", Operator.IS_SET)))), ".not.any.filters[1].condition.attribute"),
    (AllOf((PLAN, AllOf((Condition("x", Operator.IS_SET),)))), ".all.filters[1].all.filters[0].condition.attribute"),
    (deep(11), ".not" * 10),
    (AnyOf((PLAN,) * 201), ".any.filters[200].condition"),
]

BAD_TRENDS: list[tuple[TrendQuery, str]] = [
    (TrendQuery(()), "series"),
    (TrendQuery((Series(),) * 21), "series"),
    (TrendQuery((Series(), Series(LONG))), "series[1].event"),
    (TrendQuery((Series(label=LONG),)), "series[0].label"),
    (TrendQuery((Series(measure=Measure.SUM),)), "series[0].property"),
    (TrendQuery((Series(measure=Measure.P99, property=LONG),)), "series[0].property"),
    (TrendQuery((Series(measure=Measure.UNIQUE_GROUPS),)), "series[0].group_type"),
    (TrendQuery((Series(measure=Measure.UNIQUE_GROUPS, group_type="user"),)), "series[0].group_type"),
    (TrendQuery((Series(),), breakdown=Breakdown(("plan",))), "breakdown.attributes[0]"),
    (TrendQuery((Series(),), breakdown=Breakdown(("planet.key",))), "breakdown.attributes[0]"),
    (TrendQuery((Series(),), breakdown=Breakdown(("user.key",), 1001)), "breakdown.limit"),
    (TrendQuery((Series(),), time_zone="Nowhere"), "time_zone"),
    (TrendQuery((Series(),), TimeRange("now", "-1d")), "range"),
    (TrendQuery((Series(),), TimeRange("-9y"), interval=Interval.HOUR), "interval"),
]

BAD_FUNNELS: list[tuple[FunnelQuery, str]] = [
    (FunnelQuery((Step("a"),)), "steps"),
    (FunnelQuery((Step("a"),) * 21), "steps"),
    (FunnelQuery((Step("a"), Step(LONG))), "steps[1].event"),
    (FunnelQuery((Step("a"), Step(label=LONG))), "steps[1].label"),
    (FunnelQuery((Step("a"), Step("b")), window=timedelta(0)), "window"),
    (FunnelQuery((Step("a"), Step("b")), window=timedelta(days=-1)), "window"),
    (FunnelQuery((Step("a"), Step("b")), count_by="event"), "count_by"),
    (FunnelQuery((Step("a"), Step("b")), count_by="planet"), "count_by"),
    (FunnelQuery((Step("a"), Step("b")), breakdown=Breakdown(("planet.x",))), "breakdown.attributes[0]"),
    (FunnelQuery((Step("a"), Step("b")), TimeRange("x")), "range.start"),
]


async def field_of(warehouse: ClickHouseWarehouse, query: TrendQuery | FunnelQuery) -> str:
    """The field that a question is refused for."""
    plan: Any = plan_trend if isinstance(query, TrendQuery) else plan_funnel
    with pytest.raises(Invalid) as error:
        await ask(Environment(warehouse, 1), plan, query)
    return error.value.violations[0].field


@pytest.mark.parametrize(("filter_", "path"), BAD_FILTERS)
async def test_a_bad_filter_is_refused_wherever_it_stands(
    warehouse: ClickHouseWarehouse, filter_: Filter, path: str
) -> None:
    """In a question, in a series and in a step."""
    assert await field_of(warehouse, TrendQuery((Series(),), filter=filter_)) == f"filter{path}"
    assert await field_of(warehouse, TrendQuery((Series(), Series(filter=filter_)))) == f"series[1].filter{path}"
    steps = (Step("a"), Step("b", filter=filter_))
    assert await field_of(warehouse, FunnelQuery(steps)) == f"steps[1].filter{path}"


@pytest.mark.parametrize(("query", "field"), [*BAD_TRENDS, *BAD_FUNNELS])
async def test_a_bad_question_is_refused(
    warehouse: ClickHouseWarehouse, query: TrendQuery | FunnelQuery, field: str
) -> None:
    """Before anything is asked of the warehouse."""
    assert await field_of(warehouse, query) == field


@pytest.mark.parametrize(
    "count", [pytest.param(2, id="two of each"), pytest.param(20, id="as many as may be", marks=pytest.mark.soak)]
)
async def test_the_greatest_question_allowed_is_answered(warehouse: ClickHouseWarehouse, count: int) -> None:
    """Twenty series, a deep and wide filter, the longest texts and the most columns pass the engine's own limits."""
    wide = AnyOf(tuple(Condition(f"company.p{n}", Operator.CONTAINS, ("y" * 1000,)) for n in range(150)))
    in_many = Condition("event.x", Operator.IN, tuple(f"{n}" * 100 for n in range(1000)))
    filter_ = AllOf((wide, in_many, deep(9)))
    query = TrendQuery((Series(filter=filter_),) * count, TimeRange("-416d"), interval=Interval.HOUR)
    answer = await trend(Environment(warehouse, 1), query)
    assert [row.total for row in answer.rows] == [0] * count
    steps = tuple(Step("a", filter=deep(9)) for _ in range(count))
    counted = await funnel(Environment(warehouse, 1), FunnelQuery(steps, filter=wide))
    assert [step.count for step in counted.rows[0].steps] == [0] * count


async def test_a_pattern_that_the_engine_finds_too_large_is_named(environment: Environment) -> None:
    """Of several, in a filter and among the groups of paths, by its field."""
    await environment.load(Fact("a", properties={"x": "abc"}))
    small, large = "^a", "\\pL{500}"
    filter_ = AnyOf(tuple(Condition("event.x", Operator.MATCHES, (each,)) for each in ("^z", large)))
    query = TrendQuery(
        (Series("a", filter=Condition("event.x", Operator.MATCHES, (small,))), Series("a", filter=filter_)), MARCH
    )
    beginning = TrendQuery(
        tuple(Series("a", filter=Condition("event.x", Operator.MATCHES, (each,))) for each in ("\\pL", large)), MARCH
    )
    groups = (PathGroup("^z", "z"), PathGroup(large, "large"))
    for plan, asked, field in (
        (plan_trend, query, "series[1].filter.any.filters[1].condition.values[0]"),
        (plan_trend, beginning, "series[1].filter.condition.values[0]"),
        (plan_paths, PathsQuery(groups=groups, range=MARCH), "groups[1].pattern"),
    ):
        with pytest.raises(Invalid) as error:
            await ask(environment, plan, asked)
        assert [each.field for each in error.value.violations] == [field]


async def test_an_answer_has_so_many_bytes_however_many_statements_it_takes(environment: Environment) -> None:
    """Each may hand over its share, and texts of any length are cut off by no one else."""

    class Watched(FailingWarehouse):
        largest = 0

        async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
            self.largest += statement.largest_bytes
            return await environment.warehouse.query(statement, timeout)

    watched = Watched(BurgeeError())
    await trend(Environment(watched, environment.environment_id), TrendQuery((Series(),) * 3, MARCH))
    assert MAX_ANSWER_BYTES - 3 < watched.largest <= MAX_ANSWER_BYTES


class FailingWarehouse(ClickHouseWarehouse):
    """Fails in a way that is told."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.group_columns = ()
        self._property_columns = PropertyColumns(Layout(), frozenset(), frozenset())

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        raise self._error


async def test_a_pattern_that_only_the_engine_refuses_is_the_callers(warehouse: ClickHouseWarehouse) -> None:
    """It is reported as a bad filter, and any other failure as what it is."""
    assert await field_of(FailingWarehouse(BadPattern("too large")), TrendQuery((Series(),))) == "filter"
    with pytest.raises(BurgeeError, match="given up"):
        await trend(Environment(FailingWarehouse(BurgeeError("given up")), 1), TrendQuery((Series(),) * 2))
