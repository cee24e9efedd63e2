"""The parts of a breakdown as numbers: events are grouped by those several times as quickly as by texts."""

from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.sql.scope import Scope

PARTS_BESIDES = 2
"""Those whose values are missing have 0, those whose values are not shown 1; the values that are shown follow."""

_KIND = "multiIf(part = 0, 1, part = 1, 2, 0) AS kind, arrayConcat(['', ''], shown)[part + 1] AS value"
_OF_EVERY = "transform(assumeNotNull(split), every, range(toUInt32(length(every))), toUInt32(0))"


def most_counted(scope: Scope, split: Split, values: str, counted: str) -> str:
    """A query for the values that most different ones of `counted` have, the first by name of those with equally many.

    `values` is a source of `split`, each value there is, and `counted` one of `split` and `counted`.
    """
    some = f"SELECT split FROM {values} GROUP BY split HAVING isNotNull(split)"
    every = f"SELECT groupArray(assumeNotNull(split)) FROM ({some})"
    numbers = f"SELECT CAST({_OF_EVERY} AS UInt32) AS number, counted FROM {counted} WHERE isNotNull(split)"
    each = f"SELECT arrayJoin(groupUniqArray(number)) AS number FROM ({numbers}) GROUP BY counted"
    return (
        f"WITH ({every}) AS every SELECT every[number + 1] AS split FROM ({each}) GROUP BY number"
        f" ORDER BY count() DESC, split LIMIT {scope.bind(split.limit, 'UInt32')}"
    )


def numbered(source: str) -> str:
    """A query for the rows of a source, which has `split`, with the number of each one's `part`."""
    number = "transform(assumeNotNull(split), shown, range(toUInt16(2), toUInt16(length(shown) + 2)), toUInt16(1))"
    return f"SELECT *, CAST(if(isNull(split), toUInt16(0), {number}) AS UInt16) AS part FROM {source}"


def named(top: str | None, counts: str) -> str:
    """The statement for `kind` and `value` of each part, `column`, whether it `is_total`, and `n`.

    `counts` is a query for the same with the number of the `part`, and `top` one for the values that are shown; None:
    there is no breakdown, and all are one part.
    """
    shown = "" if top is None else f"WITH (SELECT groupArray(assumeNotNull(split)) FROM ({top})) AS shown "
    part = "0 AS kind, '' AS value" if top is None else _KIND
    return f"{shown}SELECT {part}, column, is_total, n FROM ({counts})"
