"""Paths: what people do after an event, before one, or from one to another."""

from burgee_server.insights.paths.model import DEFAULT_GAP, PathEdge, PathGroup, PathNode, Paths, PathsQuery
from burgee_server.insights.paths.plan import DEFAULT_LIMIT, DEFAULT_STEPS, plan_paths

__all__ = [
    "DEFAULT_GAP",
    "DEFAULT_LIMIT",
    "DEFAULT_STEPS",
    "PathEdge",
    "PathGroup",
    "PathNode",
    "Paths",
    "PathsQuery",
    "plan_paths",
]
