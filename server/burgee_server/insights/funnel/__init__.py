"""Funnels: how many get from step to step."""

from burgee_server.insights.funnel.model import DEFAULT_WINDOW, Funnel, FunnelQuery, FunnelRow, FunnelStep, Step
from burgee_server.insights.funnel.plan import plan_funnel

__all__ = ["DEFAULT_WINDOW", "Funnel", "FunnelQuery", "FunnelRow", "FunnelStep", "Step", "plan_funnel"]
