"""Numbers of an answer beside those of the span to compare with."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import burgee
from burgee_server.cli.query.options import change_text

_BESIDE: Mapping[type, tuple[Sequence[str], Sequence[str]]] = {
    burgee.Funnel: (("part", "step"), ("count", "conversion_from_first")),
    burgee.FunnelTimes: (("part", "step"), ("median",)),
    burgee.FunnelOverTime: (("part", "time"), ("conversion",)),
    burgee.FunnelComparison: (("step",), ("difference",)),
    burgee.FunnelCorrelation: (("event", "property", "value"), ("odds_ratio",)),
    burgee.Retention: (("part", "column", "period"), ("share",)),
    burgee.Lifecycle: (("column",), ("active",)),
    burgee.Stickiness: (("part", "columns"), ("at_least_share",)),
    burgee.Paths: (("step", "source", "target"), ("paths",)),
    burgee.FeatureUsage: (("label",), ("users",)),
}
"""Of each kind of answer but trends: what tells its rows apart, and what of them is held against another span."""


def totals_before(trend: burgee.Trend) -> list[list[float | str | None]]:
    """For each row its total in the span to compare with and the change since; nothing where none is compared.

    A part may be shown in one of the two only.
    """
    if trend.previous is None:
        return [[] for _ in trend.rows]
    totals = {(row.series, row.label, row.part): row.total for row in trend.previous.rows}
    before = [totals.get((row.series, row.label, row.part)) for row in trend.rows]
    return [
        [total, "–" if total is None else change_text(row.total, total)]
        for row, total in zip(trend.rows, before, strict=True)
    ]


def heads_before(trend: burgee.Trend) -> list[str]:
    """What stands above these."""
    return ["before", "change"] if trend.previous is not None else []


def since_text(now: float, before: float) -> str:
    """How a total has changed, in a line of its own."""
    return f"since then {change_text(now, before)}"


def rows_before(answer: Any) -> tuple[list[str], list[list[Any]]]:
    """For each row of an answer its numbers in the other span, below their names; nothing where no span is compared.

    A row is held against the same of the other span, and one of the second column of time against that of the second.
    """
    keys, names = _BESIDE.get(type(answer), ((), ()))
    rows = answer.to_rows()
    if answer.previous is None or not names:
        return [], [[] for _ in rows]
    others = answer.previous.to_rows()
    before = dict(zip(_placed(others, keys), ([row[name] for name in names] for row in others), strict=True))
    return list(names), [before.get(key, [None] * len(names)) for key in _placed(rows, keys)]


def _placed(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """What tells each row from the others in any span: a moment is known by its place among those of the rows."""
    moments = sorted({value for row in rows for key in keys if isinstance(value := row[key], datetime)})
    places = {moment: place for place, moment in enumerate(moments)}
    seen = Counter[tuple[Any, ...]]()
    for row in rows:
        told = tuple(places.get(row[key], row[key]) for key in keys)
        seen[told] += 1  # a funnel may have the same step twice
        yield (*told, seen[told])
