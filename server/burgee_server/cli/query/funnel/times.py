"""`burgee query funnel-times`: how long it takes."""

from datetime import timedelta

import click

import burgee
from burgee_server.cli.charts import Bar
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options
from burgee_server.cli.query.options import Asking


@click.command("funnel-times")
@funnel_options
@click.option("--from-step", type=click.IntRange(1), help="From which step, from 1. Else the first.")
@click.option("--to-step", type=click.IntRange(1), help="To which. Else the last.")
@click.option("--bins", type=click.IntRange(1, 100), help="Of the histogram. Else the cube root of the count.")
@with_client
def times(
    client: burgee.Client,
    query: burgee.FunnelQuery,
    asking: Asking,
    from_step: int | None,
    to_step: int | None,
    bins: int | None,
) -> None:
    """How long it takes from each step to the next, and in all, with a histogram."""
    question = burgee.FunnelTimesQuery(funnel=query, from_step=from_step or 0, to_step=to_step or 0, bins=bins or 0)

    def table(times: burgee.FunnelTimes) -> None:
        if not times.rows:
            click.echo("none")
        compared = ["median before"] if times.previous else []
        others = {row.part: row for row in times.previous.rows} if times.previous else {}
        for row in times.rows:
            other = others.get(row.part)
            before = [each.median for each in (*other.steps, other.whole)] if other else [None] * (len(row.steps) + 1)
            print_table(
                ["step", query.count_by, "average", "median", *compared],
                [
                    [name, each.count, _text(each.average), _text(each.median), *(_text(median) for _ in compared)]
                    for name, each, median in zip(
                        [*(each.label for each in row.steps), "in all"], [*row.steps, row.whole], before, strict=True
                    )
                ],
                title=f"{asking.by}: {row.part}" if asking.by else "time to convert",
            )
            most = max((each.count for each in row.bins), default=0)
            print_table(
                ["from", "to", query.count_by, ""],
                [[_text(each.start), _text(each.end), each.count, Bar(each.count, most)] for each in row.bins],
            )

    asking.show(
        asking.ask(client, question),
        lambda times: {
            "rows": times.to_rows(),
            "bins": [
                {
                    "part": None if row.part is None else str(row.part),
                    "start": each.start.total_seconds(),
                    "end": each.end.total_seconds(),
                    "count": each.count,
                }
                for row in times.rows
                for each in row.bins
            ],
        },
        table,
    )


def _text(time: timedelta | None) -> str:
    """To the second: what is shorter is shown as it is."""
    if time is None:
        return "–"
    if time < timedelta(minutes=1):
        return f"{time / timedelta(seconds=1):g} s"
    return str(timedelta(seconds=round(time.total_seconds())))
