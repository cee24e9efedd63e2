"""Questions about a funnel: who, how long, when they entered, which of two sides, and what goes with converting."""

from datetime import timedelta

from burgee import wire
from burgee.v1 import funnel_pb2 as pb
from burgee.v1 import questions_pb2
from burgee_server.insights.funnel import (
    DEFAULT_CONFIDENCE,
    DEFAULT_LEAST,
    DEFAULT_LIMIT,
    FunnelActors,
    FunnelActorsQuery,
    FunnelComparison,
    FunnelComparisonQuery,
    FunnelCorrelation,
    FunnelCorrelationQuery,
    FunnelOverTime,
    FunnelOverTimeQuery,
    FunnelTimes,
    FunnelTimesQuery,
    Outcome,
    Side,
    Subject,
)
from burgee_server.insights.funnel.comparison import SideAnswer
from burgee_server.insights.funnel.statistics import Interval as Confidence
from burgee_server.insights.funnel.times import Time
from burgee_server.rpc.paging import DEFAULT_PAGE, page_size, page_token, read_page_token
from burgee_server.rpc.questions.funnel import read_funnel, write_step
from burgee_server.rpc.questions.words import fill_in, read_interval, read_part, read_word, write_part

_DEFAULTS = (
    pb.QueryFunnelActorsRequest(outcome=pb.FUNNEL_OUTCOME_REACHED, page_size=DEFAULT_PAGE),
    pb.QueryFunnelOverTimeRequest(interval=questions_pb2.INTERVAL_DAY),
    pb.QueryFunnelComparisonRequest(confidence=DEFAULT_CONFIDENCE),
    pb.QueryFunnelCorrelationRequest(subject=pb.FUNNEL_SUBJECT_EVENTS, limit=DEFAULT_LIMIT, least=DEFAULT_LEAST),
)


def read_actors(request: pb.QueryFunnelActorsRequest) -> FunnelActorsQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    funnel = read_funnel(request.funnel)
    fill_in(request, *_DEFAULTS)
    position = read_page_token(request.page_token, str)
    return FunnelActorsQuery(
        funnel,
        request.step,
        read_word(Outcome, pb.FunnelOutcome, request.outcome, "outcome"),
        read_part(request.part, "part") if request.HasField("part") else None,
        position[0] if position else "",
        page_size(request.page_size),
    )


def write_actors(answer: FunnelActors) -> pb.QueryFunnelActorsResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelActorsResponse()
    for actor in answer.actors:
        message = response.actors.add(key=actor.key)
        for moment in actor.moments:
            message.reached_at.add().FromDatetime(moment)
    if answer.has_more:
        response.next_page_token = page_token(answer.actors[-1].key)
    return response


def read_times(request: pb.QueryFunnelTimesRequest) -> FunnelTimesQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    funnel = read_funnel(request.funnel)
    fill_in(request, pb.QueryFunnelTimesRequest(from_step=1, to_step=len(funnel.steps)))
    return FunnelTimesQuery(funnel, request.from_step, request.to_step, request.bins)


def write_times(answer: FunnelTimes) -> pb.QueryFunnelTimesResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelTimesResponse()
    for row in answer.rows:
        message = response.rows.add(whole=_time(row.whole), steps=map(_time, row.steps))
        if row.part is not None:
            write_part(row.part, message.breakdown)
        for each in row.bins:
            bin_ = message.bins.add(count=each.count)
            bin_.start.FromTimedelta(timedelta(seconds=each.start))
            bin_.end.FromTimedelta(timedelta(seconds=each.end))
    return response


def read_over_time(request: pb.QueryFunnelOverTimeRequest) -> FunnelOverTimeQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    funnel = read_funnel(request.funnel)
    fill_in(request, *_DEFAULTS)
    return FunnelOverTimeQuery(funnel, read_interval(request.interval))


def write_over_time(answer: FunnelOverTime) -> pb.QueryFunnelOverTimeResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelOverTimeResponse()
    for column, is_over in zip(answer.columns, answer.is_over, strict=True):
        response.columns.add(is_over=is_over).start.FromDatetime(column)
    for row in answer.rows:
        message = response.rows.add()
        if row.part is not None:
            write_part(row.part, message.breakdown)
        for counts in row.counts:
            message.columns.add(counts=counts, conversion=counts[-1] / counts[0] if counts[0] else 0.0)
    return response


def read_comparison(request: pb.QueryFunnelComparisonRequest) -> FunnelComparisonQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    funnel = read_funnel(request.funnel)
    fill_in(request, *_DEFAULTS)
    first, second = _side(request.first, "first"), _side(request.second, "second")
    return FunnelComparisonQuery(funnel, first, second, request.confidence)


def write_comparison(answer: FunnelComparison) -> pb.QueryFunnelComparisonResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelComparisonResponse(first=_side_result(answer.first), second=_side_result(answer.second))
    for each in answer.differences:
        response.differences.add(
            label=each.label,
            difference=each.value,
            interval=_interval(each.interval),
            p_value=each.p_value,
            is_exact=each.is_exact,
        )
    return response


def read_correlation(request: pb.QueryFunnelCorrelationRequest) -> FunnelCorrelationQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    funnel = read_funnel(request.funnel)
    fill_in(request, *_DEFAULTS)
    subject = read_word(Subject, pb.FunnelSubject, request.subject, "subject")
    return FunnelCorrelationQuery(funnel, subject, tuple(request.properties), request.limit, request.least)


def write_correlation(answer: FunnelCorrelation) -> pb.QueryFunnelCorrelationResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelCorrelationResponse(converted=answer.converted, dropped=answer.dropped)
    for each in answer.correlates:
        response.correlates.add(
            event=each.event,
            property=each.property,
            value=each.value,
            converted=each.converted,
            dropped=each.dropped,
            odds_ratio=each.odds_ratio,
            interval=_interval(each.interval),
            p_value=each.p_value,
            is_exact=each.is_exact,
        )
    return response


def _time(time: Time) -> pb.FunnelTime:
    message = pb.FunnelTime(label=time.label, count=time.count)
    if time.average is not None and time.median is not None:
        message.average.FromTimedelta(timedelta(seconds=time.average))
        message.median.FromTimedelta(timedelta(seconds=time.median))
    return message


def _side(message: pb.FunnelSide, path: str) -> Side:
    if message.WhichOneof("of") == "part":
        return Side(part=read_part(message.part, f"{path}.part"))
    return Side(filter=wire.filter_from_proto(message.filter, f"{path}.filter"))


def _side_result(side: SideAnswer) -> pb.FunnelSideResult:
    return pb.FunnelSideResult(steps=map(write_step, side.steps), intervals=map(_interval, side.shares))


def _interval(interval: Confidence) -> pb.ConfidenceInterval:
    return pb.ConfidenceInterval(low=interval.low, high=interval.high)
