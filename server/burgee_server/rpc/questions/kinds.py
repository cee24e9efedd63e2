"""The kinds of questions: how each is read from the wire, planned, and its answer written. Named as saved ones are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from burgee.v1.saved_pb2 import InsightQuestion
from burgee_server.insights.asked import Asked, Plan
from burgee_server.insights.features import plan_features
from burgee_server.insights.funnel import (
    plan_funnel,
    plan_funnel_actors,
    plan_funnel_comparison,
    plan_funnel_correlation,
    plan_funnel_over_time,
    plan_funnel_times,
)
from burgee_server.insights.lifecycle import plan_lifecycle, plan_lifecycle_actors
from burgee_server.insights.paths import plan_paths
from burgee_server.insights.retention import plan_retention, plan_retention_actors
from burgee_server.insights.stickiness import plan_stickiness, plan_stickiness_actors
from burgee_server.insights.trend import plan_trend
from burgee_server.rpc.questions import about_funnel as about
from burgee_server.rpc.questions import features, funnel, lifecycle, paths, retention, stickiness, trend


@dataclass(frozen=True, slots=True)
class Kind:
    """A question is read from a request, which gets its defaults; an answer is written without what it cost."""

    plan: Callable[[Any, Asked], Plan[Any]]
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


KINDS: Mapping[str, Kind] = {
    "trend": Kind(plan_trend, trend.read_trend, trend.write_trend),
    "funnel": Kind(plan_funnel, funnel.read_funnel, funnel.write_funnel),
    "funnel_actors": Kind(plan_funnel_actors, about.read_actors, about.write_actors),
    "funnel_times": Kind(plan_funnel_times, about.read_times, about.write_times),
    "funnel_over_time": Kind(plan_funnel_over_time, about.read_over_time, about.write_over_time),
    "funnel_comparison": Kind(plan_funnel_comparison, about.read_comparison, about.write_comparison),
    "funnel_correlation": Kind(plan_funnel_correlation, about.read_correlation, about.write_correlation),
    "retention": Kind(plan_retention, retention.read_retention, retention.write_retention),
    "retention_actors": Kind(plan_retention_actors, retention.read_retention_actors, retention.write_retention_actors),
    "paths": Kind(plan_paths, paths.read_paths, paths.write_paths),
    "feature_usage": Kind(plan_features, features.read_features, features.write_features),
    "lifecycle": Kind(plan_lifecycle, lifecycle.read_lifecycle, lifecycle.write_lifecycle),
    "lifecycle_actors": Kind(plan_lifecycle_actors, lifecycle.read_lifecycle_actors, lifecycle.write_lifecycle_actors),
    "stickiness": Kind(plan_stickiness, stickiness.read_stickiness, stickiness.write_stickiness),
    "stickiness_actors": Kind(
        plan_stickiness_actors, stickiness.read_stickiness_actors, stickiness.write_stickiness_actors
    ),
}

_BY_TYPE: Mapping[Any, Kind] = {field.message_type: KINDS[field.name] for field in InsightQuestion.DESCRIPTOR.fields}


def kind_of(request: Message) -> Kind:
    """The kind of question that a request asks."""
    return _BY_TYPE[request.DESCRIPTOR]
