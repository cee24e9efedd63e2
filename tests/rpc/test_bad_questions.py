"""Questions that no server should answer: each is refused with the path of what is wrong."""

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode

from burgee.v1 import (
    common_pb2,
    funnel_pb2,
    questions_pb2,
    trend_pb2,
)
from tests.rpc.conftest import refused
from tests.rpc.insight_calls import condition


def one(**fields):
    """A trend of one series with something wrong."""
    return trend_pb2.QueryTrendRequest(series=[{"event": "opened"}], **fields)


def deep(levels):
    """A filter of so many levels."""
    tree = condition("event.a", "is_set")
    for _ in range(levels):
        outer = common_pb2.Filter()
        getattr(outer, "not").CopyFrom(tree)
        tree = outer
    return tree


BAD_TRENDS = {
    "no series": (trend_pb2.QueryTrendRequest(), "series"),
    "too many series": (trend_pb2.QueryTrendRequest(series=[{}] * 21), "series"),
    "event name too long": (trend_pb2.QueryTrendRequest(series=[{"event": "x" * 201}]), "series[0].event"),
    "unknown measure": (trend_pb2.QueryTrendRequest(series=[{"measure": 99}]), "series[0].measure"),
    "sum of nothing": (trend_pb2.QueryTrendRequest(series=[{"measure": trend_pb2.MEASURE_SUM}]), "series[0].property"),
    "groups of no type": (
        trend_pb2.QueryTrendRequest(series=[{"measure": trend_pb2.MEASURE_UNIQUE_GROUPS}]),
        "series[0].group_type",
    ),
    "groups of an unknown type": (
        trend_pb2.QueryTrendRequest(series=[{"measure": trend_pb2.MEASURE_UNIQUE_GROUPS, "group_type": "compny"}]),
        "series[0].group_type",
    ),
    "unknown interval": (one(interval=99), "interval"),
    "unknown zone": (one(time_zone="Mars/Olympus"), "time_zone"),
    "zone that is a path": (one(time_zone="../../etc/passwd"), "time_zone"),
    "bad start": (one(range={"start": "tomorrow"}), "range.start"),
    "an end beside a named span": (one(range={"start": "today", "end": "now"}), "range.end"),
    "nothing to compare with": (one(range={"start": "all", "compare": "previous"}), "range.compare"),
    "bad end": (one(range={"end": "2026-02-30"}), "range.end"),
    "end before start": (one(range={"start": "2026-03-02", "end": "2026-03-01"}), "range"),
    "too many columns": (one(range={"start": "1990-01-01"}, interval=questions_pb2.INTERVAL_HOUR), "interval"),
    "unknown attribute": (one(breakdown={"attributes": ["plan"]}), "breakdown.attributes[0]"),
    "unknown type": (one(breakdown={"attributes": ["compny.plan"]}), "breakdown.attributes[0]"),
    "a property that reads as an object": (one(filter=condition("event.^`a`", "is_set")), "filter.condition.attribute"),
    "a property that reads as a type": (one(breakdown={"attributes": ["user.:`a`"]}), "breakdown.attributes[0]"),
    "a sum of what reads as another part": (
        trend_pb2.QueryTrendRequest(series=[{"measure": trend_pb2.MEASURE_SUM, "property": "@`a`"}]),
        "series[0].property",
    ),
    "a formula of nothing": (one(formulas=[{"expression": "B"}]), "formulas[0].expression"),
    "per nobody": (trend_pb2.QueryTrendRequest(series=[{"per": "compny"}]), "series[0].per"),
    "too many attributes": (one(breakdown={"attributes": ["user.key"] * 4}), "breakdown.attributes"),
    "no attribute": (one(breakdown={}), "breakdown.attributes"),
    "limit": (one(breakdown={"attributes": ["user.key"], "limit": 1001}), "breakdown.limit"),
    "too many numbers": (
        one(range={"start": "2025-06-01"}, interval=2, breakdown={"attributes": ["user.key"], "limit": 1000}),
        "series",
    ),
    "empty all": (one(filter={"all": {}}), "filter.all.filters"),
    "no operator": (one(filter={"condition": {"attribute": "event.a"}}), "filter.condition.operator"),
    "no value": (one(filter={"condition": {"attribute": "event.a", "operator": 1}}), "filter.condition.values"),
    "bad pattern": (one(filter=condition("event.a", "matches", "(")), "filter.condition.values[0]"),
    "a cohort": (one(filter=condition("user.key", "in_cohort", "beta")), "filter.condition.values[0]"),
    "no cohort": (one(filter=condition("event.a", "not_in_cohort")), "filter.condition.values"),
    "too deep": (one(filter=deep(25)), None),
}


@pytest.mark.parametrize(("request_", "field"), BAD_TRENDS.values(), ids=BAD_TRENDS.keys())
async def test_a_bad_question_is_refused_with_the_path_of_what_is_wrong(shared_admin, request_, field):
    """INVALID_ARGUMENT, never INTERNAL, and what would be right to its last word."""
    with refused(StatusCode.INVALID_ARGUMENT, *([field] if field else [])) as refusal:
        await shared_admin.insights.QueryTrend(request_)
    assert refusal.fields
    assert not any(reason.endswith("…") for reason in refusal.fields.values())


BAD_FUNNELS = {
    "no steps": ({}, "steps"),
    "one step": ({"steps": [{}]}, "steps"),
    "too many steps": ({"steps": [{}] * 21}, "steps"),
    "no window": ({"steps": [{}] * 2, "window": Duration(seconds=0)}, "window"),
    "negative window": ({"steps": [{}] * 2, "window": Duration(seconds=-5)}, "window"),
    "window beyond reason": ({"steps": [{}] * 2, "window": Duration(seconds=2**62)}, "window"),
    "unknown type": ({"steps": [{}] * 2, "count_by": "compny"}, "count_by"),
    "bad step": ({"steps": [{"event": "x" * 201}, {}]}, "steps[0].event"),
    "unknown order": ({"steps": [{}] * 2, "order": 99}, "order"),
    "unknown attribution": ({"steps": [{}] * 2, "attribution": 99}, "attribution"),
    "attribution of nothing": ({"steps": [{}] * 2, "attribution": 2}, "attribution"),
    "attribution to no step": (
        {"steps": [{}] * 2, "attribution": 3, "attribution_step": 3, "breakdown": {"attributes": ["user.key"]}},
        "attribution_step",
    ),
    "a step without its attribution": ({"steps": [{}] * 2, "attribution_step": 1}, "attribution_step"),
    "attribution to a step without order": (
        {"steps": [{}] * 2, "order": 3, "attribution": 3, "breakdown": {"attributes": ["user.key"]}},
        "attribution",
    ),
    "too many alike": ({"steps": [{}] * 6, "order": 3}, "steps"),
    "too many exclusions": ({"steps": [{}] * 2, "exclusions": [{}] * 11}, "exclusions"),
    "exclusions of a strict funnel": ({"steps": [{}] * 2, "order": 2, "exclusions": [{}]}, "exclusions"),
    "exclusion after the last": ({"steps": [{}] * 2, "exclusions": [{"to_step": 3}]}, "exclusions[0].to_step"),
    "exclusion backwards": ({"steps": [{}] * 2, "exclusions": [{"from_step": 2}]}, "exclusions[0].from_step"),
    "exclusion from a step without order": (
        {"steps": [{}] * 3, "order": 3, "exclusions": [{"from_step": 2}]},
        "exclusions[0].from_step",
    ),
    "bad exclusion": ({"steps": [{}] * 2, "exclusions": [{"event": "x" * 201}]}, "exclusions[0].event"),
    "bad filter of an exclusion": (
        {"steps": [{}] * 2, "exclusions": [{"filter": condition("plan", "is_set")}]},
        "exclusions[0].filter.condition.attribute",
    ),
}


@pytest.mark.parametrize(("fields", "field"), BAD_FUNNELS.values(), ids=BAD_FUNNELS.keys())
async def test_a_bad_funnel_is_refused_with_the_path_of_what_is_wrong(shared_admin, fields, field):
    """INVALID_ARGUMENT, never INTERNAL."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await shared_admin.insights.QueryFunnel(funnel_pb2.QueryFunnelRequest(**fields))
