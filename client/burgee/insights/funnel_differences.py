"""Questions about a funnel: whether two sides convert differently, and what goes with converting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from burgee.insights.funnel import FunnelCount, FunnelQuery, read_count
from burgee.insights.words import (
    Answered,
    Part,
    QueryInfo,
    Where,
    read_info,
    whole,
    write_count,
    write_filter,
    write_part,
    write_word,
)
from burgee.v1 import funnel_pb2


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """From low to high."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FunnelSide:
    """The funnel of one side, and for each step an interval of the share that reached it."""

    steps: tuple[FunnelCount, ...]
    intervals: tuple[ConfidenceInterval, ...]


@dataclass(frozen=True, slots=True)
class FunnelDifference:
    """At a step: the first side's share less the second's, and how sure that is. `is_exact`: by Fisher's test."""

    label: str
    difference: float
    interval: ConfidenceInterval
    p_value: float
    is_exact: bool


@dataclass(frozen=True, slots=True)
class FunnelComparison(Answered):
    """Two sides, and how they differ at each step but the first."""

    first: FunnelSide
    second: FunnelSide
    differences: tuple[FunnelDifference, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = (
        "step",
        "first",
        "second",
        "difference",
        "low",
        "high",
        "p_value",
        "first_count",
        "first_of",
        "second_count",
        "second_of",
    )

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a step but the first: step, first, second (shares), difference, low, high, p_value; and how many.

        Of the first side, `first_count` came to the step of `first_of` who entered; the same of the second.
        """
        return [
            {
                "step": each.label,
                "first": first.conversion_from_first,
                "second": second.conversion_from_first,
                "difference": each.difference,
                "low": each.interval.low,
                "high": each.interval.high,
                "p_value": each.p_value,
                "first_count": first.count,
                "first_of": self.first.steps[0].count,
                "second_count": second.count,
                "second_of": self.second.steps[0].count,
            }
            for each, first, second in zip(self.differences, self.first.steps[1:], self.second.steps[1:], strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelComparisonQuery:
    """Asks whether two sides convert differently: each a filter, or a part of the funnel's breakdown."""

    method: ClassVar[str] = "QueryFunnelComparison"
    answer: ClassVar[type] = FunnelComparison

    funnel: FunnelQuery
    first: Where | Part
    second: Where | Part
    confidence: float = 0.95

    def write(self) -> funnel_pb2.QueryFunnelComparisonRequest:
        """See Query."""
        return funnel_pb2.QueryFunnelComparisonRequest(
            funnel=self.funnel.write(),
            first=_write_side(self.first),
            second=_write_side(self.second),
            confidence=self.confidence,
        )

    @staticmethod
    @whole
    def read(response: funnel_pb2.QueryFunnelComparisonResponse) -> FunnelComparison:
        """See Query."""
        return FunnelComparison(
            _read_side(response.first),
            _read_side(response.second),
            tuple(
                FunnelDifference(
                    each.label, each.difference, _read_interval(each.interval), each.p_value, each.is_exact
                )
                for each in response.differences
            ),
            read_info(response.info),
        )


@dataclass(frozen=True, slots=True)
class Correlate:
    """An event, or a property's value, that goes with converting (`odds_ratio` above 1) or with not converting."""

    event: str
    property: str
    value: str
    converted: int
    dropped: int
    odds_ratio: float
    interval: ConfidenceInterval
    p_value: float
    is_exact: bool


@dataclass(frozen=True, slots=True)
class FunnelCorrelation(Answered):
    """What goes with converting, the clearest first; of how many who converted, and who did not."""

    converted: int
    dropped: int
    correlates: tuple[Correlate, ...]
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = (
        "event",
        "property",
        "value",
        "converted",
        "dropped",
        "odds_ratio",
        "low",
        "high",
        "p_value",
    )

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict each: event, property, value, converted, dropped, odds_ratio, low, high, p_value."""
        return [
            {
                "event": each.event,
                "property": each.property,
                "value": each.value,
                "converted": each.converted,
                "dropped": each.dropped,
                "odds_ratio": each.odds_ratio,
                "low": each.interval.low,
                "high": each.interval.high,
                "p_value": each.p_value,
            }
            for each in self.correlates
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCorrelationQuery:
    """Asks what goes with converting: `events` on the way, or `properties` (these, or all) of those who go it."""

    method: ClassVar[str] = "QueryFunnelCorrelation"
    answer: ClassVar[type] = FunnelCorrelation

    funnel: FunnelQuery
    subject: str = "events"
    properties: Sequence[str] = ()
    limit: int = 0
    least: int = 0

    def write(self) -> funnel_pb2.QueryFunnelCorrelationRequest:
        """See Query."""
        return funnel_pb2.QueryFunnelCorrelationRequest(
            funnel=self.funnel.write(),
            subject=write_word(funnel_pb2.FunnelSubject, "subject", self.subject),
            properties=self.properties,
            limit=write_count("limit", self.limit),
            least=write_count("least", self.least),
        )

    @staticmethod
    @whole
    def read(response: funnel_pb2.QueryFunnelCorrelationResponse) -> FunnelCorrelation:
        """See Query."""
        correlates = (
            Correlate(
                each.event,
                each.property,
                each.value,
                each.converted,
                each.dropped,
                each.odds_ratio,
                _read_interval(each.interval),
                each.p_value,
                each.is_exact,
            )
            for each in response.correlates
        )
        return FunnelCorrelation(response.converted, response.dropped, tuple(correlates), read_info(response.info))


def _read_interval(interval: funnel_pb2.ConfidenceInterval) -> ConfidenceInterval:
    return ConfidenceInterval(interval.low, interval.high)


def _write_side(side: Where | Part) -> funnel_pb2.FunnelSide:
    if isinstance(side, Part):
        return funnel_pb2.FunnelSide(part=write_part(side))
    return funnel_pb2.FunnelSide(filter=write_filter(side))


def _read_side(side: funnel_pb2.FunnelSideResult) -> FunnelSide:
    return FunnelSide(tuple(map(read_count, side.steps)), tuple(map(_read_interval, side.intervals)))
