"""What a funnel is asked with on the command line."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

import burgee
from burgee_server.cli.filters import FilterError
from burgee_server.cli.happenings import EVENT, happening_text, label_of, read_happening
from burgee_server.cli.query.options import Asking, asking_options, window_of

_BETWEEN = re.compile(r"(\d{1,2})\.\.(\d{1,2}) (.+)", re.DOTALL)

_OPTIONS = (
    click.argument("steps", metavar="STEPS...", type=EVENT, nargs=-1, required=True),
    click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company."),
    click.option("--window", default="14d", show_default=True, help="How long the way may take: 30m, 12h, 14d."),
    click.option(
        "--order",
        type=click.Choice(["ordered", "strict", "unordered"]),
        default="ordered",
        show_default=True,
        help="strict: nothing between the steps; unordered: in any order.",
    ),
    click.option(
        "--exclude",
        "excluded",
        metavar="EVENT",
        multiple=True,
        help="Leave out who does this between the steps, or with '2..3 EVENT' between the second and the third.",
    ),
    click.option(
        "--attribution",
        default="first_touch",
        show_default=True,
        help="Which event --by goes by: first_touch, last_touch, all_steps, or step:2.",
    ),
)


def funnel_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a funnel, and those of every insight: it gets a `query` and `asking`."""

    @wraps(command)
    def run(*args: Any, asking: Asking, **options: Any) -> None:
        attribution, step = _attribution(options.pop("attribution"))
        query = burgee.FunnelQuery(
            steps=[burgee.Step(each.event, each.where, label_of(each), each.action) for each in options.pop("steps")],
            count_by=options.pop("count_by"),
            window=window_of(options.pop("window")),
            order=options.pop("order"),
            exclusions=[_exclusion(text) for text in options.pop("excluded")],
            breakdown=asking.breakdown,
            attribution=attribution,
            attribution_step=step,
            **asking.words,
        )
        command(*args, query=query, asking=asking, **options)

    for option in reversed(_OPTIONS):
        run = option(run)
    return asking_options(run)


def way_text(query: burgee.FunnelQuery) -> str:
    """The steps, as people read them."""
    steps = (burgee.Step(step) if isinstance(step, str) else step for step in query.steps)
    return " → ".join(happening_text(burgee.Happening(step.event, step.where, step.action)) for step in steps)


def window_text(query: burgee.FunnelQuery) -> str:
    """How long the way may take, as people read it."""
    return str(query.window).removesuffix(", 0:00:00")


def _exclusion(text: str) -> burgee.Exclusion:
    between = _BETWEEN.fullmatch(text)
    first, last, name = between.groups() if between else ("0", "0", text)
    try:
        left_out = read_happening(name)
    except FilterError as error:
        raise click.UsageError(f"--exclude: {error}") from None
    return burgee.Exclusion(left_out.event, left_out.where, int(first), int(last), left_out.action)


def _attribution(text: str) -> tuple[str, int]:
    kind, colon, step = text.partition(":")
    if colon and not step.isdecimal():
        raise click.UsageError(f"--attribution {text!r}: first_touch, last_touch, all_steps, or step:2")
    return kind, int(step or 0)
