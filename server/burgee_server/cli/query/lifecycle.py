"""`burgee query lifecycle`: who is new, returns, comes back to life or goes dormant."""

from dataclasses import asdict
from typing import Any

import click

import burgee
from burgee_server.cli.charts import Bar
from burgee_server.cli.connection import with_client
from burgee_server.cli.happenings import EVENT, happening_text
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import PARTIAL, Asking, asking_options, column_text
from burgee_server.cli.query.people import column_of, print_keys, require_one_span


@click.command()
@click.argument("event", type=EVENT, default="")
@click.option("--interval", default="week", show_default=True, help="hour, day, week, month, quarter or year.")
@click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company.")
@click.option("--who", metavar="STAGE", help="List those who are new, returning, resurrecting or dormant.")
@click.option("--column", metavar="DATE", help="In the column that begins then; else in the last.")
@asking_options
@with_client
def lifecycle(
    client: burgee.Client,
    event: burgee.Happening,
    interval: str,
    count_by: str,
    who: str | None,
    column: str | None,
    asking: Asking,
) -> None:
    """Who is new, returns, comes back after a gap or goes dormant: by EVENT, an action (`@activated`), or any event."""
    if asking.breakdown is not None:
        raise click.UsageError("--by: a lifecycle is not split; narrow it with --where")
    query = burgee.LifecycleQuery(event=event, interval=interval, count_by=count_by, **asking.words)
    if who is not None:
        require_one_span(asking)
        answer = client.ask(query)
        begin = column_of(column, [each.column for each in answer.columns], asking.zone)
        print_keys(
            client,
            asking,
            lambda token: burgee.LifecycleActorsQuery(
                lifecycle=query, column=begin, stage=who, page_size=1_000, page_token=token
            ),
        )
        return
    answer = asking.ask(client, query)

    def document(lifecycle: burgee.Lifecycle) -> dict[str, Any]:
        return {"columns": [asdict(each) | {"column": each.column.isoformat()} for each in lifecycle.columns]}

    def table(lifecycle: burgee.Lifecycle) -> None:
        others = lifecycle.previous.columns if lifecycle.previous else ()
        compared = ["before"] if lifecycle.previous else []
        most = max((each.active for each in lifecycle.columns), default=0)
        lines = [
            [
                column_text(each.column.astimezone(asking.zone), interval) + ("" if each.complete else "*"),
                each.new,
                each.returning,
                each.resurrecting,
                each.dormant,
                each.active,
                *((others[index].active if index < len(others) else None) for _ in compared),
                Bar(each.active, most),
            ]
            for index, each in enumerate(lifecycle.columns)
        ]
        print_table(
            [interval, "new", "returning", "resurrecting", "dormant", "active", *compared, ""],
            lines,
            f"{count_by} by {interval}, {happening_text(event)}",
        )
        if not all(each.complete for each in lifecycle.columns):
            click.echo(PARTIAL)

    asking.show(answer, document, table)
