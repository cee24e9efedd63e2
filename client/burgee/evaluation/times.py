"""Moments as text: RFC 3339, dates, and moments relative to now. All become Unix seconds."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from typing import TypeAlias

Moment: TypeAlias = Callable[[float], float]
"""From now to a moment, both in Unix seconds."""

LONGEST = 64
"""Longer text is not a time, whatever digits of a second it ends in."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - offsets are taken off by hand: aware arithmetic overflows at year 1
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d)))?", re.ASCII
)
_RELATIVE = re.compile(r"([+-]\d{1,5})([hdwmy])", re.ASCII)
_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
_MONTHS = {"m": 1, "y": 12}


def parse(text: str) -> float | None:
    """Unix seconds of an RFC 3339 timestamp or of a date (its midnight in UTC); None if the text is neither.

    A timestamp without an offset is not RFC 3339, and is refused: nobody knows which moment it means. Times count
    in microseconds. A leap second is the first second of the next minute.
    """
    return _parse(text) if len(text) <= LONGEST else None  # what is longer is not even remembered


@lru_cache(maxsize=4096)
def _parse(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = found.groups()
    try:
        whole = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))  # noqa: DTZ001 - see _EPOCH
    except ValueError:
        return None
    seconds, offset = int(second or 0), 0
    if sign:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            return None
        offset = (int(offset_hour) * 3600 + int(offset_minute) * 60) * (-1 if sign == "-" else 1)
    if seconds > 60:
        return None
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    since = whole - _EPOCH
    return ((since.days * 86_400 + since.seconds + seconds - offset) * 1_000_000 + micros) / 1_000_000


def moment(text: str) -> Moment | None:
    """What a condition may be compared with: whatever `parse` reads, "now", or "-30d", "+12h" and the like.

    Units: h, d, w, m (months), y. Months and years follow the calendar in UTC; a day that the month lacks becomes
    its last. None if the text is none of these.
    """
    if text == "now":
        return lambda now: now
    relative = _RELATIVE.fullmatch(text)
    if relative is None:
        fixed = parse(text)
        return None if fixed is None else lambda _now: fixed
    amount, unit = int(relative[1]), relative[2]
    if unit in _SECONDS:
        seconds = amount * _SECONDS[unit]
        return lambda now: now + seconds
    months = amount * _MONTHS[unit]
    return lambda now: _shift_months(now, months)


def render(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _shift_months(now: float, months: int) -> float:
    start = datetime.fromtimestamp(now, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return inf if months > 0 else -inf
    day = min(start.day, monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day).timestamp()
