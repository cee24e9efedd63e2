"""What every insight is asked with on the command line, and how its cost is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from math import isfinite
from typing import Any, Protocol, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

import burgee
from burgee.insights import Part, QueryInfo
from burgee.insights.words import Answered
from burgee_server.cli.filters import where_option
from burgee_server.cli.output import as_csv, as_json, print_csv, print_json, require_one_format
from burgee_server.cli.query.saving import save
from burgee_server.insights.calendar import following
from burgee_server.insights.words import Interval

_OPTIONS = (
    click.option(
        "--start",
        default="-30d",
        show_default=True,
        help="A date, RFC 3339, relative such as -90d; or, alone, today, this month, last quarter, all, ...",
    ),
    click.option("--end", default="", help="The first moment after, in the same forms. Else now."),
    click.option("--time-zone", default="UTC", show_default=True, help="An IANA time zone."),
    click.option(
        "--properties-as-of",
        type=click.Choice(["now", "event"]),
        default="now",
        show_default=True,
        help="When --by and --where look at users and groups.",
    ),
    click.option("--compare", default="", help="With another span: previous, how much earlier (-1y), or START/END."),
    click.option(
        "--by",
        metavar="ATTRIBUTE",
        multiple=True,
        help="Split by company.key, event.plan, user.role, ...; given two or three times, by their combinations.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(1, 1_000),
        default=10,
        show_default=True,
        help="How many parts of a split are shown.",
    ),
    where_option,
    click.option("--include-internal", is_flag=True, help="Count what your own people did, too."),
    click.option("--save", default="", metavar="KEY", help="Save the question, too, as a new insight."),
    click.option(
        "--save-over", default="", metavar="KEY", help="Save it in place of that of an insight that is there."
    ),
    as_json,
    as_csv,
)


Names: TypeAlias = Mapping[str, Sequence[str]]
"""Each with those that are spelt like it."""

PARTIAL = "* is not over, or not in the range as a whole"
"""What a star says beside a column of time."""


class _Answer(Protocol):
    """What every answer has."""

    @property
    def info(self) -> QueryInfo:
        """What it cost."""

    @property
    def asked(self) -> Mapping[str, Any]:
        """The question."""

    @property
    def previous(self) -> Self | None:
        """The answer for another span."""

    @property
    def row_names(self) -> Sequence[str]:
        """What those of a row are called."""

    def to_rows(self) -> list[dict[str, Any]]:
        """As a table of plain values."""


AnswerT = TypeVar("AnswerT", bound=_Answer)
QuestionedT = TypeVar("QuestionedT", bound=Answered)


@dataclass(frozen=True, slots=True)
class Asking:
    """What every insight is asked with."""

    words: Mapping[str, Any]
    """Those that burgee.insights.Asking takes."""
    breakdown: burgee.Breakdown | None
    by: str
    """The attributes of the breakdown, as people read them."""
    zone: ZoneInfo
    """UTC for what is none: the server says so."""
    as_json: bool
    as_csv: bool
    save_as: str
    """The key of an insight that is to be made of the question; empty: of none."""
    save_over: str
    """The key of one that is there, and gets this question."""

    def ask(self, client: burgee.Client, question: burgee.Query[QuestionedT]) -> QuestionedT:
        """The answer to a question, which is saved, if that was asked for."""
        answer = client.ask(question)
        self.save(client, question)
        return answer

    def save(self, client: burgee.Client, question: burgee.Query[Any]) -> None:
        """Save a question that has an answer, if that was asked for."""
        if self.save_as:
            save(client, self.save_as, question, over=False)
        if self.save_over:
            save(client, self.save_over, question, over=True)

    def show(
        self,
        answer: AnswerT,
        document: Callable[[AnswerT], dict[str, Any]],
        table: Callable[[AnswerT], None],
    ) -> None:
        """Print an answer, and the one to compare with: as JSON, as CSV (the answer's to_rows()), or as tables."""
        if self.as_json:
            print_json({**document_of(answer, document), "asked": answer.asked})
        elif self.as_csv:
            print_rows(answer)
        else:
            print_tables(answer, table)


def print_tables(answer: AnswerT, table: Callable[[AnswerT], None], *, with_rows_read: bool = True) -> None:
    """An answer, and the one to compare with below it; how many rows were read is not told of one for one group."""
    table(answer)
    click.echo(info_text(answer.info, with_rows_read=with_rows_read))
    if answer.previous is not None:
        click.echo("\ncompared with:")
        table(answer.previous)
        click.echo(info_text(answer.previous.info, with_rows_read=with_rows_read))
    tell_unknown(answer.info.unknown_events, answer.info.unknown_properties)


def print_rows(answer: _Answer) -> None:
    """An answer as CSV, and the one to compare with; which of them a row is of is said where there are two."""
    if answer.previous is None:
        print_csv(answer.row_names, answer.to_rows())
    else:
        spans = {"asked": answer, "previous": answer.previous}
        rows = [{"span": span, **row} for span, each in spans.items() for row in each.to_rows()]
        print_csv(("span", *answer.row_names), rows)
    tell_unknown(answer.info.unknown_events, answer.info.unknown_properties)


def asking_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every insight takes: the command gets them as `asking`."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        by, limit = options.pop("by"), options.pop("limit")
        words = {name: options.pop(name) for name in ("start", "end", "time_zone", "compare", "properties_as_of")}
        asking = Asking(
            words | {"where": list(options.pop("filters")), "include_internal": options.pop("include_internal")},
            burgee.Breakdown(by, limit) if by else None,
            " / ".join(by),
            zone_of(words["time_zone"]),
            options.pop("as_json"),
            options.pop("as_csv"),
            options.pop("save"),
            options.pop("save_over"),
        )
        require_one_format(asking.as_json, asking.as_csv)
        command(*args, asking=asking, **options)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def tell_unknown(unknown_events: Names, unknown_properties: Names) -> None:
    """Say, beside the answer, which events and properties of the question nobody has ever sent."""
    for event, similar in unknown_events.items():
        click.echo(f"nobody has ever sent an event {event!r}{_meant(similar)}", err=True)
    for attribute, similar in unknown_properties.items():
        click.echo(f"nothing has ever had a property {attribute!r}{_meant(similar)}", err=True)


def _meant(similar: Sequence[str]) -> str:
    return f": {' or '.join(map(repr, similar))}?" if similar else ""


def zone_of(name: str) -> ZoneInfo:
    """Of an IANA name; UTC for what is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def window_of(text: str, option: str = "--window") -> timedelta:
    """Such as 14d. Raises click.UsageError, naming the option."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdigit():
        raise click.UsageError(f"{option} {text!r}: a whole number and s, m, h or d, such as 14d")
    try:
        return timedelta(**{units[unit]: int(number)})
    except OverflowError as error:
        raise click.UsageError(f"{option} {text!r}: longer than any time there is") from error


def part_text(part: Part | None) -> str | None:
    """As people read it."""
    return None if part is None else str(part)


def column_text(column: datetime, interval: str) -> str:
    """The name of a column of time that begins then, on the clocks of its time zone."""
    if interval == "quarter":
        return f"{column.year}-Q{(column.month + 2) // 3}"
    return column.strftime({"hour": "%Y-%m-%d %H:%M", "month": "%Y-%m", "year": "%Y"}.get(interval, "%Y-%m-%d"))


def is_whole(column: datetime, interval: str, zone: ZoneInfo, info: QueryInfo) -> bool:
    """Whether all of a column of time that begins then lies in the range, and all of its events are in the answer."""
    return info.start <= column and following(column, Interval(interval), zone) <= min(info.end, info.complete_until)


def change_text(now: float, before: float) -> str:
    """By what part of itself a number has changed, as people read it; what was not above zero has no part."""
    return f"{now / before - 1:+.1%}" if before > 0 and isfinite(now) and isfinite(before) else "–"


def document_of(answer: AnswerT, document: Callable[[AnswerT], dict[str, Any]]) -> dict[str, Any]:
    """An answer as programs read it, with the one to compare with."""
    whole = {**document(answer), "info": info_document(answer.info)}
    if answer.previous is not None:
        whole["previous"] = document_of(answer.previous, document)
    return whole


def info_document(info: QueryInfo) -> dict[str, object]:
    """As programs read it."""
    return {
        "start": info.start.isoformat(),
        "end": info.end.isoformat(),
        "complete_until": info.complete_until.isoformat(),
        "elapsed_seconds": info.elapsed.total_seconds(),
        "rows_read": info.rows_read,
        "unknown_events": info.unknown_events,
        "unknown_properties": info.unknown_properties,
    }


def info_text(info: QueryInfo, *, with_rows_read: bool = True) -> str:
    """As people read it."""
    rows = f"{info.rows_read:,} rows in " if with_rows_read else ""
    return (
        f"{info.start:%Y-%m-%d %H:%M} to {info.end:%Y-%m-%d %H:%M} UTC · complete until "
        f"{info.complete_until:%Y-%m-%d %H:%M:%S} UTC · {rows}{info.elapsed.total_seconds():.2f} s"
    )
