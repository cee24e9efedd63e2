"""`burgee query features`: which features are used, by how many, how often, and when last."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

import burgee
from burgee_server.cli.charts import Sparkline
from burgee_server.cli.connection import with_client
from burgee_server.cli.happenings import EVENT, label_of
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, change_text


@click.command()
@click.argument("features", metavar="FEATURE...", type=EVENT, nargs=-1, required=True)
@click.option("--group-type", default="company", show_default=True, help="Whose breadth is counted; empty: nobody's.")
@click.option("--interval", default="week", show_default=True, help="hour, day, week, month, quarter or year.")
@asking_options
@with_client
def features(
    client: burgee.Client, features: Sequence[burgee.Happening], group_type: str, interval: str, asking: Asking
) -> None:
    """Which features are used, by how many, how often, and when last; the most used first.

    A FEATURE is an event or an action (`@activated`). Shares are of those who were active at all; "days": of each user;
    "return": used it on more than one day.
    """
    if asking.breakdown is not None:
        raise click.UsageError("--by: features are not split")
    answer = asking.ask(
        client,
        burgee.FeatureUsageQuery(
            features=[burgee.Feature(feature, label_of(feature)) for feature in features],
            group_type=group_type,
            interval=interval,
            **asking.words,
        ),
    )

    def document(usage: burgee.FeatureUsage) -> dict[str, Any]:
        return {
            "columns": [column.astimezone(asking.zone).isoformat() for column in usage.columns],
            "features": [asdict(use) | {name: _iso(getattr(use, name)) for name in _TIMES} for use in usage.features],
            "active_users": usage.active_users,
            "active_groups": usage.active_groups,
        }

    def table(usage: burgee.FeatureUsage) -> None:
        groups = [group_type] if group_type else []
        others = usage.previous.features if usage.previous else [None] * len(usage.features)
        compared = ["before", "change"] if usage.previous else []
        active = [f"{usage.active_users:,} users", *(f"{usage.active_groups:,} of {each}" for each in groups)]
        print_table(
            ["feature", "users", *groups, "days", "return", interval, "last used", *compared],
            [
                [
                    use.label,
                    f"{use.users:,} ({use.user_share:.0%})",
                    *(f"{use.groups:,} ({use.group_share:.0%})" for _ in groups),
                    use.days_per_user,
                    f"{use.returning_share:.0%}",
                    Sparkline(use.trend),
                    "never" if use.last_used_at is None else f"{use.last_used_at.astimezone(asking.zone):%Y-%m-%d}",
                    *([before.users, change_text(use.users, before.users)] if before else []),
                ]
                for use, before in sorted(zip(usage.features, others, strict=False), key=lambda pair: -pair[0].users)
            ],
            title=f"of {' and '.join(active)} that were active",
        )

    asking.show(answer, document, table)


_TIMES = ("first_used_at", "last_used_at")


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
