"""What every insight is asked with on the command line, and how its cost is shown."""

from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from burgee.insights import Part, QueryInfo
from burgee_server.cli.conditions import where_option
from burgee_server.cli.output import as_json

_span = (
    click.option("--start", default="-30d", show_default=True, help="A date, RFC 3339, or relative such as -90d."),
    click.option("--end", default="now", show_default=True, help="The first moment after, in the same forms."),
    click.option("--time-zone", default="UTC", show_default=True, help="An IANA time zone."),
    click.option(
        "--by",
        metavar="ATTRIBUTE",
        multiple=True,
        help="Split by company.key, event.plan, user.role, ...; given two or three times, by their combinations.",
    ),
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


def read_event(text: str) -> tuple[str, str]:
    """The event and the action that a word names: `@activated` is an action, `@@x` the event `@x`."""
    if text.startswith("@@"):
        return text[1:], ""
    return ("", text[1:]) if text.startswith("@") else (text, "")


def zone_of(name: str) -> ZoneInfo:
    """UTC for what is none: the server says so."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def window_of(text: str) -> timedelta:
    """Such as 14d. Raises click.UsageError."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdigit():
        raise click.UsageError(f"--window {text!r}: a whole number and s, m, h or d, such as 14d")
    try:
        return timedelta(**{units[unit]: int(number)})
    except OverflowError as error:
        raise click.UsageError(f"--window {text!r}: longer than any time there is") from error


def part_text(part: Part | None) -> str | None:
    """As people read it."""
    return None if part is None else str(part)


def info_document(info: QueryInfo) -> dict[str, object]:
    """As programs read it."""
    return {
        "start": info.start.isoformat(),
        "end": info.end.isoformat(),
        "complete_until": info.complete_until.isoformat(),
        "elapsed_seconds": info.elapsed.total_seconds(),
        "rows_read": info.rows_read,
    }


def print_info(info: QueryInfo) -> None:
    """As people read it."""
    click.echo(
        f"{info.start:%Y-%m-%d %H:%M} to {info.end:%Y-%m-%d %H:%M} UTC · complete until "
        f"{info.complete_until:%Y-%m-%d %H:%M:%S} UTC · {info.rows_read:,} rows in {info.elapsed.total_seconds():.2f} s"
    )
