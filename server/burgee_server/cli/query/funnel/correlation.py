"""`burgee query funnel-correlation`: what goes with converting."""

from collections.abc import Sequence

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import print_table
from burgee_server.cli.query.funnel.options import funnel_options
from burgee_server.cli.query.options import Asking


@click.command("funnel-correlation")
@funnel_options
@click.option("--properties", "of_properties", is_flag=True, help="Properties of the users or groups, and not events.")
@click.option("--property", "properties", multiple=True, metavar="NAME", help="This property, or these. Else all.")
@click.option("--most", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many are shown.")
@click.option("--least", type=click.IntRange(1), default=10, show_default=True, help="Leave out what fewer did or had.")
@with_client
def correlation(
    client: burgee.Client,
    query: burgee.FunnelQuery,
    asking: Asking,
    of_properties: bool,
    properties: Sequence[str],
    most: int,
    least: int,
) -> None:
    """Events, or properties, that go with getting to the last step, or with not getting there: the clearest first."""
    question = burgee.FunnelCorrelationQuery(
        funnel=query,
        subject="properties" if of_properties or properties else "events",
        properties=properties,
        limit=most,
        least=least,
    )

    def table(answer: burgee.FunnelCorrelation) -> None:
        compared = ["odds before"] if answer.previous else []
        others = {_what(each): each for each in answer.previous.correlates} if answer.previous else {}
        print_table(
            ["what", "converted", "did not", "odds", "95% interval", "p", *compared],
            [
                [
                    _what(each),
                    each.converted,
                    each.dropped,
                    _odds(each),
                    f"{each.interval.low:.3g} to {each.interval.high:.3g}",
                    f"{each.p_value:.3g}{' (exact)' if each.is_exact else ''}",
                    *(_odds(others.get(_what(each))) for _ in compared),
                ]
                for each in answer.correlates
            ],
            f"of {answer.converted:,} who converted and {answer.dropped:,} who did not",
        )
        click.echo("odds above 1×: those with it convert more often, which need not be because of it")

    asking.show(
        asking.ask(client, question),
        lambda answer: {"converted": answer.converted, "dropped": answer.dropped, "rows": answer.to_rows()},
        table,
    )


def _what(correlate: burgee.Correlate) -> str:
    return correlate.event or f"{correlate.property}: {correlate.value}"


def _odds(correlate: burgee.Correlate | None) -> str | None:
    return f"{correlate.odds_ratio:.3g}×" if correlate else None
