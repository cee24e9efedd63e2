"""How long it took to get through a funnel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.funnel.actors import MOMENTS, REACHED, Actors, read_actors
from burgee_server.insights.funnel.model import AboutFunnel
from burgee_server.insights.funnel.plan import rank
from burgee_server.insights.sql.breakdown import Split
from burgee_server.insights.words import Part, QueryInfo
from burgee_server.ports.warehouse import Statement

MAX_BINS = 100
_MOST_CHOSEN = 60


@dataclass(frozen=True, slots=True)
class FunnelTimesQuery(AboutFunnel):
    """Asks how long it took from one step to another, numbered from 1. 0: the first, and the last.

    `bins` of equal width; 0: the cube root of the count, up to 60.
    """

    from_step: int = 0
    to_step: int = 0
    bins: int = 0


@dataclass(frozen=True, slots=True)
class Time:
    """How long it took `count` of them, in seconds; average and median of nobody are None."""

    label: str
    count: int
    average: float | None
    median: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """How many took from `start` up to `end` seconds; the last bin includes its end."""

    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class FunnelTimesRow:
    """One part: in all, from each step to the next (all but the first), and in bins."""

    part: Part | None
    whole: Time
    steps: tuple[Time, ...]
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class FunnelTimes:
    """The answer: the part with the most who took it first, "other" last."""

    rows: tuple[FunnelTimesRow, ...]
    info: QueryInfo


@dataclass(frozen=True, slots=True)
class FunnelTimesPlan:
    """A checked question and its statement."""

    statements: tuple[Statement]
    labels: tuple[str, ...]
    split: Split | None
    last: int

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FunnelTimes:
        """From rows of (kind, value, whole, steps, shortest, longest, bins, count of each bin)."""
        found = []
        for kind, value, whole, steps, shortest, longest, bins, counts in rows[0]:
            part = self.split.part(kind, value) if self.split else None
            times = tuple(_time(label, time) for label, time in zip(self.labels[1:], steps, strict=True))
            total = _time(self.labels[self.last - 1], whole)
            found.append(FunnelTimesRow(part, total, times, _bins(shortest, longest, bins, counts)))
        return FunnelTimes(tuple(sorted(found, key=lambda row: rank(row.part, row.whole.count))), info)


def plan_funnel_times(query: FunnelTimesQuery, asked: Asked) -> FunnelTimesPlan:
    """Check a question and write its SQL. Raises Invalid."""
    actors = read_actors(query.funnel, asked)
    steps = len(query.funnel.steps)
    first, last = query.from_step or 1, query.to_step or steps
    if last > steps:
        raise Invalid.of("to_step", f"there are {steps} steps")
    if not 1 <= first < last:
        raise Invalid.of("from_step", f"must be 1 or more, and less than to_step, {last}")
    if query.bins > MAX_BINS:
        raise Invalid.of("bins", f"must be at most {MAX_BINS}")
    sql = _sql(actors, first, last, query.bins)
    return FunnelTimesPlan((actors.scope.statement(sql),), query.funnel.labels, actors.split, last)


def _sql(actors: Actors, first: int, last: int, bins: int) -> str:
    """In one pass, by as many threads as there are: a median has to know all times anyway, and the bins are counted
    from the same."""
    there = f"reached >= {last}"
    took = f"SELECT *, {there} AS there, if(there, toInt64(moments[{last}] - moments[{first}]), 0) AS took"
    steps = [
        _times(f"reached >= {number}", f"toInt64(moments[{number}] - moments[{number - 1}])")
        for number in range(2, len(actors.query.steps) + 1)
    ]
    known = (
        f"SELECT part_kind, part_value, {_times('there', 'took')} AS whole, [{', '.join(steps)}] AS steps,"
        " groupArrayIf(took, there) AS times, arrayMin(times) AS shortest, arrayMax(times) AS longest"
        f" FROM ({took} FROM ({actors.parts(REACHED, MOMENTS)})) GROUP BY part_kind, part_value"
    )
    size = "length(times)"
    chosen = str(bins) if bins else f"least(greatest(toInt64(floor(cbrt({size}) + 1e-9)), 1), {_MOST_CHOSEN})"
    bin_ = "if(longest = shortest, 0, least(intDiv((each - shortest) * bins, longest - shortest), bins - 1))"
    return (
        f"SELECT part_kind, part_value, whole, steps, shortest, longest, if(longest = shortest, 1, {chosen}) AS bins,"
        f" arrayReduce('sumMap', arrayMap(each -> map(toUInt32({bin_}), toUInt64(1)), times)) FROM ({known})"
    )


def _times(condition: str, took: str) -> str:
    """(how many, average, median), in microseconds."""
    return f"(countIf({condition}), avgIf({took}, {condition}), quantileExactInclusiveIf(0.5)({took}, {condition}))"


def _time(label: str, time: Sequence[Any]) -> Time:
    count, average, median = time
    return Time(label, count, *((average / 1e6, median / 1e6) if count else (None, None)))


def _bins(shortest: int, longest: int, bins: int, counts: dict[str, int]) -> tuple[Bin, ...]:
    if not counts:
        return ()
    edges = [(shortest + (longest - shortest) * number / bins) / 1e6 for number in range(bins + 1)]
    return tuple(Bin(edges[number], edges[number + 1], int(counts.get(str(number), 0))) for number in range(bins))
