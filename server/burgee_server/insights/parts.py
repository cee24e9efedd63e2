"""What a question is made of."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, cast

from burgee_server.insights.sql.events import EventMatch


def parts_of(query: Any) -> Iterator[Any]:
    """A question and everything in it that is made of fields, each before what is in it."""
    if isinstance(query, tuple):
        for each in query:
            yield from parts_of(each)
    elif is_dataclass(query):
        yield query
        for field in fields(query):
            yield from parts_of(getattr(query, field.name))


def matches_of(query: Any) -> Iterator[EventMatch]:
    """The events and actions that a question names."""
    return (cast("EventMatch", part) for part in parts_of(query) if hasattr(part, "event") and hasattr(part, "action"))
