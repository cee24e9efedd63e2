"""From what a caller writes ("-90d", "last month", "2026-03-01", RFC 3339) to a span of time and its columns."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from burgee.evaluation import times
from burgee_server.errors import Invalid
from burgee_server.insights.calendar import beginning, following, preceding, shift
from burgee_server.insights.words import Interval, TimeRange

MAX_COLUMNS = 10_000

ALL = "all"
"""The start that stands for: since the first event."""

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)

RELATIVE = re.compile(r"([+-]\d{1,5})([hdwmy])", re.ASCII)

_LOCAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?)?", re.ASCII)
_FORMS = (
    'must be RFC 3339, a date ("2026-03-01"), a date and time without an offset, "now", or relative to now ("-90d"; '
    "units h, d, w, m, y)"
)
_UNITS = (Interval.WEEK, Interval.MONTH, Interval.QUARTER, Interval.YEAR)

NAMED = (
    {"today": (Interval.DAY, False), "yesterday": (Interval.DAY, True)}
    | {f"this {unit}": (unit, False) for unit in _UNITS}
    | {f"last {unit}": (unit, True) for unit in _UNITS}
)
"""Spans of the calendar by name: of which unit, and whether the last whole one, or the one that is not over."""


@dataclass(frozen=True, slots=True)
class Span:
    """start <= t < end, both in UTC; `zone` says where its days begin."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    def columns(self, interval: Interval, *, before: int = 0, after: int = 0) -> tuple[datetime, ...]:
        """The moments (UTC) at which the columns begin; the first may be before the span.

        With `before` and `after`, so many more on either side. A day, a week (from Monday), a month, a quarter and a
        year begin at midnight in the zone, or at the first moment after it that the clocks there show. Raises Invalid
        beyond 10,000 columns.
        """
        columns = [beginning(self.start, interval, self.zone)]
        for _ in range(before):
            columns.insert(0, preceding(columns[0], interval, self.zone))
        while (next_ := following(columns[-1], interval, self.zone)) < self.end:
            if len(columns) == MAX_COLUMNS:
                raise Invalid.of("interval", f"more than {MAX_COLUMNS} columns: widen the interval or narrow the range")
            columns.append(next_)
        for _ in range(after):
            columns.append(following(columns[-1], interval, self.zone))
        return tuple(columns)


def span(range_: TimeRange, time_zone: str, now: datetime, first: datetime | None = None) -> Span:
    """The span that a range means at `now`; `first` is when the first event was, for "all".

    Raises Invalid for time_zone, range.start, range.end.
    """
    zone = zone_of(time_zone)
    if range_.start in NAMED or range_.start == ALL:
        if range_.end:
            raise Invalid.of("range.end", f"must be empty where start is {range_.start!r}, which has an end of its own")
        if range_.start == ALL:
            start, end = beginning(min(first or now, now), Interval.DAY, zone), now.astimezone(UTC)
        else:
            start, end = _named(range_.start, zone, now)
    else:
        start = _moment(range_.start or "-30d", "range.start", zone, now)
        end = _moment(range_.end or "now", "range.end", zone, now)
    if start >= end:
        raise Invalid.of("range", f"start ({times.render(start)}) must be before end ({times.render(end)})")
    return Span(start, end, zone)


def zone_of(time_zone: str) -> ZoneInfo:
    """The IANA time zone; empty is UTC. Not what a machine calls its own, nor zones that count leap seconds."""
    if (time_zone or "UTC") not in _zones():
        raise Invalid.of("time_zone", 'must be an IANA time zone, such as "Europe/Berlin"')
    return ZoneInfo(time_zone or "UTC")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _named(name: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    unit, whole = NAMED[name]
    current = beginning(now, unit, zone)
    # What begins just now has lasted for no time at all; its first microsecond makes it a span.
    return (
        (preceding(current, unit, zone), current)
        if whole
        else (current, max(now.astimezone(UTC), current + timedelta(microseconds=1)))
    )


def _moment(text: str, field: str, zone: ZoneInfo, now: datetime) -> datetime:
    moment = read_moment(text, zone, now)
    if moment is None:
        named = ", ".join((*NAMED, ALL))
        raise Invalid.of(field, f"{_FORMS}; a start alone may be one of: {named}" if field == "range.start" else _FORMS)
    if not FIRST <= moment <= LAST:
        raise Invalid.of(field, f"must be from {FIRST.year} to {LAST.year}, got {times.render(moment)}")
    return moment


def read_moment(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The moment that a bound means at `now`; None for what is none. A leap second is the second after it."""
    try:
        if text == "now":
            return now.astimezone(UTC)
        if relative := RELATIVE.fullmatch(text):
            return shift(now, int(relative[1]), relative[2], zone)
        if local := _LOCAL.fullmatch(text):
            *whole, fraction = (part or "0" for part in local.groups())
            year, month, day, hour, minute, second = map(int, whole)
            micros, is_leap = int(fraction.ljust(6, "0")), second == 60
            there = datetime(year, month, day, hour, minute, second - is_leap, micros, tzinfo=zone)
            return there.astimezone(UTC) + timedelta(seconds=is_leap)
        seconds = times.parse(text)
        if seconds is not None:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1_000_000))
    except (ValueError, OverflowError):  # the 31st of February, the year 12000
        return None
    return None
