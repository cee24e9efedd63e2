"""Totals of a trend beside those of the span to compare with."""

import burgee
from burgee_server.cli.query.options import change_text


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
