"""`burgee query funnel`: how many get from step to step."""

from collections.abc import Sequence

import click

import burgee
from burgee.evaluation import Condition
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_json, print_table
from burgee_server.cli.query.options import info_document, print_info, read_event, span_options, window_of


@click.command()
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
    by: Sequence[str],
    limit: int,
    conditions: Sequence[Condition],
    as_json: bool,
) -> None:
    """How many get from one event to the next: STEPS are two or more events, or actions (`@activated`), in order."""
    named = map(read_event, steps)
    answer = client.funnel(
        [burgee.Step(name, action=action) for name, action in named],
        count_by=count_by,
        window=window_of(window),
        start=start,
        end=end,
        time_zone=time_zone,
        breakdown=burgee.Breakdown(by, limit) if by else None,
        where=list(conditions),
    )
    if as_json:
        print_json({"rows": answer.to_rows(), "info": info_document(answer.info)})
        return
    for row in answer.rows:
        print_table(
            ["step", count_by, "of the first", "of the one before"],
            [
                [step.label, step.count, f"{step.conversion_from_first:.1%}", f"{step.conversion_from_previous:.1%}"]
                for step in row.steps
            ],
            title=f"{' / '.join(by)}: {row.part}" if row.part else f"within {window}",
        )
    print_info(answer.info)
