"""How the tests ask an insight."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from burgee_server.insights.asked import Answer, Asked, Plan, Terms
from burgee_server.insights.funnel import Funnel, FunnelQuery, plan_funnel
from burgee_server.insights.trend import Trend, TrendQuery, plan_trend
from burgee_server.insights.words import TimeRange
from burgee_server.ports.vocabulary import Vocabulary
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Environment

AnswerT = TypeVar("AnswerT", bound=Answer)

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
MARCH = TimeRange("2026-03-01", "2026-04-01")
GROUP_TYPES = frozenset({"company", "team"})


class FixedClock:
    """Always NOW."""

    def now(self) -> datetime:
        return NOW


async def ask(
    environment: Environment,
    plan: Callable[[Any, Asked], Plan[AnswerT]],
    query: Any,
    vocabulary: Vocabulary | None = None,
    members: Mapping[str, Collection[str]] | None = None,
) -> AnswerT:
    """Ask an environment that has seen GROUP_TYPES, and has named what the vocabulary says.

    `members` are those of listed cohorts.
    """
    asked = insights(environment.warehouse, FixedClock(), vocabulary, members)
    return (await asked.ask(plan, query, Terms(environment.environment_id, GROUP_TYPES))).answer


async def trend(environment: Environment, query: TrendQuery) -> Trend:
    """Ask for a trend."""
    return await ask(environment, plan_trend, query)


async def funnel(environment: Environment, query: FunnelQuery) -> Funnel:
    """Ask for a funnel."""
    return await ask(environment, plan_funnel, query)
