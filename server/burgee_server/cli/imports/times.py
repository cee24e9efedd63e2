"""Times as other people write them, in microseconds since 1970-01-01 UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from burgee_server.cli.imports.records import NotAnEvent
from burgee_server.cli.moments import read_time
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP, to_micros

UNITS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
"""Of numbers: how many microseconds one has."""

_LAST_MICROS = to_micros(LAST_TIMESTAMP)
_MOST_DIGITS = 16
"""Of a number of microseconds, until 2100."""
_EXPECTED = "must be Unix seconds, or RFC 3339 such as 2026-03-01T12:00:00Z"

Clock = Callable[[Any], int]
"""Reads a time. Raises NotAnEvent, for the field "timestamp"."""


def clock(form: str = "", time_zone: tzinfo = UTC) -> Clock:
    """What reads times of a form: a unit of UNITS, "rfc3339", or a pattern of strptime.

    Without a form a number is Unix seconds and text is RFC 3339. Text without an offset is in `time_zone`.
    """
    if form in UNITS:
        return lambda value: _count(value, form)
    if form in ("", "rfc3339"):
        return lambda value: _plain(value, time_zone)
    return lambda value: _patterned(value, form, time_zone)


def _plain(value: Any, time_zone: tzinfo) -> int:
    if isinstance(value, str):
        try:
            return _micros(read_time(value, time_zone), time_zone)
        except ValueError:
            whole = value.partition(".")[0]
            hint = _better_unit(int(whole)) if whole.isdecimal() and len(whole) <= _MOST_DIGITS else ""
            raise _wrong(value, f"{_EXPECTED}{hint}") from None
    if isinstance(value, datetime):
        return _micros(value, time_zone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _count(value, "seconds")
    raise _wrong(value, _EXPECTED)


def _patterned(value: Any, pattern: str, time_zone: tzinfo) -> int:
    try:
        return _micros(datetime.strptime(value, pattern), time_zone)  # noqa: DTZ007 - the zone is put in behind it
    except (ValueError, TypeError):
        raise _wrong(value, f"must be like {pattern}") from None


def _count(value: Any, unit: str) -> int:
    """A number, or text that is one. A double is exact enough: it tells quarters of a microsecond apart until 2100."""
    factor = UNITS[unit]
    try:
        if isinstance(value, bool | datetime):
            raise TypeError
        micros = value * factor if isinstance(value, int) else round(_fraction(value) * factor)
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        raise _wrong(value, f"must be a number of {unit} since 1970") from None
    if 0 <= micros < _LAST_MICROS:
        return micros
    raise _wrong(value, f"is no time between 1970 and 2100 in {unit}{_better_unit(micros // factor)}")


def _fraction(value: Any) -> Any:
    return value if isinstance(value, float) else Decimal(value)


def _better_unit(number: int) -> str:
    """A hint, where another unit gives a time of this century."""
    for unit, factor in UNITS.items():
        if to_micros(datetime(2000, 1, 1, tzinfo=UTC)) <= number * factor < _LAST_MICROS:
            return f'; are these {unit}? A mapping says so: timestamp = {{ column = "…", format = "{unit}" }}'
    return ""


def _micros(moment: datetime, time_zone: tzinfo) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=time_zone)
    since = aware - FIRST_TIMESTAMP
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if not 0 <= micros < _LAST_MICROS:
        raise NotAnEvent("timestamp", f"must be between 1970 and 2100, got {moment}")
    return micros


def _wrong(value: Any, what: str) -> NotAnEvent:
    if value is None or value == "":
        return NotAnEvent("timestamp", f"is missing: it {what}")
    return NotAnEvent("timestamp", f"{what}, got {str(value)[:60]!r}")
