"""`burgee query trend`: how much, over time."""

from datetime import datetime
from typing import Any

import click

import burgee
from burgee_server.cli.charts import bar, sparkline
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, part_text, read_event


@click.command()
@click.argument("event", default="")
@click.option("--measure", default="total", show_default=True, help="total, unique_users, unique_groups, sum, avg, ...")
@click.option("--property", "property_", default="", help="The event property that sum, avg, ... are of.")
@click.option("--group-type", default="", help="The type that unique_groups counts.")
@click.option("--interval", default="day", show_default=True, help="hour, day, week, month, quarter or year.")
@asking_options
@with_client
def trend(
    client: burgee.Client,
    event: str,
    measure: str,
    property_: str,
    group_type: str,
    interval: str,
    asking: Asking,
) -> None:
    """How much over time: of EVENT, of an action (`@activated`), or of every event."""
    name, action = read_event(event)
    answer = client.ask(
        burgee.TrendQuery(
            series=[burgee.Series(name, measure, property_, group_type, action=action)],
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
        title = f"{measure} of {event or 'every event'} by {interval}"
        names = [_column(column, interval) for column in columns(trend)]
        if asking.by:
            print_table(
                [asking.by, f"{names[0]} to {names[-1]}", "last", "total"],
                [[part_text(row.part), sparkline(row.values), row.values[-1], row.total] for row in trend.rows],
                title,
            )
        else:
            values, total = trend.rows[0].values, trend.rows[0].total
            lines = [[name, value, bar(value, max(values))] for name, value in zip(names, values, strict=True)]
            print_table([interval, measure, ""], [*lines, ["total", total, ""]], title)

    asking.show(answer, document, table)


def _column(column: datetime, interval: str) -> str:
    if interval == "quarter":
        return f"{column.year}-Q{(column.month + 2) // 3}"
    return column.strftime({"hour": "%Y-%m-%d %H:%M", "month": "%Y-%m", "year": "%Y"}.get(interval, "%Y-%m-%d"))
