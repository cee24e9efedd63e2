"""What a funnel is asked and answers: plain frozen values. Words and limits are those of funnel.proto."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from burgee.evaluation import USER, Filter
from burgee_server.insights.words import LATELY, Breakdown, Part, QueryInfo, TimeRange

DEFAULT_WINDOW = timedelta(days=14)
"""How long a funnel may take, where its caller does not say."""


class Order(StrEnum):
    """How the steps must follow one another."""

    ORDERED = "ordered"
    STRICT = "strict"
    UNORDERED = "unordered"


class Attribution(StrEnum):
    """Where the value of a breakdown is taken from."""

    FIRST_TOUCH = "first_touch"
    LAST_TOUCH = "last_touch"
    STEP = "step"
    ALL_STEPS = "all_steps"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel."""

    event: str = ""
    filter: Filter | None = None
    label: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What may not happen between two steps, counted from 1. 0: the first, and the last."""

    event: str = ""
    filter: Filter | None = None
    from_step: int = 0
    to_step: int = 0
    action: str = ""


@dataclass(frozen=True, slots=True)
class FunnelQuery:
    """Asks for a funnel. `attribution_step`, from 1, is given with Attribution.STEP and only with it."""

    steps: tuple[Step, ...]
    range: TimeRange = LATELY
    time_zone: str = ""
    window: timedelta = DEFAULT_WINDOW
    count_by: str = USER
    filter: Filter | None = None
    breakdown: Breakdown | None = None
    order: Order = Order.ORDERED
    exclusions: tuple[Exclusion, ...] = ()
    attribution: Attribution = Attribution.FIRST_TOUCH
    attribution_step: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """What the steps are called; of an unordered funnel, how many of them are done."""
        if self.order is Order.UNORDERED:
            return tuple(f"any {number} of {len(self.steps)}" for number in range(1, len(self.steps) + 1))
        return tuple(step.label or step.event or step.action for step in self.steps)


@dataclass(frozen=True, slots=True)
class AboutFunnel:
    """What every other question about a funnel has."""

    funnel: FunnelQuery

    @property
    def range(self) -> TimeRange:
        """The funnel's."""
        return self.funnel.range

    @property
    def time_zone(self) -> str:
        """The funnel's."""
        return self.funnel.time_zone


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
