"""The question checked, and its answer put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from burgee.evaluation.model import USER
from burgee.evaluation.pattern import Pattern, PatternError
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.paths.model import PathEdge, PathNode, Paths, PathsQuery
from burgee_server.insights.paths.ways import WaysWriter
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.limits import require_name, require_property
from burgee_server.insights.words import QueryInfo
from burgee_server.ports.warehouse import Statement

MIN_STEPS, DEFAULT_STEPS, MAX_STEPS = 2, 5, 20
DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
MAX_GROUPS = 50
MAX_MATCHES = 50
MAX_PATTERN = 1000


@dataclass(frozen=True, slots=True)
class PathsPlan:
    """Checked paths and their statement."""

    statements: tuple[Statement]

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Paths:
        """The rows of the statement, told apart."""
        paths = actors = all_nodes = all_edges = 0
        nodes, edges = list[PathNode](), list[PathEdge]()
        for kind, step, source, target, count, who, ended, mean, median, of_kind in rows[0]:
            if kind == "path":
                paths, actors = count, who
            elif kind == "node":
                nodes.append(PathNode(step, source, count, who, ended))
                all_nodes = of_kind
            else:
                edges.append(PathEdge(step, source, target, count, who, _time(mean), _time(median)))
                all_edges = of_kind
        nodes.sort(key=lambda node: (node.step, -node.paths, node.item))
        edges.sort(key=lambda edge: (edge.step, -edge.paths, edge.source, edge.target))
        left_out = (all_nodes - len(nodes), all_edges - len(edges))
        return Paths(paths, actors, tuple(nodes), tuple(edges), *left_out, info)


def plan_paths(query: PathsQuery, asked: Asked) -> PathsPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if query.steps and not MIN_STEPS <= query.steps <= MAX_STEPS:
        raise Invalid.of("steps", f"must be {MIN_STEPS} to {MAX_STEPS}")
    if query.limit > MAX_LIMIT:
        raise Invalid.of("limit", f"must be at most {MAX_LIMIT}")
    if query.gap <= timedelta(0):
        raise Invalid.of("gap", "must be longer than nothing")
    if query.max_weight and query.max_weight < query.min_weight:
        raise Invalid.of("max_weight", f"must not be less than min_weight ({query.min_weight})")
    if query.count_by != USER:
        require_group_type(query.count_by, asked.terms.group_types, "count_by")
    require_property(query.name_by, "name_by")
    for name, matches in (("only", query.only), ("without", query.without)):
        if len(matches) > MAX_MATCHES:
            raise Invalid.of(name, f"at most {MAX_MATCHES}")
    if len(query.groups) > MAX_GROUPS:
        raise Invalid.of("groups", f"at most {MAX_GROUPS}")
    for index, group in enumerate(query.groups):
        require_name(group.label, f"groups[{index}].label")
        require_name(group.pattern, f"groups[{index}].pattern", MAX_PATTERN)
        if not group.label:
            raise Invalid.of(f"groups[{index}].label", "must not be empty")
        try:
            Pattern(group.pattern)
        except PatternError as error:
            raise Invalid.of(f"groups[{index}].pattern", str(error)) from error
    return PathsPlan((WaysWriter(query, asked, query.steps or DEFAULT_STEPS).statement(query.limit or DEFAULT_LIMIT),))


def _time(micros: float | None) -> timedelta:
    return timedelta(microseconds=round(micros or 0))
