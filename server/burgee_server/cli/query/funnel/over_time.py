"""`burgee query funnel-over-time`: conversion by when they entered."""

import click

import burgee
from burgee_server.cli.charts import Bar
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options, way_text, window_text
from burgee_server.cli.query.options import Asking, column_text


@click.command("funnel-over-time")
@funnel_options
@click.option("--interval", default="day", show_default=True, help="hour, day, week, month, quarter or year.")
@with_client
def over_time(client: burgee.Client, query: burgee.FunnelQuery, asking: Asking, interval: str) -> None:
    """How many of those who took the first step in each interval went on; + where some may still do so."""

    def table(answer: burgee.FunnelOverTime) -> None:
        for row in answer.rows:
            lines = []
            for column, counts in zip(answer.columns, row.counts, strict=True):
                share = counts[-1] / counts[0] if counts[0] else 0.0
                name = column_text(column.start.astimezone(asking.zone), interval)
                lines.append([name, *counts, f"{share:.1%}{'' if column.is_over else ' +'}", Bar(share, 1)])
            steps = [f"step {number}" for number in range(1, len(query.steps) + 1)]
            title = f"{asking.by}: {row.part}" if asking.by else f"{way_text(query)}, by when they entered"
            print_table([interval, *steps, "converted", ""], lines, title)
        if not all(column.is_over for column in answer.columns):
            click.echo(f"+ the {window_text(query)} are not over for everybody")

    asking.show(
        asking.ask(client, burgee.FunnelOverTimeQuery(funnel=query, interval=interval)),
        lambda answer: {"rows": [{**row, "time": row["time"].isoformat()} for row in answer.to_rows()]},
        table,
    )
