"""Funnels: how many get from step to step."""

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
from burgee_server.insights.funnel.plan import plan_funnel

__all__ = [
    "DEFAULT_WINDOW",
    "Attribution",
    "Exclusion",
    "Funnel",
    "FunnelQuery",
    "FunnelRow",
    "FunnelStep",
    "Order",
    "Step",
    "plan_funnel",
]
