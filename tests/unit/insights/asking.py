"""How the tests ask an insight."""

from datetime import UTC, datetime

from burgee_server.insights import Insights
from burgee_server.insights.model import Funnel, FunnelQuery, TimeRange, Trend, TrendQuery
from tests.fixtures.warehouse import Environment

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
MARCH = TimeRange("2026-03-01", "2026-04-01")
GROUP_TYPES = frozenset({"company", "team"})


class FixedClock:
    """Always NOW."""

    def now(self) -> datetime:
        return NOW


async def trend(environment: Environment, query: TrendQuery) -> Trend:
    """Ask for a trend of an environment that has seen GROUP_TYPES."""
    insights = Insights(environment.warehouse, FixedClock())
    return await insights.trend(environment.environment_id, query, GROUP_TYPES)


async def funnel(environment: Environment, query: FunnelQuery) -> Funnel:
    """Ask for a funnel of an environment that has seen GROUP_TYPES."""
    insights = Insights(environment.warehouse, FixedClock())
    return await insights.funnel(environment.environment_id, query, GROUP_TYPES)
