"""Which column of time an event lies in, as SQL."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from burgee_server.insights.sql.quarters import QUARTER, quarter_of, shifted_days
from burgee_server.insights.sql.scope import Scope
from burgee_server.ports.warehouse import to_micros

_MOST_COMPARED = 16
"""Up to so many columns, comparing with where each begins is the quickest."""
_MOST_RUNS = 8
_WIDER_THAN_ANY = 1 << 62


def position_sql(scope: Scope, columns: Sequence[datetime], micros: str = "") -> str:
    """The number, from 0, of the column that a moment lies in; of the first or the last, if in none. A UInt16.

    `micros` is the moment; empty: that of an event. Of an event, its day and its quarter of an hour say it, where
    columns begin with one: where each is one day, by how many days it is after the first. Few columns are compared
    with, one by one; more are counted off where they are of one width, as all are but months and the days on which
    clocks change, which costs a third of looking them up.
    """
    if micros:
        return _position(scope, [to_micros(column) for column in columns], micros)
    quarters = [quarter for column in columns if (quarter := quarter_of(column)) is not None]
    if len(quarters) < len(columns):
        return _position(scope, [to_micros(column) for column in columns], scope.borders.placed(columns))
    days = shifted_days(quarters)
    if days is None:
        return _position(scope, quarters, QUARTER)
    number, numbers = days.number(scope.bind), days.numbers
    if numbers[0] >= 0 and numbers[-1] - numbers[0] == len(numbers) - 1:
        first, last = (scope.bind(each, _type_of(numbers)) for each in (numbers[0], numbers[-1]))
        return f"toUInt16(greatest({first}, least({number}, {last})) - {first})"
    return _position(scope, numbers, number)


def _position(scope: Scope, beginnings: Sequence[int], value: str) -> str:
    if 1 < len(beginnings) <= _MOST_COMPARED:
        begun = [f"({value} >= {scope.bind(begin, _type_of(beginnings))})" for begin in beginnings[1:]]
        return f"toUInt16({' + '.join(begun)})"
    runs = _runs(beginnings)
    if len(runs) > _MOST_RUNS:
        bound = scope.bind(list(beginnings), "Array(Int64)")
        numbers = scope.bind(list(range(len(beginnings))), "Array(UInt16)")
        return f"transform(roundDown(toInt64({value}), {bound}), {bound}, {numbers}, toUInt16(0))"
    counted = [
        f"intDiv({value} - {scope.bind(start, 'Int64')}, {scope.bind(width, 'Int64')}) + {beginnings.index(start)}"
        for start, width in runs
    ]
    until = [f"{value} < {scope.bind(start, 'Int64')}" for start, _ in runs[1:]]
    branches = [part for pair in zip(until, counted, strict=False) for part in pair]
    sql = f"multiIf({', '.join([*branches, counted[-1]])})" if branches else counted[0]
    return f"toUInt16(greatest(0, least({sql}, {len(beginnings) - 1})))"


def _runs(beginnings: Sequence[int]) -> list[tuple[int, int]]:
    """Where each run of columns of one width begins, and that width."""
    runs: list[tuple[int, int]] = []
    for start, end in pairwise(beginnings):
        if not runs or runs[-1][1] != end - start:
            runs.append((start, end - start))
    return runs or [(beginnings[0], _WIDER_THAN_ANY)]


def _type_of(numbers: Sequence[int]) -> str:
    """The smallest type that has them all: ClickHouse compares a number with its like in less time."""
    return "UInt16" if min(numbers) >= 0 and max(numbers) < 1 << 16 else "Int64"
