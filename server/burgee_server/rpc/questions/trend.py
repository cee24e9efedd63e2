"""Trends."""

from burgee import wire
from burgee.v1 import trend_pb2 as pb
from burgee.v1.questions_pb2 import INTERVAL_DAY
from burgee_server.errors import Invalid
from burgee_server.insights.trend import FormulaQuery, Measure, Series, Trend, TrendQuery
from burgee_server.rpc.questions.words import fill_in, read_breakdown, read_interval, read_range, write_part

_MEASURES = {pb.Measure.Value(f"MEASURE_{measure.name}"): measure for measure in Measure}
_DEFAULTS = (pb.QueryTrendRequest(interval=INTERVAL_DAY), pb.TrendSeries(measure=pb.MEASURE_TOTAL))


def read_trend(request: pb.QueryTrendRequest) -> TrendQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, *_DEFAULTS)
    return TrendQuery(
        series=tuple(_series(series, f"series[{index}]") for index, series in enumerate(request.series)),
        range=read_range(request.range),
        time_zone=request.time_zone,
        interval=read_interval(request.interval),
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=read_breakdown(request),
        formulas=tuple(FormulaQuery(formula.expression, formula.label) for formula in request.formulas),
        cumulative=request.cumulative,
        moving_average=request.moving_average,
    )


def write_trend(trend: Trend) -> pb.QueryTrendResponse:
    """The answer, without what it cost."""
    response = pb.QueryTrendResponse()
    for column in trend.columns:
        response.columns.add().FromDatetime(column)
    for row in trend.rows:
        message = response.rows.add(series=row.series, label=row.label, values=row.values, total=row.total)
        if row.part is not None:
            write_part(row.part, message.breakdown)
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
        action=series.action,
        per=series.per,
    )
