"""Which column of time an event lies in, as SQL."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from burgee_server.insights.sql.scope import Scope
from burgee_server.ports.warehouse import to_micros

_MOST_RUNS = 8
_WIDER_THAN_ANY = 1 << 62


def column_sql(scope: Scope, columns: Sequence[datetime], moment: str = "timestamp") -> str:
    """The beginning of the column that an event, or any moment, lies in.

    Counted off where columns are of one width, as all are but months and the days on which clocks change: that costs
    a third of looking them up.
    """
    micros = f"toUnixTimestamp64Micro({moment})"
    beginnings = [to_micros(column) for column in columns]
    runs = _runs(beginnings)
    if len(runs) > _MOST_RUNS:
        return f"roundDown({micros}, {scope.bind(beginnings, 'Array(Int64)')})"
    bound = [(scope.bind(start, "Int64"), scope.bind(width, "Int64")) for start, width in runs]
    counted = [f"{micros} - ({micros} - {start}) % {width}" for start, width in bound]
    until = [f"{micros} < {start}" for start, _ in bound[1:]]
    branches = [part for pair in zip(until, counted, strict=False) for part in pair]
    sql = f"multiIf({', '.join([*branches, counted[-1]])})" if branches else counted[0]
    return f"least({sql}, {scope.bind(beginnings[-1], 'Int64')})"  # the last may be wider than those before it


def position_sql(scope: Scope, columns: Sequence[datetime], micros: str) -> str:
    """The number, from 0, of the column that a moment lies in; of the first or the last, if in none. A UInt16."""
    beginnings = [to_micros(column) for column in columns]
    runs = _runs(beginnings)
    if len(runs) > _MOST_RUNS:
        bound = scope.bind(beginnings, "Array(Int64)")
        numbers = scope.bind(list(range(len(beginnings))), "Array(UInt16)")
        return f"transform(roundDown({micros}, {bound}), {bound}, {numbers}, toUInt16(0))"
    counted = [
        f"intDiv({micros} - {scope.bind(start, 'Int64')}, {scope.bind(width, 'Int64')}) + {beginnings.index(start)}"
        for start, width in runs
    ]
    until = [f"{micros} < {scope.bind(start, 'Int64')}" for start, _ in runs[1:]]
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
