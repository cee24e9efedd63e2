"""Who is behind a number of an answer: every key, page by page as the server gives them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

import burgee
from burgee_server.cli.moments import read_time
from burgee_server.cli.output import print_csv, print_json
from burgee_server.cli.query.options import Asking, info_document, info_text, tell_unknown


def print_keys(
    client: burgee.Client, asking: Asking, query_for: Callable[[str], burgee.Query[burgee.ActorPage]]
) -> None:
    """Print what `query_for` a page token asks for, page after page: a key a line, or as JSON or CSV.

    What it cost is said beside the keys, for all pages together, or is in the JSON.
    """
    pages = [client.ask(query_for(""))]
    asking.save(client, query_for(""))
    while token := pages[-1].next_page_token:
        pages.append(client.ask(query_for(token)))
    keys = [key for page in pages for key in page.keys]
    info = replace(
        pages[0].info,
        elapsed=sum((page.info.elapsed for page in pages), timedelta()),
        rows_read=sum(page.info.rows_read for page in pages),
    )
    if asking.as_json:
        print_json({"keys": keys, "info": info_document(info), "asked": pages[0].asked})
        return
    if asking.as_csv:
        print_csv(["key"], ({"key": key} for key in keys))
    else:
        for key in keys:
            click.echo(key)
        click.echo("" if keys else "nobody: ", err=True, nl=False)
        click.echo(info_text(info), err=True)
    tell_unknown(info.unknown_events, info.unknown_properties)


def require_one_span(asking: Asking) -> None:
    """Raise click.UsageError for a list that is to be compared with one of another span."""
    if asking.words["compare"]:
        raise click.UsageError("--compare: a list is of one span; for another, ask again with its --start and --end")


def column_of(text: str | None, columns: Sequence[datetime], zone: ZoneInfo) -> datetime:
    """The column that a date, or RFC 3339, names; the last if there is none. Raises click.UsageError."""
    if not columns:
        raise click.UsageError("--who: nobody is in the answer")
    if text is None:
        return columns[-1]
    try:
        moment = read_time(text, zone)
    except ValueError:
        raise click.UsageError(f"--column {text!r}: a date, such as 2026-03-02, or RFC 3339") from None
    if moment not in columns:
        first, last = (column.astimezone(zone).isoformat() for column in (columns[0], columns[-1]))
        raise click.UsageError(f"--column {text!r}: no column begins then; the first begins {first}, the last {last}")
    return moment
