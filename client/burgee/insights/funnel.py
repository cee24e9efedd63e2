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
    write_breakdown,
    write_filter,
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

    `window`, from the first step to the last, is 14 days unless given.
    """

    method: ClassVar[str] = "QueryFunnel"
    answer: ClassVar[type] = Funnel

    steps: Sequence[str | Step]
    count_by: str = "user"
    window: timedelta | None = None
    breakdown: By = None

    def write(self) -> funnel_pb2.QueryFunnelRequest:
        """See Query."""
        request = funnel_pb2.QueryFunnelRequest(
            steps=[_write_step(step) for step in self.steps],
            count_by=self.count_by,
            breakdown=write_breakdown(self.breakdown),
            **self.words(),
        )
        if self.window is not None:
            request.window.FromTimedelta(self.window)
        return request

    def read(self, response: funnel_pb2.QueryFunnelResponse) -> Funnel:
        """See Query."""
        return Funnel(
            tuple(
                FunnelRow(
                    read_part(row),
                    tuple(
                        FunnelCount(step.label, step.count, step.conversion_from_first, step.conversion_from_previous)
                        for step in row.steps
                    ),
                )
                for row in response.rows
            ),
            read_info(response.info),
        )


def _write_step(step: str | Step) -> funnel_pb2.FunnelStep:
    named = Step(step) if isinstance(step, str) else step
    return funnel_pb2.FunnelStep(
        event=named.event, filter=write_filter(named.where), label=named.label, action=named.action
    )
