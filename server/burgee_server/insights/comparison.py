"""The span beside the one that was asked for: the one before it, the same one some time ago, or any that is told."""

from datetime import datetime

from burgee_server.errors import Invalid
from burgee_server.insights.calendar import beginning, preceding, shift
from burgee_server.insights.timerange import ALL, FIRST, LAST, NAMED, RELATIVE, Span, read_moment
from burgee_server.insights.words import Interval, TimeRange

PREVIOUS = "previous"
TO = "/"
"""Between two moments, as in ISO 8601: the span from one to the other."""

_ONE_BACK = {
    Interval.DAY: (-1, "d"),
    Interval.WEEK: (-1, "w"),
    Interval.MONTH: (-1, "m"),
    Interval.QUARTER: (-3, "m"),
    Interval.YEAR: (-1, "y"),
}
_FIELD = "range.compare"
_FORMS = 'must be "previous", how long ago ("-1y"; units h, d, w, m, y), or a span ("2026-02-01/2026-02-15")'


def other_span(range_: TimeRange, span: Span, now: datetime) -> Span | None:
    """With what a span is compared; None if with nothing. Raises Invalid for range.compare."""
    if not range_.compare:
        return None
    if range_.start == ALL and TO not in range_.compare:
        raise Invalid.of(_FIELD, 'there is nothing to compare "all" with')
    try:
        if range_.compare == PREVIOUS:
            start, end = _before(range_, span, now)
        elif TO in range_.compare:
            start, end = _told(range_.compare, span, now)
        else:
            start, end = _ago(range_.compare, span)
    except (ValueError, OverflowError) as error:
        raise Invalid.of(_FIELD, _FORMS) from error
    if not FIRST <= start < end <= LAST:
        raise Invalid.of(_FIELD, f"leaves no span within {FIRST.year} to {LAST.year}")
    return None if range_.is_only else Span(start, end, span.zone)


def _told(text: str, span: Span, now: datetime) -> tuple[datetime, datetime]:
    """From one moment to the other, each in the forms of a range."""
    start, end = (read_moment(each, span.zone, now) for each in text.split(TO))
    if start is None or end is None:
        raise ValueError(text)
    return start, end


def _ago(text: str, span: Span) -> tuple[datetime, datetime]:
    """Both ends by so much earlier."""
    relative = RELATIVE.fullmatch(text)
    if relative is None or int(relative[1]) >= 0:
        raise ValueError(text)
    amount, unit = int(relative[1]), relative[2]
    return shift(span.start, amount, unit, span.zone), shift(span.end, amount, unit, span.zone)


def _before(range_: TimeRange, span: Span, now: datetime) -> tuple[datetime, datetime]:
    """What comes before, in the words in which the span was asked for."""
    start, end, zone = span.start, span.end, span.zone
    if named := NAMED.get(range_.start):
        unit, whole = named
        before = preceding(start, unit, zone)
        return before, start if whole else min(shift(end, *_ONE_BACK[unit], zone), start)
    relative = RELATIVE.fullmatch(range_.start or "-30d")
    if relative and range_.end in ("", "now"):
        return shift(now, 2 * int(relative[1]), relative[2], zone), start
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if all(beginning(moment, Interval.MONTH, zone) == moment for moment in (start, end)):
        months = (last.year - first.year) * 12 + last.month - first.month
        return shift(start, -months, "m", zone), start
    if all(beginning(moment, Interval.DAY, zone) == moment for moment in (start, end)):
        return shift(start, -(last - first).days, "d", zone), start
    return start - (end - start), start
