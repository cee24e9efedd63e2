"""The way of a question to the server and of its answer back."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from burgee.evaluation import AllOf
from burgee.insights import (
    Breakdown,
    Funnel,
    FunnelCount,
    FunnelRow,
    Moment,
    Part,
    QueryError,
    QueryInfo,
    Series,
    Step,
    Trend,
    TrendRow,
    Where,
)
from burgee.status import code_and_message, violations
from burgee.v1 import common_pb2, insights_pb2, insights_pb2_grpc
from burgee.wire import filter_to_proto

_Answer = TypeVar("_Answer")


def query_trend(
    service: insights_pb2_grpc.InsightServiceStub,
    series: Sequence[Series],
    *,
    breakdown: str | Breakdown | None,
    interval: str,
    start: Moment,
    end: Moment,
    time_zone: str,
    where: Where,
    timeout: float,
) -> Trend:
    """Client.trend, asked of a service."""
    request = insights_pb2.QueryTrendRequest(
        series=[
            insights_pb2.TrendSeries(
                event=line.event,
                measure=_enum(insights_pb2.Measure, "measure", line.measure),
                property=line.property,
                group_type=line.group_type,
                filter=_filter(line.where),
                label=line.label,
            )
            for line in series
        ],
        range=_range(start, end),
        time_zone=time_zone,
        interval=_enum(insights_pb2.Interval, "interval", interval),
        filter=_filter(where),
        breakdown=_breakdown(breakdown),
    )
    answer = _ask(service.QueryTrend, request, timeout)
    return Trend(
        tuple(_moment(column) for column in answer.columns),
        tuple(TrendRow(row.series, row.label, _part(row), tuple(row.values), row.total) for row in answer.rows),
        _info(answer.info),
    )


def query_funnel(
    service: insights_pb2_grpc.InsightServiceStub,
    steps: Sequence[str | Step],
    *,
    count_by: str,
    window: timedelta | None,
    breakdown: str | Breakdown | None,
    start: Moment,
    end: Moment,
    time_zone: str,
    where: Where,
    timeout: float,
) -> Funnel:
    """Client.funnel, asked of a service."""
    request = insights_pb2.QueryFunnelRequest(
        steps=[_step(step) for step in steps],
        range=_range(start, end),
        time_zone=time_zone,
        count_by=count_by,
        filter=_filter(where),
        breakdown=_breakdown(breakdown),
    )
    if window is not None:
        request.window.FromTimedelta(window)
    answer = _ask(service.QueryFunnel, request, timeout)
    return Funnel(
        tuple(
            FunnelRow(
                _part(row),
                tuple(
                    FunnelCount(step.label, step.count, step.conversion_from_first, step.conversion_from_previous)
                    for step in row.steps
                ),
            )
            for row in answer.rows
        ),
        _info(answer.info),
    )


def _ask(call: Callable[..., _Answer], request: Any, timeout: float) -> _Answer:
    try:
        return call(request, timeout=timeout)
    except grpc.RpcError as error:
        code, message = code_and_message(error)
        raise QueryError(code.name, message, violations(error)) from None


def _step(step: str | Step) -> insights_pb2.FunnelStep:
    named = Step(step) if isinstance(step, str) else step
    return insights_pb2.FunnelStep(event=named.event, filter=_filter(named.where), label=named.label)


def _breakdown(breakdown: str | Breakdown | None) -> insights_pb2.Breakdown | None:
    if breakdown is None:
        return None
    named = Breakdown(breakdown) if isinstance(breakdown, str) else breakdown
    if named.limit < 0:
        raise QueryError("INVALID_ARGUMENT", "breakdown.limit: 1 to 1,000", [("breakdown.limit", "1 to 1,000")])
    return insights_pb2.Breakdown(attribute=named.attribute, limit=named.limit)


def _filter(where: Where) -> common_pb2.Filter | None:
    """Of a sequence all must hold; nothing, or an empty sequence, lets everything through."""
    if not where:
        return None
    return filter_to_proto(AllOf(tuple(where)) if isinstance(where, Sequence) else where)


def _range(start: Moment, end: Moment) -> common_pb2.TimeRange:
    def text(moment: Moment) -> str:
        return moment if isinstance(moment, str) else moment.isoformat()

    return common_pb2.TimeRange(start=text(start), end=text(end))


def _enum(kind: Any, field: str, name: str) -> Any:
    """The wire's number for a name such as "unique_users". Raises QueryError like the server does."""
    numbers = {key.removeprefix(f"{field.upper()}_").lower(): number for key, number in kind.items() if number}
    if name not in numbers:
        reason = f"one of {', '.join(numbers)}"
        raise QueryError("INVALID_ARGUMENT", f"{field}: {reason}", [(field, reason)])
    return numbers[name]


def _part(row: insights_pb2.TrendRow | insights_pb2.FunnelRow) -> Part | None:
    if not row.HasField("breakdown"):
        return None
    return Part(row.breakdown.value, row.breakdown.other, row.breakdown.missing)


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)


def _info(info: insights_pb2.QueryInfo) -> QueryInfo:
    return QueryInfo(
        elapsed=info.elapsed.ToTimedelta(),
        rows_read=info.rows_read,
        complete_until=_moment(info.complete_until),
        start=_moment(info.start),
        end=_moment(info.end),
    )
