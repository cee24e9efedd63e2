"""`burgee query funnel-compare`: whether two sides convert differently."""

import click

import burgee
from burgee.evaluation import Filter
from burgee_server.cli.connection import with_client
from burgee_server.cli.filters import FilterType, filter_text
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options
from burgee_server.cli.query.options import Asking
from burgee_server.cli.query.parts import read_part


@click.command("funnel-compare")
@funnel_options
@click.option("--first", type=FilterType(), help="Whose events are one side, such as 'company.key equals acme'.")
@click.option("--second", type=FilterType(), help="And the other.")
@click.option("--parts", nargs=2, metavar="PART PART", help="Instead, two parts of --by, as tables show them.")
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the intervals.")
@with_client
def compare(
    client: burgee.Client,
    query: burgee.FunnelQuery,
    asking: Asking,
    first: Filter | None,
    second: Filter | None,
    parts: tuple[str, str] | None,
    confidence: float,
) -> None:
    """How two sides of a funnel differ, with an interval and a significance test."""
    if (parts is None) == (first is None or second is None):
        raise click.UsageError("--first and --second, or --by and --parts")
    sides = [read_part(part, asking.breakdown, "--parts") for part in parts] if parts else [first, second]
    question = burgee.FunnelComparisonQuery(funnel=query, first=sides[0], second=sides[1], confidence=confidence)

    def text(side: burgee.Part | Filter | None) -> str:
        return f"{asking.by}: {side}" if side is None or isinstance(side, burgee.Part) else filter_text(side)

    def table(answer: burgee.FunnelComparison) -> None:
        steps = zip(answer.differences, answer.first.steps[1:], answer.second.steps[1:], strict=True)
        before = answer.previous.differences if answer.previous else ()
        print_table(
            [
                "step",
                "first",
                "second",
                "difference",
                f"{confidence:.0%} interval",
                "p",
                *(["before"] if before else []),
            ],
            [
                [
                    each.label,
                    f"{one.count:,} ({one.conversion_from_first:.1%})",
                    f"{two.count:,} ({two.conversion_from_first:.1%})",
                    f"{each.difference:+.1%}",
                    f"{each.interval.low:+.1%} to {each.interval.high:+.1%}",
                    f"{each.p_value:.3g}{' (exact)' if each.is_exact else ''}",
                    *(f"{other.difference:+.1%}" for other in before[index : index + 1]),
                ]
                for index, (each, one, two) in enumerate(steps)
            ],
            f"first: {text(sides[0])}, {answer.first.steps[0].count:,};"
            f" second: {text(sides[1])}, {answer.second.steps[0].count:,}",
        )
        click.echo(
            f"p: how likely chance alone makes so much of a difference; below {1 - confidence:.2g}, it is hardly that"
        )

    asking.show(asking.ask(client, question), lambda answer: {"rows": answer.to_rows()}, table)
