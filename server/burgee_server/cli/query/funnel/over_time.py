"""`burgee query funnel-over-time`: conversion by when they entered."""

from collections.abc import Sequence

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
        compared = ["before"] if answer.previous else []
        others = {row.part: row.counts for row in answer.previous.rows} if answer.previous else {}
        for row in answer.rows:
            lines = []
            before = others.get(row.part, ())
            for index, (column, counts) in enumerate(zip(answer.columns, row.counts, strict=True)):
                share = _share(counts)
                name = column_text(column.start.astimezone(asking.zone), interval)
                beside = [f"{_share(before[index]):.1%}" if index < len(before) else None for _ in compared]
                lines.append([name, *counts, f"{share:.1%}{'' if column.is_over else ' +'}", *beside, Bar(share, 1)])
            steps = [f"step {number}" for number in range(1, len(query.steps) + 1)]
            title = f"{asking.by}: {row.part}" if asking.by else f"{way_text(query)}, by when they entered"
            print_table([interval, *steps, "converted", *compared, ""], lines, title)
        if not all(column.is_over for column in answer.columns):
            click.echo(f"+ the {window_text(query)} are not over for everybody")

    asking.show(
        asking.ask(client, burgee.FunnelOverTimeQuery(funnel=query, interval=interval)),
        lambda answer: {"rows": [{**row, "time": row["time"].isoformat()} for row in answer.to_rows()]},
        table,
    )


def _share(counts: Sequence[int]) -> float:
    """Of those who entered, who got to the last step."""
    return counts[-1] / counts[0] if counts[0] else 0.0
