"""Events and actions as they are typed: `report_created`, `@activated`, `report_created where event.pages gt 3`."""

import json
import re
from collections.abc import Sequence
from typing import Any

import click

import burgee
from burgee.evaluation import AllOf, Filter
from burgee_server.cli.filters import FilterError, filter_text, read_filter, require_letters, require_whole
from burgee_server.cli.values import JSON
from burgee_server.names import MAX_NAME

_WHERE = re.compile(r"(?:^|\s+)where(?=[\s(])\s*|\s+where$")


def read_happening(text: str) -> burgee.Happening:
    """The event or the action that is typed, and which of those. Raises FilterError.

    `@activated` is an action, `@@x` the event `@x`, and nothing at all any event. A name in double quotes is text as
    JSON has it: one that has ` where ` in it is.
    """
    require_letters(text)
    named, rest = _name(text)
    if named == "@":
        raise FilterError("the key of an action is missing here; @@ is the event @", text, rest)
    where = _WHERE.match(text, rest)
    if where is None and (more := text[rest:].lstrip()):
        raise FilterError("this is too much: where, or the end comes next", text, len(text) - len(more))
    filter_ = read_filter(text, where.end()) if where else None
    if named.startswith("@") and not named.startswith("@@"):
        return burgee.Happening(where=filter_, action=named[1:])
    return burgee.Happening(named[1:] if named.startswith("@") else named, where=filter_)


def _name(text: str) -> tuple[str, int]:
    """What stands before the `where`, and where that ends."""
    if text.startswith('"'):
        try:
            name, end = JSON.raw_decode(text)
        except ValueError as error:
            raise FilterError("a name that begins with a quote is text as JSON has it", text, 0) from error
        require_whole(name, text, 0)
        return name, end
    where = _WHERE.search(text)
    end = where.start() if where else len(text)
    return text[:end], end


def happening_text(happening: str | burgee.Happening) -> str:
    """As people read it, and would type it, but for any event."""
    named = burgee.Happening(happening) if isinstance(happening, str) else happening
    name = f"@{named.action}" if named.action else _typed(named.event) or "any event"
    filters = filters_of(named)
    return f"{name} where {filter_text(AllOf(filters))}" if filters else name


def _typed(event: str) -> str:
    """The name of an event, in quotes if it would be taken for something else without."""
    name = f"@{event}" if event.startswith("@") else event
    where = _WHERE.search(f"{name} where ")
    is_bare = not name.startswith('"') and where is not None and where.start() == len(name)
    return name if is_bare or not name else json.dumps(name, ensure_ascii=False)


def filters_of(happening: burgee.Happening) -> tuple[Filter, ...]:
    """Those that must all hold of it."""
    if not happening.where:
        return ()
    return tuple(happening.where) if isinstance(happening.where, Sequence) else (happening.where,)


def label_of(happening: burgee.Happening) -> str:
    """What a part of a question is called that has a filter of its own; empty for others, which have their name."""
    return happening_text(happening)[:MAX_NAME] if happening.where else ""


class HappeningType(click.ParamType[burgee.Happening]):
    """An event or an action, as read_happening() reads it."""

    name = "event"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> burgee.Happening:
        """What a text names."""
        if isinstance(value, burgee.Happening):  # a default
            return value
        try:
            return read_happening(str(value))
        except FilterError as error:
            self.fail(str(error), param, ctx)


EVENT = HappeningType()
