"""`burgee query funnel`: how many get from step to step."""

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options
from burgee_server.cli.query.options import Asking


@click.command()
@funnel_options
@with_client
def funnel(client: burgee.Client, query: burgee.FunnelQuery, asking: Asking) -> None:
    """How many get from one event to the next: STEPS are two or more events, or actions (`@activated`), in order."""

    def table(funnel: burgee.Funnel) -> None:
        for row in funnel.rows:
            print_table(
                ["step", query.count_by, "of the first", "of the one before"],
                [
                    [
                        step.label,
                        step.count,
                        f"{step.conversion_from_first:.1%}",
                        f"{step.conversion_from_previous:.1%}",
                    ]
                    for step in row.steps
                ],
                title=f"{asking.by}: {row.part}" if asking.by else f"within {query.window}".removesuffix(", 0:00:00"),
            )

    asking.show(client.ask(query), lambda funnel: {"rows": funnel.to_rows()}, table)
