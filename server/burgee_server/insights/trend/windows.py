"""Columns that look back: the days that end where a column ends, for those who were active in them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from burgee_server.insights.timerange import Span


@dataclass(frozen=True, slots=True)
class Windows:
    """Time cut into segments at every moment at which a window begins or ends: an event counts for a run of windows."""

    segments: tuple[datetime, ...]
    """Where each begins; the first is where the earliest window begins."""
    first: tuple[int, ...]
    """For each segment, the number of the first column whose window holds it."""
    end: tuple[int, ...]
    """And of the first after it whose window does not; the same where none does."""


def windows(span: Span, columns: Sequence[datetime], days: int) -> Windows:
    """For each column, the `days` calendar days in the zone that end with it, or with the span."""
    ends = [*columns[1:], span.end]
    starts = [_back(end, days, span) for end in ends]
    segments = sorted({moment for moment in (*starts, *ends, span.start) if moment < span.end})
    first = [bisect_right(ends, segment) for segment in segments]
    end = [max(bisect_right(starts, segment), begin) for segment, begin in zip(segments, first, strict=True)]
    return Windows(tuple(segments), tuple(first), tuple(end))


def _back(end: datetime, days: int, span: Span) -> datetime:
    """So many days earlier, at the same time of day in the zone."""
    local = end.astimezone(span.zone)
    return (local - timedelta(days=days)).astimezone(end.tzinfo)
