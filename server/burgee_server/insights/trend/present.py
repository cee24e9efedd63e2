"""Who was there in which part and column of a trend, gathered in one pass over the events."""

from collections.abc import Sequence
from datetime import datetime

from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.trend.numbered import PARTS_BESIDES

_BITS = 64
_MOST_NUMBERS = 128
"""A kilobyte for each of those who are counted."""


def fits(split: Split, columns: Sequence[datetime]) -> bool:
    """Whether a bit for each column of each part is little enough to have for each of those who are counted."""
    return _parts(split) * _numbers(columns) <= _MOST_NUMBERS


def in_cells(split: Split, columns: Sequence[datetime], rows: str) -> str:
    """A query for `part`, `column`, whether it `is_total`, and `n`: how many different ones of `counted` were there.

    `rows` is a query for `part`, `column` and `counted`. They are grouped by `counted` alone; the total of a part comes
    after its last column.
    """
    numbers, width = _numbers(columns), len(columns) + 1
    words = _parts(split) * numbers
    word = f"part * {numbers} + intDiv(column, {_BITS})"
    bits = f"groupBitOrResample(0, {words}, 1)(bitShiftLeft(toUInt64(1), column % {_BITS}), {word}) AS words"
    first = f"intDiv(word, {numbers}) * {width} + word % {numbers} * {_BITS}"
    of_word = f"arrayMap(bit -> toUInt32({first} + bit), bitPositionsToArray(bits))"
    cells = f"arrayFlatten(arrayMap((bits, word) -> {of_word}, words, range({words})))"
    parts = f"arrayDistinct(arrayMap(cell -> intDiv(cell, {width}), cells))"
    totals = f"arrayMap(part -> toUInt32(part * {width} + {len(columns)}), {parts})"
    actors = f"SELECT {cells} AS cells FROM (SELECT {bits} FROM ({rows}) GROUP BY counted)"
    each = f"SELECT arrayJoin(arrayConcat(cells, {totals})) AS cell FROM ({actors})"
    return (
        f"SELECT intDiv(cell, {width}) AS part, cell % {width} AS column, column = {len(columns)} AS is_total, n"
        f" FROM (SELECT cell, count() AS n FROM ({each}) GROUP BY cell)"
    )


def _parts(split: Split) -> int:
    return split.limit + PARTS_BESIDES


def _numbers(columns: Sequence[datetime]) -> int:
    """How many numbers have a bit for each column."""
    return -(-len(columns) // _BITS)
