"""Funnels: how many get from step to step."""

from burgee_server.insights.funnel.comparison import (
    DEFAULT_CONFIDENCE,
    FunnelComparison,
    FunnelComparisonQuery,
    Side,
    plan_funnel_comparison,
)
from burgee_server.insights.funnel.correlation import (
    DEFAULT_LEAST,
    DEFAULT_LIMIT,
    FunnelCorrelation,
    FunnelCorrelationQuery,
    Subject,
    plan_funnel_correlation,
)
from burgee_server.insights.funnel.model import (
    DEFAULT_WINDOW,
    Attribution,
    Exclusion,
    Funnel,
    FunnelQuery,
    FunnelRow,
    FunnelStep,
    Order,
    Step,
)
from burgee_server.insights.funnel.over_time import FunnelOverTime, FunnelOverTimeQuery, plan_funnel_over_time
from burgee_server.insights.funnel.people import FunnelActors, FunnelActorsQuery, Outcome, plan_funnel_actors
from burgee_server.insights.funnel.plan import plan_funnel
from burgee_server.insights.funnel.times import FunnelTimes, FunnelTimesQuery, plan_funnel_times

__all__ = [
    "DEFAULT_CONFIDENCE",
    "DEFAULT_LEAST",
    "DEFAULT_LIMIT",
    "DEFAULT_WINDOW",
    "Attribution",
    "Exclusion",
    "Funnel",
    "FunnelActors",
    "FunnelActorsQuery",
    "FunnelComparison",
    "FunnelComparisonQuery",
    "FunnelCorrelation",
    "FunnelCorrelationQuery",
    "FunnelOverTime",
    "FunnelOverTimeQuery",
    "FunnelQuery",
    "FunnelRow",
    "FunnelStep",
    "FunnelTimes",
    "FunnelTimesQuery",
    "Order",
    "Outcome",
    "Side",
    "Step",
    "Subject",
    "plan_funnel",
    "plan_funnel_actors",
    "plan_funnel_comparison",
    "plan_funnel_correlation",
    "plan_funnel_over_time",
    "plan_funnel_times",
]
