"""What a funnel is asked and answers: plain frozen values. Words and limits are those of funnel.proto."""

from dataclasses import dataclass
from datetime import timedelta

from burgee.evaluation import USER, Filter
from burgee_server.insights.words import LATELY, Breakdown, Part, QueryInfo, TimeRange

DEFAULT_WINDOW = timedelta(days=14)
"""How long a funnel may take, where its caller does not say."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel."""

    event: str = ""
    filter: Filter | None = None
    label: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class FunnelQuery:
    """Asks for a funnel."""

    steps: tuple[Step, ...]
    range: TimeRange = LATELY
    time_zone: str = ""
    window: timedelta = DEFAULT_WINDOW
    count_by: str = USER
    filter: Filter | None = None
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many reached a step, and their share (0 to 1; 0 of nobody is 0) of the first and of the step before."""

    label: str
    count: int
    conversion_from_first: float
    conversion_from_previous: float


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One funnel. `part` is None for the whole."""

    part: Part | None
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """The answer to a FunnelQuery."""

    rows: tuple[FunnelRow, ...]
    info: QueryInfo
