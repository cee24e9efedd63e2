"""Who reached a step of a funnel, and who was lost there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.actors import MOMENTS, REACHED, Actors, read_actors
from burgee_server.insights.funnel.model import AboutFunnel
from burgee_server.insights.words import Part, QueryInfo, TimeRange
from burgee_server.ports.warehouse import Statement, from_micros


class Outcome(StrEnum):
    """What became of somebody at a step."""

    REACHED = "reached"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class FunnelActorsQuery(AboutFunnel):
    """Asks who reached a step, numbered from 1, or reached the one before and was lost. `part` None: of every part."""

    step: int
    outcome: Outcome = Outcome.REACHED
    part: Part | None = None
    after: str = ""
    limit: int = 100

    @property
    def range(self) -> TimeRange:
        """The funnel's; nothing is compared, since a list is of one span."""
        return self.funnel.range.only


@dataclass(frozen=True, slots=True)
class FunnelActor:
    """A user or group, and when it reached each step that it reached, on the way that counts."""

    key: str
    moments: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class FunnelActors:
    """Those after `after`, in the byte order of their keys."""

    actors: tuple[FunnelActor, ...]
    has_more: bool
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class FunnelActorsPlan:
    """A checked question and its statement."""

    statements: tuple[Statement]
    limit: int

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FunnelActors:
        """At most as many as were asked for; the statement gives one more, if there is one."""
        actors = [FunnelActor(key, tuple(map(from_micros, moments))) for key, moments in rows[0]]
        return FunnelActors(tuple(actors[: self.limit]), len(actors) > self.limit, info)


def plan_funnel_actors(query: FunnelActorsQuery, asked: Asked) -> FunnelActorsPlan:
    """Check a question and write its SQL. Raises Invalid."""
    actors = read_actors(query.funnel, asked)
    first = 1 if query.outcome is Outcome.REACHED else 2  # nobody is lost before the first
    if not first <= query.step <= len(query.funnel.steps):
        raise Invalid.of("step", f"must be {first} to {len(query.funnel.steps)}")
    if query.part is not None and actors.split is None:
        raise Invalid.of("part", "there is no breakdown to have parts")
    return FunnelActorsPlan((actors.scope.statement(_sql(query, actors)),), query.limit)


def _sql(query: FunnelActorsQuery, actors: Actors) -> str:
    who = f"reached >= {query.step}" if query.outcome is Outcome.REACHED else f"reached = {query.step - 1}"
    after = f"actor > {actors.scope.bind(query.after, 'String')}"
    limit = actors.scope.bind(query.limit + 1, "UInt32")
    source = actors.of_part(query.part, REACHED, MOMENTS)
    return f"SELECT actor, moments FROM ({source}) WHERE {who} AND {after} ORDER BY actor LIMIT {limit}"
