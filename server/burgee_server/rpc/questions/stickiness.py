"""Stickiness."""

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import stickiness_pb2 as pb
from burgee.v1.questions_pb2 import INTERVAL_DAY
from burgee_server.insights.stickiness import Stickiness, StickinessActorsQuery, StickinessQuery
from burgee_server.insights.words import ActorPage
from burgee_server.rpc.paging import DEFAULT_PAGE
from burgee_server.rpc.questions.pages import read_page, read_part_of, write_page
from burgee_server.rpc.questions.words import (
    fill_in,
    read_breakdown,
    read_interval,
    read_match,
    read_range,
    write_part,
)

_DEFAULTS = pb.QueryStickinessRequest(interval=INTERVAL_DAY, count_by=USER)
_ACTORS_DEFAULTS = pb.QueryStickinessActorsRequest(page_size=DEFAULT_PAGE)


def read_stickiness(request: pb.QueryStickinessRequest) -> StickinessQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _DEFAULTS)
    return StickinessQuery(
        event=read_match(request.event, "event"),
        range=read_range(request.range),
        time_zone=request.time_zone,
        interval=read_interval(request.interval),
        count_by=request.count_by,
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=read_breakdown(request),
    )


def write_stickiness(stickiness: Stickiness) -> pb.QueryStickinessResponse:
    """The answer, without what it cost."""
    response = pb.QueryStickinessResponse()
    for row in stickiness.rows:
        message = response.rows.add(size=row.size)
        if row.part is not None:
            write_part(row.part, message.breakdown)
        for cell in row.cells:
            message.cells.add(
                columns=cell.columns,
                count=cell.count,
                share=cell.share,
                at_least=cell.at_least,
                at_least_share=cell.at_least_share,
            )
    return response


def read_stickiness_actors(request: pb.QueryStickinessActorsRequest) -> StickinessActorsQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _ACTORS_DEFAULTS)
    stickiness = read_stickiness(request.stickiness)
    return StickinessActorsQuery(
        stickiness, request.columns, request.or_more, read_part_of(request), read_page(request)
    )


def write_stickiness_actors(page: ActorPage) -> pb.QueryStickinessActorsResponse:
    """The answer, without what it cost."""
    response = pb.QueryStickinessActorsResponse()
    write_page(page, response.page)
    return response
