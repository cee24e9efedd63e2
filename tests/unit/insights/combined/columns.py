"""Where columns begin, found by walking along the clock in steps of a quarter of an hour, and nothing else."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from burgee_server.insights.words import Interval

_STEP, _MICROSECOND = timedelta(minutes=15), timedelta(microseconds=1)
_MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


def _label(local: datetime, interval: Interval) -> object:
    day = local.date()
    if interval is Interval.DAY:
        return day
    if interval is Interval.WEEK:
        return day - timedelta(days=day.weekday())
    return day.year, (day.month - 1) // _MONTHS[interval]


def begins(moment: datetime, interval: Interval, zone: ZoneInfo) -> bool:
    """Whether a column begins at a moment at which clocks show a quarter of an hour."""
    here, before = moment.astimezone(zone), (moment - _STEP).astimezone(zone)
    if interval is Interval.HOUR:
        return here.minute == 0 or here.hour != before.hour
    return _label(here, interval) != _label(before, interval)


def check(columns: Sequence[datetime], start: datetime, end: datetime, interval: Interval, zone: ZoneInfo) -> None:
    """That these are the columns of a span: each begins where one does, there is none between, and they cover it."""
    assert columns[0] <= start
    assert columns[-1] < end
    for column, following in pairwise([*columns, end]):
        assert begins(column, interval, zone), (column, interval, zone)
        if interval is not Interval.HOUR:
            here, last = column.astimezone(zone), (following - _MICROSECOND).astimezone(zone)
            assert _label(here, interval) == _label(last, interval), (column, interval, zone)
            continue
        moment = column + _STEP
        while moment < following:
            assert not begins(moment, interval, zone), (moment, zone)
            moment += _STEP


def column_of(moment: datetime, columns: Sequence[datetime]) -> int:
    """The last that begins at the moment or before it; -1: none does."""
    return bisect_right(columns, moment) - 1


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day that clocks there show."""
    return moment.astimezone(zone).date()
