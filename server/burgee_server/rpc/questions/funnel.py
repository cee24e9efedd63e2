"""Funnels."""

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import funnel_pb2 as pb
from burgee_server.insights.funnel import DEFAULT_WINDOW, Funnel, FunnelQuery, Step
from burgee_server.rpc.questions.words import fill_in, read_breakdown, read_range, read_window, write_part

_DEFAULTS = pb.QueryFunnelRequest(count_by=USER)
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
        window=read_window(request, DEFAULT_WINDOW),
        count_by=request.count_by,
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=read_breakdown(request),
    )


def write_funnel(funnel: Funnel) -> pb.QueryFunnelResponse:
    """The answer, without what it cost."""
    response = pb.QueryFunnelResponse()
    for row in funnel.rows:
        message = response.rows.add()
        if row.part is not None:
            write_part(row.part, message.breakdown)
        for step in row.steps:
            message.steps.add(
                label=step.label,
                count=step.count,
                conversion_from_first=step.conversion_from_first,
                conversion_from_previous=step.conversion_from_previous,
            )
    return response
