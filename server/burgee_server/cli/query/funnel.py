"""`burgee query funnel`: how many get from step to step."""

from collections.abc import Sequence

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, read_event, window_of


@click.command()
@click.argument("steps", nargs=-1, required=True)
@click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company.")
@click.option("--window", default="14d", show_default=True, help="How long the way may take: 30m, 12h, 14d.")
@asking_options
@with_client
def funnel(
    client: burgee.Client,
    steps: Sequence[str],
    count_by: str,
    window: str,
    asking: Asking,
) -> None:
    """How many get from one event to the next: STEPS are two or more events, or actions (`@activated`), in order."""
    named = map(read_event, steps)
    answer = client.ask(
        burgee.FunnelQuery(
            steps=[burgee.Step(name, action=action) for name, action in named],
            count_by=count_by,
            window=window_of(window),
            breakdown=asking.breakdown,
            **asking.words,
        )
    )

    def table(funnel: burgee.Funnel) -> None:
        for row in funnel.rows:
            print_table(
                ["step", count_by, "of the first", "of the one before"],
                [
                    [
                        step.label,
                        step.count,
                        f"{step.conversion_from_first:.1%}",
                        f"{step.conversion_from_previous:.1%}",
                    ]
                    for step in row.steps
                ],
                title=f"{asking.by}: {row.part}" if asking.by else f"within {window}",
            )

    asking.show(answer, lambda funnel: {"rows": funnel.to_rows()}, table)
