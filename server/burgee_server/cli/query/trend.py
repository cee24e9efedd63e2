"""`burgee query trend`: how much, over time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

import burgee
from burgee_server.cli.charts import Bar, Sparkline
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, column_text, part_text, read_event


@click.command()
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--measure", default="total", show_default=True, help="total, unique_users, unique_groups, sum, avg, ...")
@click.option("--property", "property_", default="", help="The event property that sum, avg, ... are of.")
@click.option("--group-type", default="", help="The type whose groups are counted.")
@click.option("--per", default="", help="Divide total or sum by those who have any: user, or a group type.")
@click.option("--formula", "formulas", multiple=True, help="A line more, such as 'A / B': A is the first event.")
@click.option("--cumulative", is_flag=True, help="Each column with all before it.")
@click.option("--moving-average", type=click.IntRange(0), default=0, help="Each column as the mean of so many.")
@click.option("--interval", default="day", show_default=True, help="hour, day, week, month, quarter or year.")
@asking_options
@with_client
def trend(
    client: burgee.Client,
    events: Sequence[str],
    measure: str,
    property_: str,
    group_type: str,
    per: str,
    formulas: Sequence[str],
    cumulative: bool,
    moving_average: int,
    interval: str,
    asking: Asking,
) -> None:
    """How much over time: of one EVENT or several, of actions (`@activated`), or of any event."""
    answer = client.ask(
        burgee.TrendQuery(
            series=[_series(event, measure, property_, group_type, per) for event in events or ("",)],
            formulas=formulas,
            cumulative=cumulative,
            moving_average=moving_average,
            interval=interval,
            breakdown=asking.breakdown,
            **asking.words,
        )
    )

    def columns(trend: burgee.Trend) -> list[datetime]:
        return [column.astimezone(asking.zone) for column in trend.columns]

    def document(trend: burgee.Trend) -> dict[str, Any]:
        rows = [
            {"label": row.label, "part": part_text(row.part), "total": row.total, "values": row.values}
            for row in trend.rows
        ]
        return {"columns": [column.isoformat() for column in columns(trend)], "rows": rows}

    def table(trend: burgee.Trend) -> None:
        title = f"{measure}{f' per {per}' if per else ''} of {', '.join(events) or 'any event'} by {interval}"
        names = [column_text(column, interval) for column in columns(trend)]
        if asking.by or len(trend.rows) > 1:
            heads = [*([""] if len(events) + len(formulas) > 1 else []), *([asking.by] if asking.by else [])]
            print_table(
                [*heads, f"{names[0]} to {names[-1]}", "last", "total"],
                [[*_names(row, heads), Sparkline(row.values), row.values[-1], row.total] for row in trend.rows],
                title,
            )
        else:
            values, total = trend.rows[0].values, trend.rows[0].total
            lines = [[name, value, Bar(value, max(values))] for name, value in zip(names, values, strict=True)]
            print_table([interval, measure, ""], [*lines, ["total", total, ""]], title)

    asking.show(answer, document, table)


def _series(event: str, measure: str, property_: str, group_type: str, per: str) -> burgee.Series:
    name, action = read_event(event)
    return burgee.Series(name, measure, property_, group_type, action=action, per=per)


def _names(row: burgee.TrendRow, heads: Sequence[str]) -> list[str | None]:
    """The label under an empty head, the part under the other."""
    return [part_text(row.part) if head else row.label for head in heads]
