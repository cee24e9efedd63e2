"""From what a caller writes ("-90d", "2026-03-01", RFC 3339) to a span of time and its columns."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from burgee.evaluation import times
from burgee_server.errors import Invalid
from burgee_server.insights.words import Interval, TimeRange

MAX_COLUMNS = 10_000

_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)

_LOCAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?)?", re.ASCII)
_RELATIVE = re.compile(r"([+-]\d{1,5})([hdwmy])", re.ASCII)
_FORMS = (
    'must be RFC 3339, a date ("2026-03-01"), a date and time without an offset, "now", or relative to now ("-90d"; '
    "units h, d, w, m, y)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """start <= t < end, both in UTC; `zone` says where its days begin."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    def columns(self, interval: Interval) -> tuple[datetime, ...]:
        """The moments (UTC) at which the columns begin; the first may be before the span.

        A day, a week (from Monday) and a month begin at midnight in the zone, or at the first moment after it that
        the clocks there show. Raises Invalid beyond 10,000 columns.
        """
        columns = [_floor(self.start, interval, self.zone)]
        while (following := _next(columns[-1], interval, self.zone)) < self.end:
            if len(columns) == MAX_COLUMNS:
                raise Invalid.of("interval", f"more than {MAX_COLUMNS} columns: widen the interval or narrow the range")
            columns.append(following)
        return tuple(columns)


def span(range_: TimeRange, time_zone: str, now: datetime) -> Span:
    """The span that a range means at `now`. Raises Invalid for time_zone, range.start, range.end."""
    zone = zone_of(time_zone)
    start = _moment(range_.start or "-30d", "range.start", zone, now)
    end = _moment(range_.end or "now", "range.end", zone, now)
    if start >= end:
        raise Invalid.of("range", f"start ({times.render(start)}) must be before end ({times.render(end)})")
    return Span(start, end, zone)


def zone_of(time_zone: str) -> ZoneInfo:
    """The IANA time zone; empty is UTC."""
    try:
        return ZoneInfo(time_zone or "UTC")
    except (KeyError, ValueError, OSError):  # unknown, not a plain name, the name of a directory
        raise Invalid.of("time_zone", 'must be an IANA time zone, such as "Europe/Berlin"') from None


def _moment(text: str, field: str, zone: ZoneInfo, now: datetime) -> datetime:
    moment = _read(text, zone, now)
    if moment is None:
        raise Invalid.of(field, _FORMS)
    if not _FIRST <= moment <= _LAST:
        raise Invalid.of(field, f"must be from {_FIRST.year} to {_LAST.year}, got {times.render(moment)}")
    return moment


def _read(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    try:
        if text == "now":
            return now.astimezone(UTC)
        if relative := _RELATIVE.fullmatch(text):
            return _shift(now, int(relative[1]), relative[2], zone)
        if local := _LOCAL.fullmatch(text):
            *whole, fraction = (part or "0" for part in local.groups())
            year, month, day, hour, minute, second = map(int, whole)
            micros = int(fraction.ljust(6, "0"))
            return datetime(year, month, day, hour, minute, second, micros, tzinfo=zone).astimezone(UTC)
        seconds = times.parse(text)
        if seconds is not None:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1_000_000))
    except (ValueError, OverflowError):  # the 31st of February, the year 12000
        return None
    return None


def _shift(now: datetime, amount: int, unit: str, zone: ZoneInfo) -> datetime:
    """An hour is 3,600 seconds; every other unit keeps the time of day in the zone, whatever its clocks did between."""
    if unit == "h":
        return now.astimezone(UTC) + timedelta(hours=amount)
    local = now.astimezone(zone)
    if unit in "dw":
        shifted = local + timedelta(days=amount * (7 if unit == "w" else 1))
    else:
        year, month = divmod(local.year * 12 + local.month - 1 + amount * (12 if unit == "y" else 1), 12)
        shifted = local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
    return shifted.astimezone(UTC)


def _floor(moment: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    """Where the column begins that the moment lies in."""
    local = moment.astimezone(zone)
    if interval is Interval.HOUR:
        return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)  # keeps `fold`: 2 a.m. may come twice
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if interval is Interval.WEEK:
        midnight -= timedelta(days=local.weekday())
    if interval is Interval.MONTH:
        midnight = midnight.replace(day=1)
    return midnight.astimezone(UTC)


def _next(column: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    """Where the column after this one begins."""
    if interval is Interval.HOUR:
        following = column
        while (start := _floor(following := following + timedelta(hours=1), interval, zone)) <= column:
            pass  # clocks set back by less than an hour: this hour of the clock is longer
        return start
    # From the middle of a day it is no matter that days have 23 to 25 hours and that a zone may skip one.
    local = column.astimezone(zone).replace(tzinfo=None) + timedelta(hours=12)
    while True:
        if interval is Interval.MONTH:
            year, month = divmod(local.year * 12 + local.month, 12)
            local = local.replace(year=year, month=month + 1, day=1)
        else:
            local += timedelta(days=7 if interval is Interval.WEEK else 1)
        start = _floor(local.replace(tzinfo=zone).astimezone(UTC), interval, zone)
        if start > column:
            return start
