"""`burgee query retention`: who comes back."""

from dataclasses import asdict
from typing import Any

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.happenings import EVENT, happening_text
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, column_text, part_text
from burgee_server.cli.query.people import column_of, print_keys, require_one_span

_LATER = {"on_or_after": ", or after that"}
_OWN = {"rolling": ", counted from the own start"}


@click.command()
@click.argument("start_event", type=EVENT, default="")
@click.argument("return_event", type=EVENT, required=False)
@click.option("--interval", default="week", show_default=True, help="hour, day, week, month, quarter or year.")
@click.option("--periods", type=click.IntRange(1, 200), default=8, show_default=True, help="How many after the first.")
@click.option("--starts", default="first_time", show_default=True, help="first_time (ever), or recurring.")
@click.option("--window", default="calendar", show_default=True, help="calendar, or rolling from the own start.")
@click.option("--returns", default="on", show_default=True, help="on, or on_or_after.")
@click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company.")
@click.option("--churn", is_flag=True, help="Show who is not there, in place of who is.")
@click.option("--who", metavar="OUTCOME", help="List those who returned, left (are not there), or were lost.")
@click.option("--column", metavar="DATE", help="With --who: of the row that begins then; else of the last.")
@click.option("--period", type=click.IntRange(0), default=1, show_default=True, help="With --who: by which period.")
@asking_options
@with_client
def retention(
    client: burgee.Client,
    start_event: burgee.Happening,
    return_event: burgee.Happening | None,
    interval: str,
    periods: int,
    starts: str,
    window: str,
    returns: str,
    count_by: str,
    churn: bool,
    who: str | None,
    column: str | None,
    period: int,
    asking: Asking,
) -> None:
    """Who comes back: of those with START_EVENT, who has RETURN_EVENT in the periods after it.

    Each is an event or an action (`@activated`); without RETURN_EVENT it is the same, without either it is any event.
    """
    query = burgee.RetentionQuery(
        start_event=start_event,
        return_event=start_event if return_event is None else return_event,
        interval=interval,
        periods=periods,
        starts=starts,
        window=window,
        returns=returns,
        count_by=count_by,
        breakdown=asking.breakdown,
        **asking.words,
    )
    if who is not None:
        require_one_span(asking)
        answer = client.ask(query)
        begin = column_of(column, [row.column for row in answer.tables[0].rows] if answer.tables else [], asking.zone)
        print_keys(
            client,
            asking,
            lambda token: burgee.RetentionActorsQuery(
                retention=query, column=begin, period=period, outcome=who, page_size=1_000, page_token=token
            ),
        )
        return
    answer = asking.ask(client, query)

    def document(retention: burgee.Retention) -> dict[str, Any]:
        return {"tables": [_document(table) for table in retention.tables]}

    def table(retention: burgee.Retention) -> None:
        _print_tables(retention, query, asking, churn)

    asking.show(answer, document, table)


def _print_tables(retention: burgee.Retention, query: burgee.RetentionQuery, asking: Asking, churn: bool) -> None:
    """One table, or one for each part; above them, of whom and what."""
    title = _title(query, churn)
    if asking.by:
        click.echo(title)
    for each in retention.tables:
        lines = [
            [
                column_text(row.column.astimezone(asking.zone), query.interval),
                row.size,
                *(_cell(cell, churn) if row.size else "" for cell in row.cells),
            ]
            for row in each.rows
        ]
        lines.append(["of all that are over", *_means(each, churn)])
        if retention.previous:
            before = next((other for other in retention.previous.tables if other.part == each.part), None)
            lines.append(["before", *(_means(before, churn) if before else [None] * (query.periods + 2))])
        print_table(
            [query.interval, query.count_by, *(str(period) for period in range(query.periods + 1))],
            lines,
            f"{asking.by}: {each.part}" if asking.by else title,
        )
    cells = (cell for each in retention.tables for row in each.rows if row.size for cell in row.cells)
    if any(cell.state == "partial" for cell in cells):
        click.echo("* is not over for everybody")


def _means(table: burgee.RetentionTable, churn: bool) -> list[object]:
    """How many started, and what became of them in each period."""
    means = [_share(mean.churn if churn else mean.share) if mean.size else "" for mean in table.averages]
    return [sum(row.size for row in table.rows), *means]


def _title(query: burgee.RetentionQuery, churn: bool) -> str:
    start, return_ = happening_text(query.start_event), happening_text(query.return_event)
    first = "the first" if query.starts == "first_time" else "each"
    return (
        f"{query.count_by} by {query.interval} of {first} {start.removeprefix('any ')};"
        f" share {'without' if churn else 'with'} {return_} so many {query.interval}s later"
        f"{_LATER.get(query.returns, '')}{_OWN.get(query.window, '')}"
    )


def _cell(cell: burgee.RetentionCell, churn: bool) -> str:
    if cell.state == "future":
        return ""
    return _share(cell.churn if churn else cell.share) + ("*" if cell.state == "partial" else "")


def _share(share: float) -> str:
    return f"{share:.1%}"


def _document(table: burgee.RetentionTable) -> dict[str, Any]:
    return {
        "part": part_text(table.part),
        "rows": [
            {"column": row.column.isoformat(), "size": row.size, "cells": [asdict(cell) for cell in row.cells]}
            for row in table.rows
        ],
        "averages": [asdict(mean) for mean in table.averages],
    }
