"""Moments as they are typed: `2026-03-01T12:00:00Z`."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import click

_LEAP_SECOND = re.compile(r"(\d{4}-\d\d-\d\d.\d\d:\d\d):60(?!\d)", re.ASCII)


def read_time(text: str, time_zone: tzinfo = UTC) -> datetime:
    """RFC 3339, or a date, which is its midnight; in `time_zone` unless an offset is given. Raises ValueError.

    A leap second is the first second of the next minute.
    """
    text, leapt = _LEAP_SECOND.subn(r"\1:59", text, count=1)
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=time_zone)
    try:
        return aware.astimezone(UTC) + timedelta(seconds=1) if leapt else aware
    except OverflowError as error:
        raise ValueError("the year 10000") from error


class MomentType(click.ParamType[datetime]):
    """What read_time() reads, in UTC."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, aware."""
        try:
            return read_time(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a moment, such as 2026-03-01T12:00:00Z", param, ctx)


MOMENT = MomentType()
