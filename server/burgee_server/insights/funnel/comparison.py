"""Whether two sides of a funnel convert differently: two companies, two cohorts, two values of a breakdown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from burgee.evaluation import AllOf, Filter
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.actors import REACHED, read_actors
from burgee_server.insights.funnel.model import AboutFunnel, FunnelStep
from burgee_server.insights.funnel.plan import counted
from burgee_server.insights.funnel.statistics import Interval, newcombe, significance, wilson
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import Part, QueryInfo
from burgee_server.ports.warehouse import Statement

DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Side:
    """Who is compared: the events that pass a filter, besides the funnel's; or a part of the funnel's breakdown."""

    filter: Filter | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class FunnelComparisonQuery(AboutFunnel):
    """Asks for two sides of a funnel, and how sure their difference is."""

    first: Side
    second: Side
    confidence: float = DEFAULT_CONFIDENCE


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """The funnel of a side, and an interval of the share that reached each step."""

    steps: tuple[FunnelStep, ...]
    shares: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the first side's share of a step less the second's: in all, its interval, and p that there is none."""

    label: str
    value: float
    interval: Interval
    p_value: float
    is_exact: bool
    """Whether p is of Fisher's exact test, and not of the z-test."""


@dataclass(frozen=True, slots=True)
class FunnelComparison:
    """The answer: `differences` of all steps but the first."""

    first: SideAnswer
    second: SideAnswer
    differences: tuple[Difference, ...]
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class FunnelComparisonPlan:
    """A checked question and its statements."""

    statements: tuple[Statement, Statement]
    labels: tuple[str, ...]
    confidence: float

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FunnelComparison:
        """From one row of counts each."""
        first, second = ([int(count) for count in side[0]] for side in rows)
        differences = [
            self._difference(label, first[0], second[0], a, b)
            for label, a, b in list(zip(self.labels, first, second, strict=True))[1:]
        ]
        return FunnelComparison(self._side(first), self._side(second), tuple(differences), info)

    def _side(self, counts: Sequence[int]) -> SideAnswer:
        shares = (wilson(count, counts[0], self.confidence) for count in counts)
        return SideAnswer(counted(self.labels, counts), tuple(shares))

    def _difference(self, label: str, of_a: int, of_b: int, a: int, b: int) -> Difference:
        value = (a / of_a if of_a else 0.0) - (b / of_b if of_b else 0.0)
        interval = newcombe(a, of_a, b, of_b, self.confidence)
        return Difference(label, value, interval, *significance(a, of_a, b, of_b))


def plan_funnel_comparison(query: FunnelComparisonQuery, asked: Asked) -> FunnelComparisonPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if not 0.5 <= query.confidence < 1:
        raise Invalid.of("confidence", "must be 0.5 or more, and less than 1")
    statements = (_statement(query, query.first, "first", asked), _statement(query, query.second, "second", asked))
    return FunnelComparisonPlan(statements, query.funnel.labels, query.confidence)


def _statement(query: FunnelComparisonQuery, side: Side, path: str, asked: Asked) -> Statement:
    funnel = query.funnel
    if (side.filter is None) == (side.part is None):
        raise Invalid.of(path, "must be a filter, or a part of the funnel's breakdown")
    if side.part is not None and funnel.breakdown is None:
        raise Invalid.of(f"{path}.part", "there is no breakdown to have parts")
    if side.filter is not None:
        # Read by itself, so that what is wrong with it is found under its own name.
        list(FilterWriter(Scope(asked), asked).where(side.filter, f"{path}.filter"))
        both = side.filter if funnel.filter is None else AllOf((funnel.filter, side.filter))
        funnel = replace(funnel, filter=both)
    actors = read_actors(funnel, asked)
    counts = ", ".join(f"countIf(reached >= {number})" for number in range(1, len(funnel.steps) + 1))
    return actors.scope.statement(f"SELECT {counts} FROM ({actors.of_part(side.part, REACHED)})")
