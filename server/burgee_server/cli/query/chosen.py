"""Which saved insights a command asks, and as whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

import burgee
from burgee.v1 import saved_pb2 as pb
from burgee_server.cli.query.saving import stub

R = TypeVar("R")

_OPTIONS = (
    click.argument("insight_keys", metavar="[KEY]...", nargs=-1),
    click.option("--tag", default="", help="All that have this tag."),
    click.option(
        "--group", "group_key", default="", metavar="KEY", help="As this group sees it: nothing else is read."
    ),
    click.option("--group-type", default="", help="Of which type it is; else the one that the insight is shown to."),
    click.option("--start", default="", help="In place of the start and the end that were saved; as in questions."),
    click.option("--end", default="", help="The first moment after. Else now."),
    click.option("--time-zone", default="", help="In place of the one that was saved."),
    click.option("--compare", default="", help="With another span; as in questions."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered, and how many were not: why is said on standard error."""

    answers: Sequence[burgee.SavedAnswer]
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """One key or more, or a tag, and what is asked otherwise than it was saved."""

    keys: Sequence[str]
    tag: str
    otherwise: dict[str, str]

    def ask(self, client: burgee.Client) -> Asked:
        """All of them. Of one alone, what is wrong ends the command."""
        if len(self.keys) == 1:
            return Asked([client.ask(burgee.SavedQuery(self.keys[0], **self.otherwise))])
        one = burgee.SavedQuery("", **self.otherwise).write()
        request = pb.AskInsightsRequest(
            insight_keys=self.keys,
            tag=self.tag,
            range=one.range,
            time_zone=one.time_zone,
            group_key=one.group_key,
            group_type=one.group_type,
        )
        answers, failed = [], 0
        for each in stub(client).AskInsights(request):
            if each.HasField("failed"):
                failed += 1
                click.echo(f"{each.failed.insight_key}: {each.failed.code}: {each.failed.message}", err=True)
            else:
                answers.append(burgee.SavedQuery.read(each.answered))
        return Asked(answers, failed)


def chosen_insights(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command `chosen`, and the options to say which."""

    @wraps(command)
    def run(*args: Any, insight_keys: Sequence[str], tag: str, **options: Any) -> R:
        if bool(insight_keys) is bool(tag):
            raise click.UsageError("one KEY or more, or --tag")
        names = ("group_key", "group_type", "start", "end", "time_zone", "compare")
        otherwise = {name: options.pop(name) for name in names}
        return command(*args, chosen=Chosen(insight_keys, tag, otherwise), **options)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run
