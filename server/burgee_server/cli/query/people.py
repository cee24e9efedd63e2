"""Who is behind a number of an answer: every key, page by page as the server gives them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import click

import burgee
from burgee_server.cli.output import print_csv, print_json
from burgee_server.cli.query.options import Asking, tell_unknown


def print_keys(
    client: burgee.Client, asking: Asking, query_for: Callable[[str], burgee.Query[burgee.ActorPage]]
) -> None:
    """Print what `query_for` a page token asks for, page after page: a key a line, or as JSON or CSV."""
    keys = _keys(client, query_for)
    if asking.as_json:
        print_json(list(keys))
    elif asking.as_csv:
        print_csv([{"key": key} for key in keys], "key")
    else:
        found = False
        for key in keys:
            found = True
            click.echo(key)
        if not found:
            click.echo("nobody", err=True)


def column_of(text: str | None, columns: Sequence[datetime], zone: ZoneInfo) -> datetime:
    """The column that a date, or RFC 3339, names; the last if there is none. Raises click.UsageError."""
    if not columns:
        raise click.UsageError("--who: nobody is in the answer")
    if text is None:
        return columns[-1]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--column {text!r}: a date, such as 2026-03-02, or RFC 3339") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment not in columns:
        first, last = (column.astimezone(zone).isoformat() for column in (columns[0], columns[-1]))
        raise click.UsageError(f"--column {text!r}: no column begins then; the first begins {first}, the last {last}")
    return moment


def _keys(client: burgee.Client, query_for: Callable[[str], burgee.Query[burgee.ActorPage]]) -> Iterator[str]:
    token = ""
    while True:
        page = client.ask(query_for(token))
        yield from page.keys
        token = page.next_page_token
        if not token:
            tell_unknown(page.info)
            return
