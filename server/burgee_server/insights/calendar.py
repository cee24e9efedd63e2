"""Units of the calendar in a time zone: where the one begins that a moment lies in, the next one, and steps of them."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from burgee_server.insights.words import Interval

MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}
"""Of how many months a unit is; quarters begin with January, April, July and October."""

_MIDDAY = timedelta(hours=12)  # from the middle of a day, no change of the clocks leads into another
_MICROSECOND = timedelta(microseconds=1)


def shift(moment: datetime, amount: int, unit: str, zone: ZoneInfo) -> datetime:
    """So many of h, d, w, m (months), y later, in UTC. Raises ValueError or OverflowError beyond the years 1 to 9999.

    An hour is 3,600 seconds; every other unit keeps the time of day in the zone, whatever its clocks did between. A
    day that the month lacks becomes its last.
    """
    if unit == "h":
        return moment.astimezone(UTC) + timedelta(hours=amount)
    local = moment.astimezone(zone)
    if unit in "dw":
        shifted = local + timedelta(days=amount * (7 if unit == "w" else 1))
    else:
        year, month = divmod(local.year * 12 + local.month - 1 + amount * (12 if unit == "y" else 1), 12)
        shifted = local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
    return shifted.astimezone(UTC)


def beginning(moment: datetime, unit: Interval, zone: ZoneInfo) -> datetime:
    """Where the unit begins that the moment lies in, in UTC."""
    local = moment.astimezone(zone)
    if unit is Interval.HOUR:
        return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)  # keeps `fold`: 2 a.m. may come twice
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit is Interval.WEEK:
        midnight -= timedelta(days=local.weekday())
    if months := MONTHS.get(unit):
        midnight = midnight.replace(month=(local.month - 1) // months * months + 1, day=1)
    return midnight.astimezone(UTC)


def following(start: datetime, unit: Interval, zone: ZoneInfo) -> datetime:
    """Where the unit after the one that begins at `start` begins."""
    if unit is Interval.HOUR:
        later = start
        while (begin := beginning(later := later + timedelta(hours=1), unit, zone)) <= start:
            pass  # clocks set back by less than an hour: this hour of the clock is longer
        return begin
    local = start.astimezone(zone).replace(tzinfo=None) + _MIDDAY
    while True:
        if months := MONTHS.get(unit):
            year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
            local = local.replace(year=year, month=month + 1, day=1)
        else:
            local += timedelta(days=7 if unit is Interval.WEEK else 1)
        begin = beginning(local.replace(tzinfo=zone).astimezone(UTC), unit, zone)
        if begin > start:
            return begin


def preceding(start: datetime, unit: Interval, zone: ZoneInfo) -> datetime:
    """Where the unit before the one that begins at `start` begins."""
    earlier = _MICROSECOND if unit is Interval.HOUR else _MIDDAY
    return beginning(start - earlier, unit, zone)
