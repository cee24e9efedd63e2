"""Retention: who comes back."""

from burgee_server.insights.retention.actors import plan_retention_actors
from burgee_server.insights.retention.model import (
    DEFAULT_PERIODS,
    CellState,
    Outcome,
    Retention,
    RetentionActorsQuery,
    RetentionAverage,
    RetentionCell,
    RetentionQuery,
    RetentionRow,
    RetentionTable,
    Returns,
    Starts,
    Window,
)
from burgee_server.insights.retention.plan import plan_retention

__all__ = [
    "DEFAULT_PERIODS",
    "CellState",
    "Outcome",
    "Retention",
    "RetentionActorsQuery",
    "RetentionAverage",
    "RetentionCell",
    "RetentionQuery",
    "RetentionRow",
    "RetentionTable",
    "Returns",
    "Starts",
    "Window",
    "plan_retention",
    "plan_retention_actors",
]
