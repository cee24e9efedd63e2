"""Of what a question is asked, and what becomes of it: statements, and an answer made of their rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from burgee_server.insights.timerange import Span
from burgee_server.insights.words import AsOf, QueryInfo, TimeRange, UnknownName
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import Statement

AnswerT = TypeVar("AnswerT")
Answer_co = TypeVar("Answer_co", covariant=True)


class Question(Protocol):
    """What every query has."""

    @property
    def range(self) -> TimeRange:
        """Of which time."""

    @property
    def time_zone(self) -> str:
        """An IANA time zone; empty: UTC."""


class Answer(Protocol):
    """What every answer has."""

    @property
    def info(self) -> QueryInfo:
        """What it cost."""


@dataclass(frozen=True, slots=True)
class OneGroup:
    """A group that sees its own part of what an environment has."""

    group_type: str
    key: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Who asks a question, where, and how it is to be answered."""

    environment_id: int
    group_types: Collection[str]
    """Those that the environment has seen."""
    timeout: float | None = None
    """The seconds after which it is given up."""
    properties_as_of: AsOf = AsOf.NOW
    """When profiles are looked at."""
    include_internal: bool = False
    """Whether the environment's own people count, too."""
    confined_to: OneGroup | None = None
    """The group of which alone it is: nothing is said of what others did or sent, nor of how much."""
    asker: str = ""
    """Those who ask much at a time wait for themselves: see Statement.asker."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One environment in one span, and what is known of it at `now`."""

    terms: Terms
    span: Span
    now: datetime
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    """What it has named."""
    group_columns: Collection[str] = ()
    """The group types whose keys events have in a column of their own: see Warehouse.group_columns."""
    property_columns: Collection[str] = ()
    """The event properties that have columns of their own: see Warehouse.property_columns."""
    mixed: Collection[str] | None = None
    """Event properties that are not of one type, or missing here and there; None: none may be guessed to be."""
    sparing: bool = False
    """Whether to take longer where that needs less memory: what is quicker was refused."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[AnswerT]):
    """An answer, and the one to the same question of another span, if the range asks to compare."""

    answer: AnswerT
    previous: AnswerT | None
    unknown: Sequence[UnknownName]
    """Of the events and properties that the question names, those that nobody has ever sent."""


class Plan(Protocol[Answer_co]):
    """A checked question."""

    @property
    def statements(self) -> Sequence[Statement]:
        """What the warehouse is asked, side by side."""

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> Answer_co:
        """The answer, from the rows of each statement."""
