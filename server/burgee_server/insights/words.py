"""What all insights are asked and answer with: plain frozen values. Words and limits are those of questions.proto."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from burgee.evaluation import Filter


class Interval(StrEnum):
    """How wide a column is: an hour of the clock, or a calendar unit, in the time zone of the query."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class AsOf(StrEnum):
    """As of when filters and breakdowns read properties of users and groups."""

    NOW = "now"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open span as its caller wrote it: see burgee.v1.TimeRange."""

    start: str = ""
    end: str = ""
    compare: str = ""
    """Beside it, the same question of which other span."""
    is_only: bool = False
    """Whether nothing is compared all the same, since a list is of one span: then `compare` is only checked."""

    @property
    def only(self) -> "TimeRange":
        """This one, for a list."""
        return replace(self, is_only=True)


LATELY = TimeRange()
"""The last 30 days: what is asked of where nobody says."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Which events: of a name (empty: any) or of an action, and which of those."""

    event: str = ""
    action: str = ""
    filter: Filter | None = None


ANYTHING = Happening()
"""Every event."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Split by one to three attributes, their `limit` greatest combinations apart and all others together. 0: ten."""

    attributes: tuple[str, ...]
    limit: int = 0


class PartKind(StrEnum):
    """Which part of a breakdown."""

    VALUE = "value"
    OTHER = "other"
    MISSING = "missing"
    COMBINATION = "combination"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a breakdown; `value` only with VALUE, `values` (each VALUE or MISSING) only with COMBINATION."""

    kind: PartKind
    value: str = ""
    values: tuple["Part", ...] = ()

    def __str__(self) -> str:
        """The value, or the values with " / " between them: what parts of equal size are ordered by."""
        return " / ".join(map(str, self.values)) if self.values else self.value


@dataclass(frozen=True, slots=True)
class Page:
    """Which of those behind a number: after a key, at most so many."""

    after: str = ""
    limit: int = 100


FIRST_PAGE = Page()


@dataclass(frozen=True, slots=True)
class UnknownName:
    """The name of an event that nobody has ever sent, and names of others that are like it, the most alike first.

    With an `owner` ("event", "user" or a group type), that of a property that none has ever had.
    """

    name: str
    similar: tuple[str, ...]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class ActorPage:
    """Some of the users or groups behind a number, in the byte order of their keys."""

    keys: tuple[str, ...]
    has_more: bool
    info: "QueryInfo"


@dataclass(frozen=True, slots=True)
class QueryInfo:
    """What a query cost, and the span that it covered: start <= t < end."""

    elapsed_seconds: float
    rows_read: int
    start: datetime
    end: datetime
