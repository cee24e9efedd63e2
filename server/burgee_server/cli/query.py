"""`burgee query`: insights as tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

import burgee
from burgee.evaluation import Condition
from burgee.insights import Part, QueryInfo
from burgee_server.cli.charts import bar, sparkline
from burgee_server.cli.conditions import where_option
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, print_json, print_table

_span = (
    click.option("--start", default="-30d", show_default=True, help="A date, RFC 3339, or relative such as -90d."),
    click.option("--end", default="now", show_default=True, help="The first moment after, in the same forms."),
    click.option("--time-zone", default="UTC", show_default=True, help="An IANA time zone."),
    click.option("--by", "breakdown", metavar="ATTRIBUTE", help="Split by company.key, event.plan, user.role, ..."),
    click.option(
        "--limit",
        type=click.IntRange(1, 1_000),
        default=10,
        show_default=True,
        help="How many parts of a split are shown.",
    ),
    where_option,
    as_json,
)


def span_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that every insight takes."""
    for option in reversed(_span):
        command = option(command)
    return command


@click.group()
def query() -> None:
    """Ask about usage, by user and by company."""


@query.command()
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
    breakdown: str | None,
    limit: int,
    conditions: Sequence[Condition],
    as_json: bool,
) -> None:
    """How much over time: of EVENT, or of every event."""
    answer = client.trend(
        event,
        measure=measure,
        property=property_,
        group_type=group_type,
        interval=interval,
        start=start,
        end=end,
        time_zone=time_zone,
        breakdown=burgee.Breakdown(breakdown, limit) if breakdown else None,
        where=list(conditions),
    )
    zone = _zone(time_zone)
    columns = [column.astimezone(zone) for column in answer.columns]
    if as_json:
        rows = [
            {"label": row.label, "part": _part(row.part), "total": row.total, "values": row.values}
            for row in answer.rows
        ]
        print_json({"columns": [column.isoformat() for column in columns], "rows": rows, "info": _info(answer.info)})
        return
    title = f"{measure} of {event or 'every event'} by {interval}"
    if breakdown:
        print_table(
            [breakdown, f"{_column(columns[0], interval)} to {_column(columns[-1], interval)}", "last", "total"],
            [[_part(row.part), sparkline(row.values), row.values[-1], row.total] for row in answer.rows],
            title,
        )
    else:
        values, total = answer.rows[0].values, answer.rows[0].total
        lines = [[_column(c, interval), v, bar(v, max(values))] for c, v in zip(columns, values, strict=True)]
        print_table([interval, measure, ""], [*lines, ["total", total, ""]], title)
    _print_info(answer.info)


@query.command()
@click.argument("steps", nargs=-1, required=True)
@click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company.")
@click.option("--window", default="14d", show_default=True, help="How long the way may take: 30m, 12h, 14d.")
@span_options
@with_client
def funnel(
    client: burgee.Client,
    steps: Sequence[str],
    count_by: str,
    window: str,
    start: str,
    end: str,
    time_zone: str,
    breakdown: str | None,
    limit: int,
    conditions: Sequence[Condition],
    as_json: bool,
) -> None:
    """How many get from one event to the next: STEPS are two or more event names, in order."""
    answer = client.funnel(
        steps,
        count_by=count_by,
        window=_window(window),
        start=start,
        end=end,
        time_zone=time_zone,
        breakdown=burgee.Breakdown(breakdown, limit) if breakdown else None,
        where=list(conditions),
    )
    if as_json:
        print_json({"rows": answer.to_rows(), "info": _info(answer.info)})
        return
    for row in answer.rows:
        print_table(
            ["step", count_by, "of the first", "of the one before"],
            [
                [step.label, step.count, f"{step.conversion_from_first:.1%}", f"{step.conversion_from_previous:.1%}"]
                for step in row.steps
            ],
            title=f"{breakdown}: {row.part}" if row.part else f"within {window}",
        )
    _print_info(answer.info)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _window(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdigit():
        raise click.UsageError(f"--window {text!r}: a whole number and s, m, h or d, such as 14d")
    try:
        return timedelta(**{units[unit]: int(number)})
    except OverflowError as error:
        raise click.UsageError(f"--window {text!r}: longer than any time there is") from error


def _column(column: datetime, interval: str) -> str:
    return column.strftime({"hour": "%Y-%m-%d %H:%M", "month": "%Y-%m"}.get(interval, "%Y-%m-%d"))


def _part(part: Part | None) -> str | None:
    return None if part is None else str(part)


def _info(info: QueryInfo) -> dict[str, object]:
    return {
        "start": info.start.isoformat(),
        "end": info.end.isoformat(),
        "complete_until": info.complete_until.isoformat(),
        "elapsed_seconds": info.elapsed.total_seconds(),
        "rows_read": info.rows_read,
    }


def _print_info(info: QueryInfo) -> None:
    click.echo(
        f"{info.start:%Y-%m-%d %H:%M} to {info.end:%Y-%m-%d %H:%M} UTC · complete until "
        f"{info.complete_until:%Y-%m-%d %H:%M:%S} UTC · {info.rows_read:,} rows in {info.elapsed.total_seconds():.2f} s"
    )
