"""Days of UTC and their quarters of an hour, which events have in columns of a byte or two; a timestamp has eight.

Nearly every border of a day, a week or a month is where a quarter begins, whatever the time zone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from burgee_server.ports.warehouse import to_micros

QUARTER_MICROS = 900_000_000
DAY_QUARTERS = 96
DAY_MICROS = DAY_QUARTERS * QUARTER_MICROS

DAY = "toUInt16(events.day)"
"""The number of an event's day, from 1970 on."""
QUARTER = f"(toUInt32({DAY}) * {DAY_QUARTERS} + events.quarter_hour)"
"""The number of an event's quarter of an hour, from 1970 on."""
DAY_BEGAN = f"toInt64({DAY}) * {DAY_MICROS}"
"""The moment at which an event's day began, in microseconds."""
QUARTER_BEGAN = f"toInt64({DAY_BEGAN} + events.quarter_hour * {QUARTER_MICROS})"
"""The moment at which an event's quarter of an hour began, in microseconds."""

_DAYS = 1 << 16
"""How many days ClickHouse counts."""
_MOST_CHANGES = 32
"""Of the quarter at which days begin: beyond them it is quicker to count quarters."""


def day_of(moment: datetime) -> int | None:
    """Which day of UTC begins at a moment, counted from 1970; None: no day does."""
    days, rest = divmod(to_micros(moment), DAY_MICROS)
    return None if rest else days


def quarter_of(moment: datetime) -> int | None:
    """Which quarter of an hour begins at a moment, counted from 1970; None: no quarter does."""
    quarters, rest = divmod(to_micros(moment), QUARTER_MICROS)
    return None if rest else quarters


@dataclass(frozen=True, slots=True)
class ShiftedDays:
    """Days that begin at some quarter of a day of UTC, as those of a time zone do: another one after clocks change."""

    numbers: tuple[int, ...]
    """The number of the day that begins at each border."""
    begins: tuple[tuple[int, int], ...]
    """From which day of UTC on, at which of its quarters; of the day after the last quarter, 96."""

    def number(self, bind: Callable[[Any, str], str]) -> str:
        """SQL for the number of the day that an event lies in: right between which borders, if nothing else."""
        [(_, first), *others] = self.begins
        if not others and not first:
            return DAY
        at = [bind(quarter, "UInt8") for _, quarter in self.begins]
        until = [f"events.day < toDate({bind(day, 'UInt16')})" for day, _ in others]
        branches = [part for pair in zip(until, at, strict=False) for part in pair]
        begin = f"multiIf({', '.join([*branches, at[-1]])})" if branches else at[0]
        return f"({DAY} + (events.quarter_hour >= {begin}))"


def shifted_days(quarters: Sequence[int]) -> ShiftedDays | None:
    """Days of which one begins at each of these quarters; None: two would begin on one day of UTC, or clocks change
    too often.

    An event of the day of UTC on which a border lies is before it, or not, by its quarter alone; any other by its day.
    """
    places = [divmod(quarter, DAY_QUARTERS) for quarter in quarters]
    later = [quarter for _, quarter in places if quarter]
    if not later:
        return ShiftedDays(tuple(day for day, _ in places), ((places[0][0], 0),))
    if min(later) >= DAY_QUARTERS // 2:  # midnight in London: the end of a day of UTC, or before
        places = [(day, quarter) if quarter else (day - 1, DAY_QUARTERS) for day, quarter in places]
    days = [day for day, _ in places]
    begins = places[:1]
    begins += [this for before, this in pairwise(places) if this[1] != before[1]]
    if days[0] < 0 or days[-1] >= _DAYS or len(set(days)) < len(days) or len(begins) > _MOST_CHANGES:
        return None
    return ShiftedDays(tuple(day + 1 for day in days), tuple(begins))
