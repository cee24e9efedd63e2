"""What paths are asked and answer: plain frozen values. Words and limits are those of paths.proto."""

from dataclasses import dataclass
from datetime import timedelta

from burgee.evaluation import USER, Filter
from burgee_server.insights.words import LATELY, Happening, QueryInfo, TimeRange

DEFAULT_GAP = timedelta(minutes=30)
"""How long nothing may happen within a path, where its caller does not say."""


@dataclass(frozen=True, slots=True)
class PathGroup:
    """Items that match a pattern (RE2, anywhere in the name) are taken together, under a label."""

    pattern: str
    label: str


@dataclass(frozen=True, slots=True)
class PathsQuery:
    """Asks for paths. `start_event` and `end_event`: None where a path may begin, or end, with anything.

    `name_by` is an event property whose text names an item, where an event has it; else its event does.
    A weight is a number of paths; `max_weight` 0: any.
    """

    start_event: Happening | None = None
    end_event: Happening | None = None
    only: tuple[Happening, ...] = ()
    without: tuple[Happening, ...] = ()
    groups: tuple[PathGroup, ...] = ()
    name_by: str = ""
    range: TimeRange = LATELY
    time_zone: str = ""
    gap: timedelta = DEFAULT_GAP
    steps: int = 0
    limit: int = 0
    min_weight: int = 0
    max_weight: int = 0
    count_by: str = USER
    filter: Filter | None = None


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
class Paths:
    """The answer to a PathsQuery. Steps count from 1; where only an end was given, the last step is the end.

    `nodes_left_out` and `edges_left_out` are how many more there are, beyond the limit.
    """

    paths: int
    actors: int
    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    nodes_left_out: int
    edges_left_out: int
    info: QueryInfo
