"""`burgee companies`: who uses the product most."""

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, print_json, print_table


@click.command()
@click.option("--type", "group_type", default="company", show_default=True, help="The group type to list.")
@click.option("--event", default="", help="Count this event. Else every event.")
@click.option("--start", default="-30d", show_default=True, help="A date, RFC 3339, or relative such as -90d.")
@click.option("--end", default="now", show_default=True, help="The first moment after.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many to show, at most 1,000."
)
@as_json
@with_client
def companies(
    client: burgee.Client, group_type: str, event: str, start: str, end: str, limit: int, as_json: bool
) -> None:
    """The companies that used the product most: their events, and their people."""
    attribute = f"{group_type}.key"
    series = [burgee.Series(event, "total"), burgee.Series(event, "unique_users")]
    answer = client.trend(series, interval="month", start=start, end=end, breakdown=burgee.Breakdown(attribute, limit))
    people = {row.part: int(row.total) for row in answer.rows if row.series == 1}
    rows = [
        {group_type: str(row.part), "events": int(row.total), "people": people.get(row.part, 0)}
        for row in answer.rows
        if row.series == 0
    ]
    if as_json:
        print_json(rows)
    else:
        print_table([group_type, "events", "people"], [list(row.values()) for row in rows])
