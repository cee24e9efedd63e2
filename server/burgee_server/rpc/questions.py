"""Insight questions as the wire asks them, and answers as it gives them."""

from datetime import timedelta

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import common_pb2
from burgee.v1 import insights_pb2 as pb
from burgee_server.errors import Invalid
from burgee_server.insights.model import (
    DEFAULT_WINDOW,
    Breakdown,
    Funnel,
    FunnelQuery,
    Interval,
    Measure,
    Part,
    PartKind,
    Series,
    Step,
    TimeRange,
    Trend,
    TrendQuery,
)

_INTERVALS = {pb.Interval.Value(f"INTERVAL_{interval.name}"): interval for interval in Interval}
_INTERVALS[pb.INTERVAL_UNSPECIFIED] = Interval.DAY
_MEASURES = {pb.Measure.Value(f"MEASURE_{measure.name}"): measure for measure in Measure}
_MEASURES[pb.MEASURE_UNSPECIFIED] = Measure.TOTAL


def trend_query(request: pb.QueryTrendRequest) -> TrendQuery:
    """The question in a request. Raises Invalid."""
    interval = _INTERVALS.get(request.interval)
    if interval is None:
        raise Invalid.of("interval", f"must be one of {', '.join(Interval)}")
    return TrendQuery(
        series=tuple(_series(series, f"series[{index}]") for index, series in enumerate(request.series)),
        range=_range(request.range),
        time_zone=request.time_zone,
        interval=interval,
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=_breakdown(request),
    )


def funnel_query(request: pb.QueryFunnelRequest) -> FunnelQuery:
    """The question in a request. Raises Invalid."""
    return FunnelQuery(
        steps=tuple(
            Step(step.event, wire.filter_from_proto(step.filter, f"steps[{index}].filter"), step.label)
            for index, step in enumerate(request.steps)
        ),
        range=_range(request.range),
        time_zone=request.time_zone,
        window=_window(request),
        count_by=request.count_by or USER,
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=_breakdown(request),
    )


def write_trend(trend: Trend) -> pb.QueryTrendResponse:
    """The answer, without what it cost."""
    response = pb.QueryTrendResponse()
    for column in trend.columns:
        response.columns.add().FromDatetime(column)
    for row in trend.rows:
        message = response.rows.add(series=row.series, label=row.label, values=row.values, total=row.total)
        if row.part is not None:
            message.breakdown.CopyFrom(_write_part(row.part))
    return response


def write_funnel(funnel: Funnel) -> pb.QueryFunnelResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelResponse()
    for row in funnel.rows:
        message = response.rows.add()
        if row.part is not None:
            message.breakdown.CopyFrom(_write_part(row.part))
        for step in row.steps:
            message.steps.add(
                label=step.label,
                count=step.count,
                conversion_from_first=step.conversion_from_first,
                conversion_from_previous=step.conversion_from_previous,
            )
    return response


def _series(series: pb.TrendSeries, path: str) -> Series:
    measure = _MEASURES.get(series.measure)
    if measure is None:
        raise Invalid.of(f"{path}.measure", f"must be one of {', '.join(Measure)}")
    return Series(
        event=series.event,
        measure=measure,
        property=series.property,
        group_type=series.group_type,
        filter=wire.filter_from_proto(series.filter, f"{path}.filter"),
        label=series.label,
    )


def _window(request: pb.QueryFunnelRequest) -> timedelta:
    if not request.HasField("window"):
        return DEFAULT_WINDOW
    try:
        return request.window.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise Invalid.of("window", "is longer than any time there is") from error


def _range(range_: common_pb2.TimeRange) -> TimeRange:
    return TimeRange(range_.start, range_.end)


def _breakdown(request: pb.QueryTrendRequest | pb.QueryFunnelRequest) -> Breakdown | None:
    if not request.HasField("breakdown"):
        return None
    return Breakdown(request.breakdown.attribute, request.breakdown.limit)


def _write_part(part: Part) -> pb.BreakdownValue:
    match part.kind:
        case PartKind.OTHER:
            return pb.BreakdownValue(other=True)
        case PartKind.MISSING:
            return pb.BreakdownValue(missing=True)
        case _:
            return pb.BreakdownValue(value=part.value)
