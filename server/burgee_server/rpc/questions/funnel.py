"""Funnels."""

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import funnel_pb2 as pb
from burgee_server.insights.funnel import (
    DEFAULT_WINDOW,
    Attribution,
    Exclusion,
    Funnel,
    FunnelQuery,
    FunnelRow,
    FunnelStep,
    Order,
    Step,
)
from burgee_server.rpc.questions.words import fill_in, read_breakdown, read_duration, read_range, read_word, write_part

_DEFAULTS = pb.QueryFunnelRequest(
    count_by=USER, order=pb.FUNNEL_ORDER_ORDERED, attribution=pb.FUNNEL_ATTRIBUTION_FIRST_TOUCH
)
_DEFAULTS.window.FromTimedelta(DEFAULT_WINDOW)


def read_funnel(request: pb.QueryFunnelRequest) -> FunnelQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _DEFAULTS)
    return FunnelQuery(
        steps=tuple(
            Step(step.event, wire.filter_from_proto(step.filter, f"steps[{index}].filter"), step.label, step.action)
            for index, step in enumerate(request.steps)
        ),
        range=read_range(request.range),
        time_zone=request.time_zone,
        window=read_duration(request.window, "window"),
        count_by=request.count_by,
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=read_breakdown(request),
        order=read_word(Order, pb.FunnelOrder, request.order, "order"),
        exclusions=tuple(
            Exclusion(
                each.event,
                wire.filter_from_proto(each.filter, f"exclusions[{index}].filter"),
                each.from_step,
                each.to_step,
                each.action,
            )
            for index, each in enumerate(request.exclusions)
        ),
        attribution=read_word(Attribution, pb.FunnelAttribution, request.attribution, "attribution"),
        attribution_step=request.attribution_step,
    )


def write_funnel(funnel: Funnel) -> pb.QueryFunnelResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelResponse()
    for row in funnel.rows:
        write_row(row, response.rows.add())
    return response


def write_row(row: FunnelRow, message: pb.FunnelRow) -> None:
    """One funnel."""
    if row.part is not None:
        write_part(row.part, message.breakdown)
    message.steps.extend(map(write_step, row.steps))


def write_step(step: FunnelStep) -> pb.FunnelStepResult:
    """How many reached a step."""
    return pb.FunnelStepResult(
        label=step.label,
        count=step.count,
        conversion_from_first=step.conversion_from_first,
        conversion_from_previous=step.conversion_from_previous,
    )
