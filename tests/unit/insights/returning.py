"""Retention in plain Python, written to be read: what the SQL is held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.retention import RetentionQuery, Returns, Starts, Window
from burgee_server.insights.words import Happening
from tests.fixtures.warehouse import Fact
from tests.unit.insights.reference import by, once

WIDTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

Test = Callable[[Fact], bool]

HAPPENINGS: list[tuple[Happening, Test]] = [
    (Happening(), lambda fact: True),
    (Happening("a"), lambda fact: fact.event == "a"),
    (
        Happening("b", filter=Condition("company.key", Operator.NOT_EQUALS, ("acme",))),
        lambda fact: fact.event == "b" and fact.groups.get("company") != "acme",
    ),
]
"""Events to ask for, and how to tell them."""


@dataclass(frozen=True)
class Start:
    """One actor in one row: since when, and in which periods it is there."""

    actor: str
    value: str
    column: datetime
    periods: frozenset[int]


def starts(
    facts: Sequence[Fact],
    query: RetentionQuery,
    columns: Sequence[datetime],
    span: tuple[datetime, datetime],
    is_start: Test,
    is_return: Test,
) -> list[Start]:
    """Every actor in every row. `columns`: of starts, of the periods after them, and where the last ends."""
    found = []
    mine = [fact for fact in once(facts) if query.count_by == "user" or query.count_by in fact.groups]
    for actor, events in by(mine, lambda fact: actor_of(fact, query.count_by)).items():
        started = sorted((f for f in events if is_start(f) and f.timestamp < span[1]), key=earliest)
        if query.starts is Starts.FIRST_TIME:
            started = started[:1]
        started = [fact for fact in started if fact.timestamp >= span[0]]
        returns = [fact.timestamp for fact in events if is_return(fact)]
        seen = set()
        for fact in started:
            column = column_of(fact.timestamp, columns)
            if column not in seen:
                seen.add(column)
                there = periods(fact.timestamp, returns, query, columns)
                found.append(Start(actor, started[0].distinct_id, columns[column], there))
    return found


def actor_of(fact: Fact, count_by: str) -> str:
    """The user or the group."""
    return fact.distinct_id if count_by == "user" else fact.groups[count_by]


def earliest(fact: Fact) -> tuple[datetime, int]:
    """Of two at one moment, the one with the lesser uuid."""
    return fact.timestamp, UUID(fact.uuid).int


def column_of(moment: datetime, columns: Sequence[datetime]) -> int:
    """The last column that begins at the moment or before it."""
    return max(number for number, column in enumerate(columns) if column <= moment)


def periods(
    start: datetime, returns: Sequence[datetime], query: RetentionQuery, columns: Sequence[datetime]
) -> frozenset[int]:
    """Those, from 0, that somebody who started then is there in."""
    there = {0}
    for period in range(1, query.periods + 1):
        if query.window is Window.ROLLING:
            begin = start + WIDTHS[query.interval.value] * period
            end = begin + WIDTHS[query.interval.value]
        else:
            begin, end = columns[column_of(start, columns) + period], columns[column_of(start, columns) + period + 1]
        if any(begin <= moment and (moment < end or query.returns is Returns.ON_OR_AFTER) for moment in returns):
            there.add(period)
    return frozenset(there)
