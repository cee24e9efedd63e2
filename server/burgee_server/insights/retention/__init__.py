"""Retention: who comes back."""

from burgee_server.insights.retention.model import (
    DEFAULT_PERIODS,
    CellState,
    Retention,
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
    "Retention",
    "RetentionAverage",
    "RetentionCell",
    "RetentionQuery",
    "RetentionRow",
    "RetentionTable",
    "Returns",
    "Starts",
    "Window",
    "plan_retention",
]
