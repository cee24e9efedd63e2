"""How a funnel converts those who enter it in each interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.actors import ENTRIES, Actors, read_actors
from burgee_server.insights.funnel.model import AboutFunnel
from burgee_server.insights.funnel.plan import rank
from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.words import Interval, Part, QueryInfo
from burgee_server.ports.warehouse import Statement

MAX_COUNTS = 500_000
"""How many numbers an answer may have."""


@dataclass(frozen=True, slots=True)
class FunnelOverTimeQuery(AboutFunnel):
    """Asks how many of those who took the first step in a column reached each step, within the window from there."""

    interval: Interval = Interval.DAY


@dataclass(frozen=True, slots=True)
class FunnelOverTimeRow:
    """One part: for each column, how many reached each step."""

    part: Part | None
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class FunnelOverTime:
    """The answer. `is_over` says of a column whether everybody's window was over, in the range and by now."""

    columns: tuple[datetime, ...]
    is_over: tuple[bool, ...]
    rows: tuple[FunnelOverTimeRow, ...]
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class FunnelOverTimePlan:
    """A checked question and its statement."""

    statements: tuple[Statement]
    columns: tuple[datetime, ...]
    is_over: tuple[bool, ...]
    steps: int
    split: Split | None

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FunnelOverTime:
        """From rows of (kind, value, column, how many reached each step)."""
        nothing = (0,) * self.steps
        found: dict[Part | None, list[tuple[int, ...]]] = {}
        if self.split is None:
            found[None] = [nothing] * len(self.columns)
        for kind, value, column, *counts in rows[0]:
            part = self.split.part(kind, value) if self.split else None
            line = found.setdefault(part, [nothing] * len(self.columns))
            line[column] = tuple(counts)
        lines = [FunnelOverTimeRow(part, tuple(line)) for part, line in found.items()]
        lines.sort(key=lambda row: rank(row.part, sum(counts[0] for counts in row.counts)))
        return FunnelOverTime(self.columns, self.is_over, tuple(lines), info)


def plan_funnel_over_time(query: FunnelOverTimeQuery, asked: Asked) -> FunnelOverTimePlan:
    """Check a question and write its SQL. Raises Invalid."""
    actors = read_actors(query.funnel, asked)
    columns = asked.span.columns(query.interval)
    steps = len(query.funnel.steps)
    parts = actors.split.limit + 2 if actors.split else 1
    if len(columns) * steps * parts > MAX_COUNTS:
        raise Invalid.of(
            "interval", f"{len(columns)} columns of {steps} steps in {parts} parts: at most {MAX_COUNTS} counts"
        )
    ends = [*columns[1:], asked.span.end]
    known_until = min(asked.now, asked.span.end)
    is_over = tuple(end <= known_until and known_until - end >= query.funnel.window for end in ends)
    statement = actors.scope.statement(_sql(actors, columns))
    return FunnelOverTimePlan((statement,), columns, is_over, steps, actors.split)


def _sql(actors: Actors, columns: Sequence[datetime]) -> str:
    """The best way of each in each column; whose every way that gets furthest in it is spoiled is not in it."""
    counts = ", ".join(f"countIf(reached >= {number})" for number in range(1, len(actors.query.steps) + 1))
    entries = f"SELECT part_kind, part_value, actor, arrayJoin(entries) AS entry FROM ({actors.parts(ENTRIES)})"
    column = position_sql(actors.scope, columns, "toInt64(entry.1)")
    best = (
        f"SELECT part_kind, part_value, {column} AS column, max(entry.2) AS clean, max(entry.3) AS most,"
        f" if(clean = most, clean, 0) AS reached FROM ({entries}) GROUP BY part_kind, part_value, actor, column"
    )
    return (
        f"SELECT part_kind, part_value, column, {counts} FROM ({best}) WHERE reached > 0"
        " GROUP BY part_kind, part_value, column"
    )
