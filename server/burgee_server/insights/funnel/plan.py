"""How many got from the first step to the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.model import Funnel, FunnelQuery, FunnelRow, FunnelStep, Step
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.breakdown import Split, check_breakdown
from burgee_server.insights.sql.events import events_of, names_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.limits import require_name
from burgee_server.insights.sql.scope import Scope, event_key
from burgee_server.insights.words import PartKind, QueryInfo
from burgee_server.ports.warehouse import Statement

MIN_STEPS, MAX_STEPS = 2, 20


@dataclass(frozen=True, slots=True)
class FunnelPlan:
    """A checked funnel and its statement."""

    statements: tuple[Statement]
    steps: tuple[Step, ...]
    split: Split | None

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Funnel:
        """The funnels, the one with the greatest first step first, "other" last."""
        funnels = []
        for kind, value, *counts in rows[0]:
            part = self.split.part(kind, value) if self.split else None
            funnels.append(FunnelRow(part, self._steps(counts)))
        return Funnel(tuple(sorted(funnels, key=_rank)), info)

    def _steps(self, counts: list[int]) -> tuple[FunnelStep, ...]:
        before = [counts[0], *counts]
        return tuple(
            FunnelStep(
                step.label or step.event or step.action, count, _share(count, counts[0]), _share(count, previous)
            )
            for step, count, previous in zip(self.steps, counts, before, strict=False)
        )


def plan_funnel(query: FunnelQuery, asked: Asked) -> FunnelPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if not MIN_STEPS <= len(query.steps) <= MAX_STEPS:
        raise Invalid.of("steps", f"must have {MIN_STEPS} to {MAX_STEPS} steps")
    if query.window <= timedelta(0):
        raise Invalid.of("window", "must be longer than nothing")
    if query.count_by != USER:
        require_group_type(query.count_by, asked.group_types, "count_by")
    split = check_breakdown(query.breakdown, asked.group_types)
    scope = Scope(asked)
    writer = FilterWriter(scope, asked)
    actor = event_key(query.count_by)
    steps = [_step(step, writer, f"steps[{index}]") for index, step in enumerate(query.steps)]
    select = [
        f"{actor.text} AS actor",
        "toUInt64(toUnixTimestamp64Micro(timestamp)) AS at",
        *(f"{condition} AS step{number}" for number, condition in enumerate(steps, 1)),
    ]
    where = [f"NOT {actor.missing}", *writer.where(query.filter, "filter")]
    names = [each for each in names_of(query.steps, asked) if each is not None]
    every = frozenset[str]().union(*names)
    if len(names) == len(steps):
        where.append(f"event IN {scope.bind(sorted(every), 'Array(String)')}")
    each_event_has_one_step = len(names) == len(steps) and len(every) == sum(map(len, names))
    reached = _reached(scope, query.window, len(steps), each_event_has_one_step)
    if split is None:
        actors = f"SELECT {reached} AS reached FROM ({scope.events(select, where)}) GROUP BY actor"
        sql = f"SELECT 0, '', {_counts(len(steps))} FROM ({actors})"
    else:
        events = scope.events([*select, f"{split.column()} AS value", "UUIDToNum(uuid) AS id"], where)
        first = "argMinIf(tuple(value), (at, id), step1).1 AS split"  # the lesser uuid, of two at one moment
        actors = f"SELECT {reached} AS reached, {first} FROM ({events}) GROUP BY actor HAVING reached > 0"
        sql = _split_sql(scope, split, actors, len(steps))
    return FunnelPlan((scope.statement(sql),), query.steps, split)


def _step(step: Step, writer: FilterWriter, path: str) -> str:
    require_name(step.label, f"{path}.label")
    return f"({' AND '.join(events_of(step, writer, path) or ['1'])})"


def _reached(scope: Scope, window: timedelta, steps: int, each_event_has_one_step: bool) -> str:
    """How many steps an actor reached. Micros in, micros for the window: windowFunnel has no unit of its own.

    Events of one moment count as in order. One event could serve two steps only if it can match both;
    'strict_once' forbids that and takes a third longer.
    """
    micros = scope.bind(window // timedelta(microseconds=1), "UInt64")
    mode = "" if each_event_has_one_step else ", 'strict_once'"
    conditions = ", ".join(f"step{number}" for number in range(1, steps + 1))
    return f"windowFunnel({micros}{mode})(at, {conditions})"


def _counts(steps: int) -> str:
    return ", ".join(f"countIf(reached >= {number}) AS n{number}" for number in range(1, steps + 1))


def _split_sql(scope: Scope, split: Split, actors: str, steps: int) -> str:
    """Rows of (kind, value, how many reached each step); each actor has one value, so "other" adds up."""
    values = f"SELECT split, {_counts(steps)} FROM {split.values(scope, actors)} GROUP BY split"
    ranked = f"SELECT *, row_number() OVER (PARTITION BY isNull(split) ORDER BY n1 DESC, split) AS rank FROM ({values})"
    kind = f"multiIf(isNull(split), 1, rank <= {scope.bind(split.limit, 'UInt32')}, 0, 2)"
    sums = ", ".join(f"sum(n{number})" for number in range(1, steps + 1))
    return (
        f"SELECT {kind} AS kind, if(kind = 0, assumeNotNull(split), '') AS value, {sums} FROM ({ranked})"
        " GROUP BY kind, value"
    )


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def _rank(row: FunnelRow) -> tuple[bool, int, str]:
    is_other = row.part is not None and row.part.kind is PartKind.OTHER
    return is_other, -row.steps[0].count, str(row.part or "")
