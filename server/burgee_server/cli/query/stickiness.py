"""`burgee query stickiness`: in how many columns of time everybody was active."""

from dataclasses import asdict
from typing import Any

import click

import burgee
from burgee_server.cli.charts import Bar
from burgee_server.cli.connection import with_client
from burgee_server.cli.happenings import EVENT
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, part_text
from burgee_server.cli.query.people import print_keys, require_one_span


@click.command()
@click.argument("event", type=EVENT, default="")
@click.option("--interval", default="day", show_default=True, help="hour, day, week, month, quarter or year.")
@click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company.")
@click.option("--who", metavar="N", type=click.IntRange(1), help="List those who were active in so many.")
@click.option("--or-more", is_flag=True, help="With --who: or in more.")
@asking_options
@with_client
def stickiness(
    client: burgee.Client,
    event: burgee.Happening,
    interval: str,
    count_by: str,
    who: int | None,
    or_more: bool,
    asking: Asking,
) -> None:
    """On how many days (weeks, ...) everybody was active: by EVENT, an action (`@activated`), or any event."""
    query = burgee.StickinessQuery(
        event=event, interval=interval, count_by=count_by, breakdown=asking.breakdown, **asking.words
    )
    if who is not None:
        require_one_span(asking)
        if asking.breakdown is not None:
            raise click.UsageError("--who lists those of the whole: narrow it with --where, not with --by")
        print_keys(
            client,
            asking,
            lambda token: burgee.StickinessActorsQuery(
                stickiness=query, columns=who, or_more=or_more, page_size=1_000, page_token=token
            ),
        )
        return
    answer = asking.ask(client, query)

    def document(stickiness: burgee.Stickiness) -> dict[str, Any]:
        rows = [
            {"part": part_text(row.part), "size": row.size, "cells": [asdict(cell) for cell in row.cells]}
            for row in stickiness.rows
        ]
        return {"rows": rows}

    def table(stickiness: burgee.Stickiness) -> None:
        previous = stickiness.previous.rows if stickiness.previous else ()
        before = {(row.part, cell.columns): _share(cell) for row in previous for cell in row.cells}
        compared = ["is", "before"] if stickiness.previous else []
        for row in stickiness.rows:
            print_table(
                [f"{interval}s", count_by, "", "so many or more", "", *compared],
                [
                    [
                        cell.columns,
                        cell.count,
                        f"{cell.share:.1%}",
                        cell.at_least,
                        Bar(cell.at_least_share, 1),
                        *([_share(cell), before.get((row.part, cell.columns))] if compared else []),
                    ]
                    for cell in row.cells
                ],
                f"{asking.by}: {row.part}" if asking.by else f"active in so many {interval}s",
            )

    asking.show(answer, document, table)


def _share(cell: burgee.StickinessCell) -> str:
    return f"{cell.at_least_share:.1%}"
