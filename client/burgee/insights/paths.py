"""Paths: what people do after an event, before one, or from one to another."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, ClassVar

from burgee.insights.words import Answered, Asking, Happening, QueryInfo, read_info, whole, write_count, write_happening
from burgee.v1 import paths_pb2


@dataclass(frozen=True, slots=True)
class PathGroup:
    """Items that match a pattern (RE2, anywhere in the name) are called `label`."""

    pattern: str
    label: str


@dataclass(frozen=True, slots=True)
class PathNode:
    """An item at a step: in how many paths, of how many actors, and in how many of them nothing followed."""

    step: int
    item: str
    paths: int
    actors: int
    ended: int


@dataclass(frozen=True, slots=True)
class PathEdge:
    """From an item at a step to the next: in how many paths, of how many actors, and how long it took."""

    step: int
    source: str
    target: str
    paths: int
    actors: int
    mean: timedelta
    median: timedelta


@dataclass(frozen=True, slots=True)
class Paths(Answered):
    """Paths, laid over each other. Steps count from 1; with only an end, the end is at the last step.

    `nodes_left_out` and `edges_left_out` are how many more there are beyond the limit.
    """

    paths: int
    actors: int
    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    nodes_left_out: int
    edges_left_out: int
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = (
        "step",
        "source",
        "target",
        "paths",
        "actors",
        "mean_seconds",
        "median_seconds",
    )

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict an edge: step, source, target, paths, actors, mean_seconds, median_seconds."""
        rows = [asdict(edge) for edge in self.edges]
        for row in rows:
            row |= {f"{name}_seconds": row.pop(name).total_seconds() for name in ("mean", "median")}
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PathsQuery(Asking):
    """Asks for paths: after `start`, before `end`, or from one to the other; without either, from whatever is first.

    `only` and `without` choose the events; `groups` and the event property `name_by` say what items are called. A path
    ends where nothing happens for longer than `gap` (30 minutes). `steps` (5) and `limit` (50) unless they are given.
    """

    method: ClassVar[str] = "QueryPaths"
    answer: ClassVar[type] = Paths

    start_event: str | Happening | None = None
    end_event: str | Happening | None = None
    only: Sequence[str | Happening] = ()
    without: Sequence[str | Happening] = ()
    groups: Sequence[PathGroup] = ()
    name_by: str = ""
    gap: timedelta | None = None
    steps: int = 0
    limit: int = 0
    min_weight: int = 0
    max_weight: int = 0
    count_by: str = "user"

    def write(self) -> paths_pb2.QueryPathsRequest:
        """See Query."""
        request = paths_pb2.QueryPathsRequest(
            start_event=None if self.start_event is None else write_happening(self.start_event),
            end_event=None if self.end_event is None else write_happening(self.end_event),
            only=map(write_happening, self.only),
            without=map(write_happening, self.without),
            groups=[paths_pb2.PathGroup(pattern=group.pattern, label=group.label) for group in self.groups],
            name_by=self.name_by,
            count_by=self.count_by,
            steps=write_count("steps", self.steps),
            limit=write_count("limit", self.limit),
            min_weight=write_count("min_weight", self.min_weight),
            max_weight=write_count("max_weight", self.max_weight),
            **self.words(),
        )
        if self.gap is not None:
            request.gap.FromTimedelta(self.gap)
        return request

    @staticmethod
    @whole
    def read(response: paths_pb2.QueryPathsResponse) -> Paths:
        """See Query."""
        return Paths(
            response.paths,
            response.actors,
            tuple(PathNode(node.step, node.item, node.paths, node.actors, node.ended) for node in response.nodes),
            tuple(
                PathEdge(
                    edge.step,
                    edge.source,
                    edge.target,
                    edge.paths,
                    edge.actors,
                    edge.mean.ToTimedelta(),
                    edge.median.ToTimedelta(),
                )
                for edge in response.edges
            ),
            response.nodes_left_out,
            response.edges_left_out,
            read_info(response.info),
        )
