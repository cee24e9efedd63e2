"""`burgee query trend`: how much, over time."""

from collections.abc import Sequence
from datetime import datetime

import click

import burgee
from burgee.evaluation import Condition
from burgee_server.cli.charts import bar, sparkline
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_json, print_table
from burgee_server.cli.query.options import info_document, part_text, print_info, read_event, span_options, zone_of


@click.command()
@click.argument("event", default="")
@click.option("--measure", default="total", show_default=True, help="total, unique_users, unique_groups, sum, avg, ...")
@click.option("--property", "property_", default="", help="The event property that sum, avg, ... are of.")
@click.option("--group-type", default="", help="The type that unique_groups counts.")
@click.option("--interval", default="day", show_default=True, help="hour, day, week or month.")
@span_options
@with_client
def trend(
    client: burgee.Client,
    event: str,
    measure: str,
    property_: str,
    group_type: str,
    interval: str,
    start: str,
    end: str,
    time_zone: str,
    by: Sequence[str],
    limit: int,
    conditions: Sequence[Condition],
    as_json: bool,
) -> None:
    """How much over time: of EVENT, of an action (`@activated`), or of every event."""
    name, action = read_event(event)
    answer = client.trend(
        burgee.Series(name, measure, property_, group_type, action=action),
        interval=interval,
        start=start,
        end=end,
        time_zone=time_zone,
        breakdown=burgee.Breakdown(by, limit) if by else None,
        where=list(conditions),
    )
    zone = zone_of(time_zone)
    columns = [column.astimezone(zone) for column in answer.columns]
    if as_json:
        rows = [
            {"label": row.label, "part": part_text(row.part), "total": row.total, "values": row.values}
            for row in answer.rows
        ]
        print_json(
            {"columns": [column.isoformat() for column in columns], "rows": rows, "info": info_document(answer.info)}
        )
        return
    title = f"{measure} of {event or 'every event'} by {interval}"
    if by:
        print_table(
            [" / ".join(by), f"{_column(columns[0], interval)} to {_column(columns[-1], interval)}", "last", "total"],
            [[part_text(row.part), sparkline(row.values), row.values[-1], row.total] for row in answer.rows],
            title,
        )
    else:
        values, total = answer.rows[0].values, answer.rows[0].total
        lines = [[_column(c, interval), v, bar(v, max(values))] for c, v in zip(columns, values, strict=True)]
        print_table([interval, measure, ""], [*lines, ["total", total, ""]], title)
    print_info(answer.info)


def _column(column: datetime, interval: str) -> str:
    return column.strftime({"hour": "%Y-%m-%d %H:%M", "month": "%Y-%m"}.get(interval, "%Y-%m-%d"))
