"""`burgee query trend`: how much, over time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

import burgee
from burgee.insights import QueryInfo
from burgee_server.cli.charts import Bar, Sparkline
from burgee_server.cli.connection import with_client
from burgee_server.cli.happenings import EVENT, happening_text, label_of
from burgee_server.cli.output import print_table
from burgee_server.cli.query.compared import heads_before, since_text, totals_before
from burgee_server.cli.query.options import (
    PARTIAL,
    Asking,
    asking_options,
    column_text,
    is_whole,
    part_text,
)


@click.command()
@click.argument("events", metavar="[EVENT]...", type=EVENT, nargs=-1)
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
    events: Sequence[burgee.Happening],
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
    happenings = events or [burgee.Happening()]
    answer = asking.ask(
        client,
        burgee.TrendQuery(
            series=[_series(event, measure, property_, group_type, per) for event in happenings],
            formulas=formulas,
            cumulative=cumulative,
            moving_average=moving_average,
            interval=interval,
            breakdown=asking.breakdown,
            **asking.words,
        ),
    )

    title = (
        f"{measure}{f' per {per}' if per else ''}{f' of {property_}' if property_ else ''}"
        f" of {', '.join(map(happening_text, happenings))} by {interval}"
        f"{', each with all before it' if cumulative else ''}"
        f"{f', mean of {moving_average}' if moving_average else ''}"
    )

    def columns(trend: burgee.Trend) -> list[datetime]:
        return [column.astimezone(asking.zone) for column in trend.columns]

    def document(trend: burgee.Trend) -> dict[str, Any]:
        rows = [
            {"label": row.label, "part": part_text(row.part), "total": row.total, "values": row.values}
            for row in trend.rows
        ]
        return {"columns": [column.isoformat() for column in columns(trend)], "rows": rows}

    def name(column: datetime, info: QueryInfo) -> str:
        star = "" if is_whole(column, interval, asking.zone, info) else "*"
        return column_text(column, interval) + star

    def table(trend: burgee.Trend) -> None:
        names = [name(column, trend.info) for column in columns(trend)]
        if asking.by or len(trend.rows) > 1:
            heads = [*([""] if len(events) + len(formulas) > 1 else []), *([asking.by] if asking.by else [])]
            _print_rows(trend, heads, f"{names[0]} to {names[-1]}", title)
        else:
            _print_columns(trend, [interval, measure, ""], names, title)
        if any(each.endswith("*") for each in names):
            click.echo(PARTIAL)

    asking.show(answer, document, table)


def _series(of: burgee.Happening, measure: str, property_: str, group_type: str, per: str) -> burgee.Series:
    return burgee.Series(of.event, measure, property_, group_type, of.where, label_of(of), of.action, per)


def _print_columns(trend: burgee.Trend, heads: Sequence[str], names: Sequence[str], title: str) -> None:
    """The one row of an answer: a line a column of time."""
    [row] = trend.rows
    values = zip(names, row.values, strict=True)
    lines: list[list[Any]] = [[name, value, Bar(value, max(row.values))] for name, value in values]
    lines.append(["total", row.total, ""])
    if trend.previous:
        before = trend.previous.rows[0].total
        lines.append(["before", before, since_text(row.total, before)])
    print_table(heads, lines, title)


def _print_rows(trend: burgee.Trend, heads: Sequence[str], span: str, title: str) -> None:
    """A line a row, beside its total in the span to compare with."""
    lines = [
        [*_names(row, heads), Sparkline(row.values), row.values[-1], row.total, *before]
        for row, before in zip(trend.rows, totals_before(trend), strict=True)
    ]
    print_table([*heads, span, "last", "total", *heads_before(trend)], lines, title)


def _names(row: burgee.TrendRow, heads: Sequence[str]) -> list[str | None]:
    """The label under an empty head, the part under the other."""
    return [part_text(row.part) if head else row.label for head in heads]
