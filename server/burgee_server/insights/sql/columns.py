"""Which column of time an event lies in, as SQL."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from burgee_server.insights.sql.scope import DAY_MICROS, Scope, day_of
from burgee_server.ports.warehouse import to_micros

_MOST_COMPARED = 16
"""Up to so many columns, comparing with where each begins is the quickest."""
_MOST_RUNS = 8
_WIDER_THAN_ANY = 1 << 62
_DAYS = 1 << 16
"""How many days ClickHouse counts."""


def position_sql(scope: Scope, columns: Sequence[datetime], micros: str = "") -> str:
    """The number, from 0, of the column that a moment lies in; of the first or the last, if in none. A UInt16.

    `micros` is the moment; empty: that of an event. Of an event, the day says it where columns are whole days in UTC:
    where each is one day, by how many days it is after the first. Few columns are compared with, one by one; more are
    counted off where they are of one width, as all are but months and the days on which clocks change, which costs a
    third of looking them up.
    """
    days = [day_of(column) for column in columns]
    whole = [day for day in days if day is not None]
    if micros or len(whole) < len(columns):
        return _position(scope, [to_micros(column) for column in columns], micros or scope.placed(columns))
    if whole[0] >= 0 and whole[-1] - whole[0] == len(whole) - 1 and whole[-1] < _DAYS:
        first, last = (scope.bind(day, "UInt16") for day in (whole[0], whole[-1]))
        return f"toUInt16(greatest({first}, least(toUInt16(events.day), {last})) - {first})"
    return _position(scope, whole, "toUInt16(events.day)")


def moment_sql(scope: Scope, borders: Sequence[datetime]) -> str:
    """An event's moment in microseconds; or where its day begins, if that lies between the same of these borders."""
    if all(day_of(border) is not None for border in borders):
        return f"toInt64(events.day) * {DAY_MICROS}"
    return scope.placed(borders)


def _position(scope: Scope, beginnings: Sequence[int], value: str) -> str:
    if 1 < len(beginnings) <= _MOST_COMPARED:
        begun = [f"({value} >= {scope.bind(begin, 'Int64')})" for begin in beginnings[1:]]
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
