"""Stickiness: in how many columns everybody was active."""

from burgee_server.insights.stickiness.model import (
    Stickiness,
    StickinessActorsQuery,
    StickinessCell,
    StickinessQuery,
    StickinessRow,
)
from burgee_server.insights.stickiness.plan import plan_stickiness, plan_stickiness_actors

__all__ = [
    "Stickiness",
    "StickinessActorsQuery",
    "StickinessCell",
    "StickinessQuery",
    "StickinessRow",
    "plan_stickiness",
    "plan_stickiness_actors",
]
