"""Flag checks are told as events, and are nothing that anybody does: no question about any event sees them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from burgee_server.insights.features import Feature, FeaturesQuery, plan_features
from burgee_server.insights.funnel import (
    FunnelCorrelationQuery,
    FunnelQuery,
    Order,
    Step,
    plan_funnel,
    plan_funnel_correlation,
)
from burgee_server.insights.lifecycle import LifecycleQuery, plan_lifecycle
from burgee_server.insights.paths import PathsQuery, plan_paths
from burgee_server.insights.retention import RetentionQuery, plan_retention
from burgee_server.insights.stickiness import StickinessQuery, plan_stickiness
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Happening
from burgee_server.ports.criteria import Between, Comparison, Events, InOrder, Performed
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.vocabulary import cohort, with_cohorts
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, ask, trend

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CHECK = "$feature_flag_called"
DONE = [
    Fact(name, who, START + timedelta(days=day, minutes=minute), {"company": company})
    for who, company in (("ann", "acme"), ("bob", "bolt"), ("eve", "acme"))
    for day in (0, 1, 8)
    for minute, name in enumerate(("open", "edit", "save")[: len(who) - day % 2])
]
CHECKS = [
    Fact(CHECK, who, START + timedelta(days=day, minutes=0.5), {"company": company})
    for who, company in (("ann", "acme"), ("bob", "bolt"), ("$company_fern", "fern"))
    for day in (-1, 0, 1, 3, 8, 20)
]
WHOLE = Between("2026-03-01", "2026-04-01")
COHORTS = with_cohorts(
    cohort("busy", Performed(Events(), Comparison.AT_LEAST, 10, WHOLE), of="company"),
    cohort("after", InOrder((Events("open"), Events()), timedelta(seconds=45), WHOLE)),
)
STEPS = (Step("open"), Step("edit"), Step("save"))
QUESTIONS: dict[str, tuple[Any, Any]] = {
    "trend": (plan_trend, TrendQuery((Series(), Series(measure=Measure.FIRST_TIME)), MARCH)),
    "trend by company": (plan_trend, TrendQuery((Series(),), MARCH, breakdown=Breakdown(("company.key",)))),
    "active in 7 days": (plan_trend, TrendQuery((Series(measure=Measure.WEEKLY_ACTIVE),), MARCH)),
    "strict funnel": (plan_funnel, FunnelQuery(STEPS, MARCH, order=Order.STRICT)),
    "funnel of any": (plan_funnel, FunnelQuery((Step("open"), Step()), MARCH, window=timedelta(seconds=45))),
    "correlation": (plan_funnel_correlation, FunnelCorrelationQuery(FunnelQuery(STEPS[::2], MARCH), least=1)),
    "retention": (plan_retention, RetentionQuery(range=MARCH, count_by="company")),
    "lifecycle": (plan_lifecycle, LifecycleQuery(range=MARCH, count_by="company")),
    "stickiness": (plan_stickiness, StickinessQuery(range=MARCH)),
    "paths": (plan_paths, PathsQuery(range=MARCH)),
    "features": (plan_features, FeaturesQuery((Feature(Happening("edit")),), MARCH, group_type="company")),
    "cohort": (plan_trend, TrendQuery((Series("open"),), MARCH, breakdown=Breakdown(("company.$cohort/busy",)))),
    "cohort in order": (plan_trend, TrendQuery((Series("open"),), MARCH, breakdown=Breakdown(("user.$cohort/after",)))),
}


async def load(warehouse: ClickHouseWarehouse, *facts: Fact) -> Environment:
    """An environment with these events."""
    environment = new_environment(warehouse)
    await environment.load(*facts)
    return environment


@pytest.mark.parametrize("name", QUESTIONS)
async def test_an_answer_is_the_same_with_and_without_flag_checks(warehouse: ClickHouseWarehouse, name: str) -> None:
    """Of whoever only had a flag checked, before, between and after what was done."""
    plan, query = QUESTIONS[name]
    answers = []
    for facts in (DONE, DONE + CHECKS):
        environment = await load(warehouse, *facts)
        answers.append(replace(await ask(environment, plan, query, COHORTS), info=None))
    assert answers[0] == answers[1]


async def test_a_question_that_names_flag_checks_sees_them(warehouse: ClickHouseWarehouse) -> None:
    """As a series, as a step of a strict funnel, and as where a path begins."""
    environment = await load(warehouse, *DONE, *CHECKS)
    counted, anything = (await trend(environment, TrendQuery((Series(CHECK), Series()), MARCH))).rows
    assert (counted.total, anything.total) == (len(CHECKS), len(DONE))
    between = FunnelQuery((Step("open"), Step(CHECK), Step("edit")), MARCH, order=Order.STRICT)
    assert [step.count for step in (await ask(environment, plan_funnel, between)).rows[0].steps] == [3, 2, 2]
    ways = await ask(environment, plan_paths, PathsQuery(range=MARCH, start_event=Happening(CHECK)))
    assert (1, CHECK, "edit") in {(edge.step, edge.source, edge.target) for edge in ways.edges}
