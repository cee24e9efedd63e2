"""Funnels: how many get from step to step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from burgee.insights.words import (
    Answered,
    Asking,
    By,
    Part,
    QueryInfo,
    Where,
    read_info,
    read_part,
    whole,
    write_breakdown,
    write_count,
    write_filter,
    write_word,
)
from burgee.v1 import funnel_pb2


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: which event (empty: any; or those of an `action`), and which of those."""

    event: str = ""
    where: Where = None
    label: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What may not happen between two steps, counted from 1: after the first and before the last, unless given."""

    event: str = ""
    where: Where = None
    from_step: int = 0
    to_step: int = 0
    action: str = ""


@dataclass(frozen=True, slots=True)
class FunnelCount:
    """How many reached a step, and their share (0 to 1) of the first step and of the step before."""

    label: str
    count: int
    conversion_from_first: float
    conversion_from_previous: float


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One funnel: the whole, or one part of a breakdown."""

    part: Part | None
    steps: tuple[FunnelCount, ...]


@dataclass(frozen=True, slots=True)
class Funnel(Answered):
    """Funnels, the greatest first."""

    rows: tuple[FunnelRow, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = (
        "part",
        "step",
        "count",
        "conversion_from_first",
        "conversion_from_previous",
    )

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a funnel and step: part, step, count, conversion_from_first, conversion_from_previous."""
        return [
            {
                "part": None if row.part is None else str(row.part),
                "step": step.label,
                "count": step.count,
                "conversion_from_first": step.conversion_from_first,
                "conversion_from_previous": step.conversion_from_previous,
            }
            for row in self.rows
            for step in row.steps
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelQuery(Asking):
    """Asks for a funnel: how many get from step to step. `count_by` is `user` or a group type.

    `window`, from the first step to the last, is 14 days unless given. `order` is ordered, strict or unordered.
    `attribution` says which event a breakdown goes by: first_touch, last_touch, step (`attribution_step`, from 1) or
    all_steps.
    """

    method: ClassVar[str] = "QueryFunnel"
    answer: ClassVar[type] = Funnel

    steps: Sequence[str | Step]
    count_by: str = "user"
    window: timedelta | None = None
    breakdown: By = None
    order: str = "ordered"
    exclusions: Sequence[str | Exclusion] = ()
    attribution: str = "first_touch"
    attribution_step: int = 0

    def write(self) -> funnel_pb2.QueryFunnelRequest:
        """See Query."""
        request = funnel_pb2.QueryFunnelRequest(
            steps=[_write_step(step) for step in self.steps],
            count_by=self.count_by,
            breakdown=write_breakdown(self.breakdown),
            order=write_word(funnel_pb2.FunnelOrder, "order", self.order),
            exclusions=[_write_exclusion(exclusion, index) for index, exclusion in enumerate(self.exclusions)],
            attribution=write_word(funnel_pb2.FunnelAttribution, "attribution", self.attribution),
            attribution_step=write_count("attribution_step", self.attribution_step),
            **self.words(),
        )
        if self.window is not None:
            request.window.FromTimedelta(self.window)
        return request

    @staticmethod
    @whole
    def read(response: funnel_pb2.QueryFunnelResponse) -> Funnel:
        """See Query."""
        return Funnel(tuple(read_row(row) for row in response.rows), read_info(response.info))


def read_row(row: funnel_pb2.FunnelRow) -> FunnelRow:
    """One funnel of an answer."""
    return FunnelRow(read_part(row), tuple(map(read_count, row.steps)))


def read_count(step: funnel_pb2.FunnelStepResult) -> FunnelCount:
    """How many reached a step."""
    return FunnelCount(step.label, step.count, step.conversion_from_first, step.conversion_from_previous)


def _write_step(step: str | Step) -> funnel_pb2.FunnelStep:
    named = Step(step) if isinstance(step, str) else step
    return funnel_pb2.FunnelStep(
        event=named.event, filter=write_filter(named.where), label=named.label, action=named.action
    )


def _write_exclusion(exclusion: str | Exclusion, index: int) -> funnel_pb2.FunnelExclusion:
    named = Exclusion(exclusion) if isinstance(exclusion, str) else exclusion
    return funnel_pb2.FunnelExclusion(
        event=named.event,
        filter=write_filter(named.where),
        from_step=write_count(f"exclusions[{index}].from_step", named.from_step),
        to_step=write_count(f"exclusions[{index}].to_step", named.to_step),
        action=named.action,
    )
