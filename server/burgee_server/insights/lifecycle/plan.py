"""Who is new, returns, comes back to life or goes dormant: checks, SQL, and rows to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.lifecycle.model import (
    Lifecycle,
    LifecycleActorsQuery,
    LifecycleColumn,
    LifecycleQuery,
    Stage,
)
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.sql.events import events_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.paged import ActorsPlan, paged
from burgee_server.insights.sql.positions import Positions
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import QueryInfo
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, Statement

_STAGES = tuple(Stage)
_BEFORE = 2
"""The columns before those that are shown: the one that decides who returns, and before it one for all of history."""


@dataclass(frozen=True, slots=True)
class LifecyclePlan:
    """A checked lifecycle and its statement. `columns`: two before, those that are shown, and where the last ends."""

    statements: tuple[Statement]
    asked: Asked
    columns: tuple[datetime, ...]

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Lifecycle:
        """Every column, with zeros where nobody is."""
        counts = {(position, _STAGES[stage]): count for position, stage, count in rows[0]}
        columns = []
        for position in range(_BEFORE, len(self.columns) - 1):
            new, returning, resurrecting, dormant = (counts.get((position, stage), 0) for stage in _STAGES)
            complete = self.columns[position + 1] <= min(self.asked.now, self.asked.span.end)
            columns.append(LifecycleColumn(self.columns[position], new, returning, resurrecting, -dormant, complete))
        return Lifecycle(tuple(columns), info)


def plan_lifecycle(query: LifecycleQuery, asked: Asked) -> LifecyclePlan:
    """Check a question and write its SQL. Raises Invalid."""
    scope, columns = Scope(asked), _columns(query, asked)
    # Both in one small number, by which ClickHouse counts without a hash.
    many = len(_STAGES)
    stays = [f"arrayMap(p -> toUInt16(p * {many} + {number}), {stage.value})" for number, stage in enumerate(_STAGES)]
    sql = (
        f"SELECT intDiv(stay, {many}) AS position, stay % {many} AS stage, count() FROM"
        f" {_actors(query, asked, scope, columns)} ARRAY JOIN arrayConcat({', '.join(stays)}) AS stay GROUP BY stay"
    )
    return LifecyclePlan((scope.statement(sql),), asked, columns)


def plan_lifecycle_actors(query: LifecycleActorsQuery, asked: Asked) -> ActorsPlan:
    """Check a question and write its SQL. Raises Invalid."""
    scope = Scope(asked)
    columns = _columns(query.lifecycle, asked)
    actors = _actors(query.lifecycle, asked, scope, columns)
    if query.column not in columns[_BEFORE:-1]:
        raise Invalid.of("column", "is not where a column begins")
    position = scope.bind(columns.index(query.column), "UInt16")
    return paged(scope, query.page, actors, [f"has({query.stage.value}, {position})"])


def _columns(query: LifecycleQuery, asked: Asked) -> tuple[datetime, ...]:
    return asked.span.columns(query.interval, before=_BEFORE, after=1)


def _actors(query: LifecycleQuery, asked: Asked, scope: Scope, columns: Sequence[datetime]) -> str:
    """A source with a row for each actor: for each stage the positions at which it is at it, an array."""
    if query.count_by != USER:
        require_group_type(query.count_by, asked.terms.group_types, "count_by")
    writer, actor = FilterWriter(scope, asked), scope.event_key(query.count_by)
    active = Positions("active", len(columns) - 1)
    where = [f"NOT {actor.missing}", *events_of(query.event, writer, "event"), *writer.where(query.filter, "filter")]
    # All that ever was, because who was there long ago is not new: it is all in the first column.
    position = f"{position_sql(scope, columns[:-1])} AS position"
    events = scope.events([f"{actor.text} AS actor", position], where, since=FIRST_TIMESTAMP)
    actors = f"SELECT actor, {active.gathered()} FROM ({events}) GROUP BY actor"
    first = f"arrayMin({active.listed})"
    shown = f"arrayFilter(p -> p >= {_BEFORE} AND p <= {len(columns) - 2}, {{}})"
    stages = {
        Stage.NEW: f"[{first}]",
        Stage.RETURNING: active.after_another,
        Stage.RESURRECTING: f"arrayFilter(p -> p != {first}, {active.after_a_gap})",
        Stage.DORMANT: active.gaps,
    }
    select = ", ".join(
        f"arrayMap(p -> toUInt16(p), {shown.format(stages[stage])}) AS {stage.value}" for stage in _STAGES
    )
    return f"(SELECT actor, {select} FROM ({actors}))"
