"""How many got from the first step to the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.actors import REACHED, Actors, read_actors
from burgee_server.insights.funnel.model import Attribution, Funnel, FunnelQuery, FunnelRow, FunnelStep
from burgee_server.insights.shares import share
from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.words import Part, PartKind, QueryInfo
from burgee_server.ports.warehouse import Statement


@dataclass(frozen=True, slots=True)
class FunnelPlan:
    """A checked funnel and its statement."""

    statements: tuple[Statement]
    labels: tuple[str, ...]
    split: Split | None

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Funnel:
        """The funnels, the one with the greatest first step first, "other" last."""
        funnels = []
        for kind, value, *counts in rows[0]:
            part = self.split.part(kind, value) if self.split else None
            funnels.append(FunnelRow(part, counted(self.labels, counts)))
        return Funnel(tuple(sorted(funnels, key=lambda row: rank(row.part, row.steps[0].count))), info)


def plan_funnel(query: FunnelQuery, asked: Asked) -> FunnelPlan:
    """Check a question and write its SQL. Raises Invalid."""
    actors = read_actors(query, asked)
    statement = actors.scope.statement(_sql(actors))
    return FunnelPlan((statement,), query.labels, actors.split)


def counted(labels: Sequence[str], counts: Sequence[int]) -> tuple[FunnelStep, ...]:
    """The steps, from how many reached each."""
    before = [counts[0], *counts]
    return tuple(
        FunnelStep(label, count, share(count, counts[0]), share(count, previous))
        for label, count, previous in zip(labels, counts, before, strict=False)
    )


def rank(part: Part | None, size: int) -> tuple[bool, int, str]:
    """In which order parts are shown."""
    return part is not None and part.kind is PartKind.OTHER, -size, str(part or "")


def _sql(actors: Actors) -> str:
    """Rows of (kind, value, how many reached each step)."""
    counts = [f"countIf(reached >= {number}) AS n{number}" for number in range(1, len(actors.query.steps) + 1)]
    if actors.split is None:
        return f"SELECT 0, '', {', '.join(counts)} FROM ({actors.reached()})"
    if actors.query.attribution is Attribution.ALL_STEPS:
        parts = f"SELECT part_kind, part_value, {', '.join(counts)} FROM ({actors.parts(REACHED)})"
        return f"{parts} GROUP BY part_kind, part_value"
    # Everybody has one value, so "other" adds up: the values are ranked, and not the actors.
    values = f"SELECT split, {', '.join(counts)} FROM ({actors.source(REACHED)}) GROUP BY split"
    ranked = (
        f"SELECT *, row_number() OVER (PARTITION BY isNull(split) ORDER BY n1 DESC, split) AS place FROM ({values})"
    )
    kind = f"multiIf(isNull(split), 1, place <= {actors.scope.bind(actors.split.limit, 'UInt32')}, 0, 2)"
    sums = [f"sum(n{number})" for number in range(1, len(actors.query.steps) + 1)]
    return (
        f"SELECT {kind} AS kind, if(kind = 0, assumeNotNull(split), '') AS value, {', '.join(sums)} FROM ({ranked})"
        " GROUP BY kind, value"
    )
