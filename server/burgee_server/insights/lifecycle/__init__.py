"""Lifecycle: who is new, returns, comes back to life or goes dormant."""

from burgee_server.insights.lifecycle.model import (
    Lifecycle,
    LifecycleActorsQuery,
    LifecycleColumn,
    LifecycleQuery,
    Stage,
)
from burgee_server.insights.lifecycle.plan import plan_lifecycle, plan_lifecycle_actors

__all__ = [
    "Lifecycle",
    "LifecycleActorsQuery",
    "LifecycleColumn",
    "LifecycleQuery",
    "Stage",
    "plan_lifecycle",
    "plan_lifecycle_actors",
]
