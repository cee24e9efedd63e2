"""Paths."""

from burgee import wire
from burgee.evaluation import USER
from burgee.v1 import paths_pb2 as pb
from burgee_server.insights.paths import DEFAULT_GAP, DEFAULT_LIMIT, DEFAULT_STEPS, PathGroup, Paths, PathsQuery
from burgee_server.rpc.questions.words import fill_in, read_duration, read_match, read_range

_DEFAULTS = pb.QueryPathsRequest(count_by=USER, steps=DEFAULT_STEPS, limit=DEFAULT_LIMIT)
_DEFAULTS.gap.FromTimedelta(DEFAULT_GAP)


def read_paths(request: pb.QueryPathsRequest) -> PathsQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _DEFAULTS)
    return PathsQuery(
        start_event=read_match(request.start_event, "start_event") if request.HasField("start_event") else None,
        end_event=read_match(request.end_event, "end_event") if request.HasField("end_event") else None,
        only=tuple(read_match(match, f"only[{index}]") for index, match in enumerate(request.only)),
        without=tuple(read_match(match, f"without[{index}]") for index, match in enumerate(request.without)),
        groups=tuple(PathGroup(group.pattern, group.label) for group in request.groups),
        name_by=request.name_by,
        range=read_range(request.range),
        time_zone=request.time_zone,
        gap=read_duration(request.gap, "gap"),
        steps=request.steps,
        limit=request.limit,
        min_weight=request.min_weight,
        max_weight=request.max_weight,
        count_by=request.count_by,
        filter=wire.filter_from_proto(request.filter, "filter"),
    )


def write_paths(paths: Paths) -> pb.QueryPathsResponse:
    """The answer, without what it cost."""
    response = pb.QueryPathsResponse(
        paths=paths.paths,
        actors=paths.actors,
        nodes_left_out=paths.nodes_left_out,
        edges_left_out=paths.edges_left_out,
    )
    for node in paths.nodes:
        response.nodes.add(step=node.step, item=node.item, paths=node.paths, actors=node.actors, ended=node.ended)
    for edge in paths.edges:
        message = response.edges.add(
            step=edge.step, source=edge.source, target=edge.target, paths=edge.paths, actors=edge.actors
        )
        message.mean.FromTimedelta(edge.mean)
        message.median.FromTimedelta(edge.median)
    return response
