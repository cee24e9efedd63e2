"""`burgee query funnel`: how many get from step to step."""

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options, window_text
from burgee_server.cli.query.options import Asking, part_text


@click.command()
@funnel_options
@with_client
def funnel(client: burgee.Client, query: burgee.FunnelQuery, asking: Asking) -> None:
    """How many get from one event to the next: STEPS are two or more events, or actions (`@activated`), in order."""

    def table(funnel: burgee.Funnel) -> None:
        order = "" if query.order == "ordered" else f", {query.order}"
        title = f"{query.count_by} within {window_text(query)}{order}"
        if not asking.by:
            [row] = funnel.rows
            before = funnel.previous.rows[0].steps if funnel.previous else []
            lines = [
                [
                    each.label,
                    each.count,
                    f"{each.conversion_from_first:.1%}",
                    f"{each.conversion_from_previous:.1%}",
                    *(f"{step.count:,} ({step.conversion_from_first:.1%})" for step in before[index : index + 1]),
                ]
                for index, each in enumerate(row.steps)
            ]
            compared = ["before"] if before else []
            print_table(["step", query.count_by, "of the first", "of the one before", *compared], lines, title)
        else:
            names = [each.label for each in funnel.rows[0].steps] if funnel.rows else []
            others = {row.part: _counts(row)[-1] for row in funnel.previous.rows} if funnel.previous else {}
            lines = [
                [part_text(row.part), *_counts(row), *([others.get(row.part)] if funnel.previous else [])]
                for row in funnel.rows
            ]
            print_table([asking.by, *names, *(["before"] if funnel.previous else [])], lines, title)

    asking.show(asking.ask(client, query), lambda funnel: {"rows": funnel.to_rows()}, table)


def _counts(row: burgee.FunnelRow) -> list[object]:
    """How many are at each step, and from the second on what share of the first."""
    first, *others = row.steps
    return [first.count, *(f"{each.count:,} ({each.conversion_from_first:.0%})" for each in others)]
