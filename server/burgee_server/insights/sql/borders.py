"""By which columns events are kept within a span, and placed between borders: timestamps take the longest to read."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from burgee_server.insights.sql.quarters import (
    DAY,
    DAY_BEGAN,
    DAY_MICROS,
    DAY_QUARTERS,
    QUARTER_BEGAN,
    day_of,
    quarter_of,
)
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP, to_micros

MICROS = "toUnixTimestamp64Micro(timestamp)"
"""The moment of an event, read from events()."""

PLACED = "toUnixTimestamp64Micro(/* placed */ timestamp)"
"""As MICROS, for what asks no more of it than between which borders it lies: see Borders.placed()."""

_EPOCH = date(1970, 1, 1)
_FEWEST_DAYS = 14
"""How many days there are for each that has a border within a quarter of an hour, where those are read apart."""


class Borders:
    """Writes conditions of time into one statement, whose values are bound by `bind`."""

    def __init__(self, bind: Callable[[Any, str], str]) -> None:
        self._bind = bind
        self._borders: set[datetime] = set()

    def placed(self, borders: Sequence[datetime]) -> str:
        """SQL for an event's moment, for events() to select: in microseconds.

        Or, which is quicker, where its day or its quarter of an hour begins, if that lies between the same of these
        borders.
        """
        self._borders.update(borders)
        return PLACED

    def moment(self, moment: datetime) -> str:
        """SQL for a moment, no further away than events can be."""
        return f"fromUnixTimestamp64Micro({self._bind(to_micros(clipped(moment)), 'Int64')}, 'UTC')"

    def apart(self, start: datetime, end: datetime, words: str) -> list[tuple[str, list[str]]]:
        """What stands for the moment of an event, and the conditions of time; twice, where few days need timestamps:
        of all others, and of those."""
        start, end = clipped(start), clipped(end)
        inner = {each for each in self._borders if start < each < end} if PLACED in words else set[datetime]()
        borders = inner | {start, end} - {FIRST_TIMESTAMP, LAST_TIMESTAMP}
        days = sorted({to_micros(each) // DAY_MICROS for each in borders if quarter_of(each) is None})
        within = [*self._border(">=", start), *self._border("<", end)]
        first, last = to_micros(start) // DAY_MICROS, -(-to_micros(end) // DAY_MICROS)
        if _reads_time(words) or (days and ("SELECT" in words or _FEWEST_DAYS * len(days) > last - first)):
            return [(MICROS, within)]
        by_days = all(day_of(each) is not None or quarter_of(each) is None for each in inner)
        place = DAY_BEGAN if by_days else QUARTER_BEGAN
        if not days:
            return [(place, within)]
        few = self._bind(days, "Array(UInt16)")
        dates = self._bind([(_EPOCH + timedelta(day)).isoformat() for day in days], "Array(Date)")
        hint = f"indexHint(toDate(timestamp) IN {dates})"
        return [
            (place, [*self._days(start, end), f"{DAY} NOT IN {few}"]),
            (MICROS, [hint, f"{DAY} IN {few}", *within]),
        ]

    def _days(self, start: datetime, end: datetime) -> list[str]:
        """Of a moment within a quarter of an hour, the days that it leaves; of any other, its condition."""
        conditions = []
        for comparison, moment in ((">=", start), ("<", end)):
            if quarter_of(moment) is None:
                day = self._bind(to_micros(moment) // DAY_MICROS, "UInt16")
                by_time = f"timestamp {comparison} {self.moment(moment)}"
                conditions += [f"indexHint({by_time})", f"events.day {comparison[0]} toDate({day})"]
            else:
                conditions += self._border(comparison, moment)
        return conditions

    def _border(self, comparison: str, moment: datetime) -> list[str]:
        """The conditions that keep events on one side of a moment, ">=" or "<".

        Days say it where one begins there, and quarters of an hour, and are read in no time; the timestamp then only
        says which parts to read.
        """
        if moment == (FIRST_TIMESTAMP if comparison == ">=" else LAST_TIMESTAMP):
            return []
        by_time = f"timestamp {comparison} {self.moment(moment)}"
        quarters = quarter_of(moment)
        if quarters is None:
            return [by_time]
        number, quarter = divmod(quarters, DAY_QUARTERS)
        day = f"toDate({self._bind(number, 'UInt16')})"
        hint = f"indexHint({by_time})"
        if not quarter:
            return [hint, f"events.day {comparison} {day}"]
        within = (
            f"(events.day {comparison[0]} {day} OR events.quarter_hour {comparison} {self._bind(quarter, 'UInt8')})"
        )
        return [hint, f"events.day {comparison[0]}= {day}", within]


def clipped(moment: datetime) -> datetime:
    """In microseconds, and no further away than events can be."""
    return min(max(moment, FIRST_TIMESTAMP), LAST_TIMESTAMP)


def _reads_time(words: str) -> bool:
    """Whether the timestamps of events are read for more than to place them between borders."""
    return "timestamp" in words.replace(PLACED, "")
