"""Lifecycles."""

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import lifecycle_pb2 as pb
from burgee.v1.questions_pb2 import INTERVAL_DAY
from burgee_server.insights.lifecycle import Lifecycle, LifecycleActorsQuery, LifecycleQuery, Stage
from burgee_server.insights.words import ActorPage
from burgee_server.rpc.paging import DEFAULT_PAGE
from burgee_server.rpc.questions.pages import read_column, read_page, write_page
from burgee_server.rpc.questions.words import fill_in, read_interval, read_match, read_range, read_word

_DEFAULTS = pb.QueryLifecycleRequest(interval=INTERVAL_DAY, count_by=USER)
_ACTORS_DEFAULTS = pb.QueryLifecycleActorsRequest(page_size=DEFAULT_PAGE)


def read_lifecycle(request: pb.QueryLifecycleRequest) -> LifecycleQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _DEFAULTS)
    return LifecycleQuery(
        event=read_match(request.event, "event"),
        range=read_range(request.range),
        time_zone=request.time_zone,
        interval=read_interval(request.interval),
        count_by=request.count_by,
        filter=wire.filter_from_proto(request.filter, "filter"),
    )


def write_lifecycle(lifecycle: Lifecycle) -> pb.QueryLifecycleResponse:
    """The answer, without what it cost."""
    response = pb.QueryLifecycleResponse()
    for column in lifecycle.columns:
        message = response.columns.add(
            new=column.new,
            returning=column.returning,
            resurrecting=column.resurrecting,
            dormant=column.dormant,
            complete=column.complete,
        )
        message.column.FromDatetime(column.column)
    return response


def read_lifecycle_actors(request: pb.QueryLifecycleActorsRequest) -> LifecycleActorsQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _ACTORS_DEFAULTS)
    lifecycle = read_lifecycle(request.lifecycle)
    stage = read_word(Stage, pb.LifecycleStage, request.stage, "stage")
    return LifecycleActorsQuery(lifecycle, read_column(request), stage, read_page(request))


def write_lifecycle_actors(page: ActorPage) -> pb.QueryLifecycleActorsResponse:
    """The answer, without what it cost."""
    response = pb.QueryLifecycleActorsResponse()
    write_page(page, response.page)
    return response
