"""Retention."""

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import questions_pb2
from burgee.v1 import retention_pb2 as pb
from burgee_server.insights.retention import (
    DEFAULT_PERIODS,
    Outcome,
    Retention,
    RetentionActorsQuery,
    RetentionQuery,
    Returns,
    Starts,
    Window,
)
from burgee_server.insights.words import ActorPage
from burgee_server.rpc.paging import DEFAULT_PAGE
from burgee_server.rpc.questions.pages import read_column, read_page, read_part_of, write_page
from burgee_server.rpc.questions.words import (
    fill_in,
    read_breakdown,
    read_interval,
    read_match,
    read_range,
    read_word,
    write_part,
)

_DEFAULTS = pb.QueryRetentionRequest(
    interval=questions_pb2.INTERVAL_DAY,
    periods=DEFAULT_PERIODS,
    starts=pb.RETENTION_STARTS_FIRST_TIME,
    window=pb.RETENTION_WINDOW_CALENDAR,
    returns=pb.RETENTION_RETURNS_ON,
    count_by=USER,
)
_ACTORS_DEFAULTS = pb.QueryRetentionActorsRequest(outcome=pb.RETENTION_OUTCOME_RETURNED, page_size=DEFAULT_PAGE)


def read_retention(request: pb.QueryRetentionRequest) -> RetentionQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _DEFAULTS)
    return RetentionQuery(
        start_event=read_match(request.start_event, "start_event"),
        return_event=read_match(request.return_event, "return_event"),
        range=read_range(request.range),
        time_zone=request.time_zone,
        interval=read_interval(request.interval),
        periods=request.periods,
        starts=read_word(Starts, pb.RetentionStarts, request.starts, "starts"),
        window=read_word(Window, pb.RetentionWindow, request.window, "window"),
        returns=read_word(Returns, pb.RetentionReturns, request.returns, "returns"),
        count_by=request.count_by,
        filter=wire.filter_from_proto(request.filter, "filter"),
        breakdown=read_breakdown(request),
    )


def write_retention(retention: Retention) -> pb.QueryRetentionResponse:
    """The answer, without what it cost."""
    response = pb.QueryRetentionResponse()
    for table in retention.tables:
        message = response.tables.add()
        if table.part is not None:
            write_part(table.part, message.breakdown)
        for row in table.rows:
            line = message.rows.add(size=row.size)
            line.column.FromDatetime(row.column)
            for cell in row.cells:
                state = pb.RetentionState.Value(f"RETENTION_STATE_{cell.state.name}")
                line.cells.add(count=cell.count, share=cell.share, churn=cell.churn, lost=cell.lost, state=state)
        for mean in table.averages:
            message.averages.add(size=mean.size, count=mean.count, share=mean.share, churn=mean.churn, lost=mean.lost)
    return response


def read_retention_actors(request: pb.QueryRetentionActorsRequest) -> RetentionActorsQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _ACTORS_DEFAULTS)
    retention = read_retention(request.retention)
    return RetentionActorsQuery(
        retention=retention,
        column=read_column(request),
        period=request.period,
        outcome=read_word(Outcome, pb.RetentionOutcome, request.outcome, "outcome"),
        part=read_part_of(request),
        page=read_page(request),
    )


def write_retention_actors(page: ActorPage) -> pb.QueryRetentionActorsResponse:
    """The answer, without what it cost."""
    response = pb.QueryRetentionActorsResponse()
    write_page(page, response.page)
    return response
