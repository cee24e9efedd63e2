"""Who is behind the numbers of an answer: a question for some of them, and how many must be there."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from burgee_server.insights.funnel import (
    Funnel,
    FunnelActorsQuery,
    FunnelComparisonQuery,
    FunnelQuery,
    Outcome,
    Side,
    plan_funnel_actors,
    plan_funnel_comparison,
)
from burgee_server.insights.lifecycle import (
    Lifecycle,
    LifecycleActorsQuery,
    LifecycleQuery,
    Stage,
    plan_lifecycle_actors,
)
from burgee_server.insights.retention import (
    CellState,
    Retention,
    RetentionActorsQuery,
    RetentionQuery,
    plan_retention_actors,
)
from burgee_server.insights.retention import Outcome as Return
from burgee_server.insights.stickiness import (
    Stickiness,
    StickinessActorsQuery,
    StickinessQuery,
    plan_stickiness_actors,
)
from burgee_server.insights.words import Page, TimeRange

Behind = tuple[Any, Any, Any]
"""A plan, a question, and what its answer must be."""
ALL = Page("", 1000)


def behind(random: Random, query: Any, answer: Any) -> list[Behind]:
    """At most two of the questions that an answer raises, about the same span."""
    span = TimeRange(answer.info.start.isoformat(), answer.info.end.isoformat())
    raised = {
        FunnelQuery: _funnel,
        RetentionQuery: _retention,
        LifecycleQuery: _lifecycle,
        StickinessQuery: _stickiness,
    }
    if type(query) not in raised:
        return []
    every = list(raised[type(query)](replace(query, range=span), answer))
    return random.sample(every, min(2, len(every)))


def people(answer: Any) -> int:
    """How many a page has; all of them, in these worlds."""
    assert not answer.has_more
    return len(answer.actors if hasattr(answer, "actors") else answer.keys)


def _funnel(query: FunnelQuery, answer: Funnel) -> Iterator[Behind]:
    for row in answer.rows:
        counts = [step.count for step in row.steps]
        for step, count in enumerate(counts, 1):
            reached = FunnelActorsQuery(query, step, Outcome.REACHED, row.part, limit=1000)
            yield plan_funnel_actors, reached, (people, count)
            if step > 1:
                lost = FunnelActorsQuery(query, step, Outcome.LOST, row.part, limit=1000)
                yield plan_funnel_actors, lost, (people, counts[step - 2] - count)
        if row.part is not None:
            sides = FunnelComparisonQuery(query, Side(part=row.part), Side(part=answer.rows[0].part))
            yield plan_funnel_comparison, sides, (lambda found: [step.count for step in found.first.steps], counts)


def _retention(query: RetentionQuery, answer: Retention) -> Iterator[Behind]:
    for table in answer.tables:
        for row in table.rows:
            for period, cell in enumerate(row.cells):
                outcomes = {Return.RETURNED: cell.count, Return.LEFT: row.size - cell.count, Return.LOST: cell.lost}
                for outcome, count in outcomes.items():
                    asked = RetentionActorsQuery(query, row.column, period, outcome, table.part, ALL)
                    if cell.state is not CellState.FUTURE:
                        yield plan_retention_actors, asked, (people, count)


def _lifecycle(query: LifecycleQuery, answer: Lifecycle) -> Iterator[Behind]:
    for column in answer.columns:
        counts = (column.new, column.returning, column.resurrecting, -column.dormant)
        for stage, count in zip(Stage, counts, strict=True):
            yield plan_lifecycle_actors, LifecycleActorsQuery(query, column.column, stage, ALL), (people, count)


def _stickiness(query: StickinessQuery, answer: Stickiness) -> Iterator[Behind]:
    for row in answer.rows:
        for cell in row.cells:
            for or_more, count in ((False, cell.count), (True, cell.at_least)):
                asked = StickinessActorsQuery(query, cell.columns, or_more, row.part, ALL)
                yield plan_stickiness_actors, asked, (people, count)
