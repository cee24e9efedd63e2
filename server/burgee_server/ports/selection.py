"""Which events somebody wants to have all of, and how they are handed over: page by page, in an order of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """The events of an environment that match everything that is not empty."""

    environment_id: int
    start: datetime | None = None
    """Not before this."""
    end: datetime | None = None
    """Before this."""
    event_names: Sequence[str] = ()
    distinct_ids: Sequence[str] = ()
    group_type: str = ""
    group_key: str = ""


@dataclass(frozen=True, slots=True)
class EventKey:
    """Where an event is in the order of pages: by UTC day, then by name, then by uuid. No two have the same."""

    day: date
    event: str
    uuid: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events in their order, as bytes: nobody makes objects of them on their way."""

    payload: bytes
    """Serialized burgee.v1.Events, each as an entry of a repeated field 1."""
    last: EventKey
    """Where the next page begins, after this. May be an event that is not in the page, or of no page."""
