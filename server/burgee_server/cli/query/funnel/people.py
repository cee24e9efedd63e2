"""`burgee query funnel-people`: who reached a step, or was lost there."""

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options
from burgee_server.cli.query.options import Asking
from burgee_server.cli.query.parts import read_part
from burgee_server.cli.query.people import require_one_span


@click.command("funnel-people")
@funnel_options
@click.option("--step", type=click.IntRange(1), help="Which step, from 1. Else the last.")
@click.option("--lost", is_flag=True, help="Those who reached the step before, and not this one.")
@click.option(
    "--part", metavar="PART", help="Those in this part of --by, as tables show it: pro / DE, (missing), (other)."
)
@click.option("--page-size", type=click.IntRange(1, 1_000), default=100, show_default=True, help="At most so many.")
@click.option("--page-token", default="", help="The next_page_token of the page before.")
@with_client
def people(
    client: burgee.Client,
    query: burgee.FunnelQuery,
    asking: Asking,
    step: int | None,
    lost: bool,
    part: str | None,
    page_size: int,
    page_token: str,
) -> None:
    """The users or companies that reached a step of a funnel, in the order of their keys."""
    require_one_span(asking)
    question = burgee.FunnelActorsQuery(
        funnel=query,
        step=step or len(query.steps),
        outcome="lost" if lost else "reached",
        part=None if part is None else read_part(part, asking.breakdown, "--part"),
        page_size=page_size,
        page_token=page_token,
    )

    def table(people: burgee.FunnelActors) -> None:
        print_table(
            [query.count_by, "reached", "first step", "last step reached"],
            [
                [
                    actor.key,
                    len(actor.reached_at),
                    *(f"{actor.reached_at[i].astimezone(asking.zone):%F %T}" for i in (0, -1)),
                ]
                for actor in people.actors
            ],
        )
        if people.next_page_token:
            click.echo(f"--page-token {people.next_page_token}")

    asking.show(
        asking.ask(client, question),
        lambda people: {
            "actors": [
                {"key": actor.key, "reached_at": [moment.isoformat() for moment in actor.reached_at]}
                for actor in people.actors
            ],
            "next_page_token": people.next_page_token,
        },
        table,
    )
