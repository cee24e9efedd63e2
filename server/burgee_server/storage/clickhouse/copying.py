"""Copies events from one warehouse into another, some days at a time; what is there already is left out."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from clickhouse_connect.driver.exceptions import Error

from burgee_server.errors import Unavailable
from burgee_server.storage.clickhouse.layout import layout_of
from burgee_server.storage.clickhouse.pool import ClientPool
from burgee_server.storage.clickhouse.settings import INSERT_SETTINGS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_AT_ONCE = 100_000
"""Rows that are in memory at a time."""

# As they are captured: the target's views make the rest of it.
_LANDED = """
SELECT environment_id, toString(uuid) AS uuid, toString(event) AS event, distinct_id,
    CAST(JSONExtractKeysAndValues(toJSONString(groups), 'String'), 'Map(String, String)') AS groups,
    properties_json, toUnixTimestamp64Micro(timestamp) AS timestamp_micros,
    toUnixTimestamp64Micro(received_at) AS received_at_micros
FROM events FINAL
WHERE environment_id = {environment_id:UInt32} AND toDate(timestamp) BETWEEN {first:Date} AND {last:Date}
    AND cityHash64(uuid) % {parts:UInt32} = {part:UInt32}
"""
_DAYS = """
SELECT environment_id, toDate(timestamp) AS day, count() FROM events FINAL
GROUP BY environment_id, day ORDER BY environment_id, day
"""
_ACTIVITY = "SELECT * FROM activity FINAL WHERE cityHash64(key) % {parts:UInt32} = {part:UInt32}"


@dataclass(frozen=True, slots=True)
class Days:
    """Events of an environment, of one day or of several of one year: as many as are in memory at a time, or one day.

    So a long history of few events is not thousands of inserts, and no insert has more than a year's partitions.
    """

    environment_id: int
    first: date
    last: date
    events: int

    def and_(self, later: "Days") -> "Days | None":
        """Both in one, or None if they do not go together."""
        same = (self.environment_id, self.first.year) == (later.environment_id, later.first.year)
        if not same or self.events + later.events > _AT_ONCE:
            return None
        return Days(self.environment_id, self.first, later.last, self.events + later.events)


def copy_events(source: str, target: str, say: Callable[[Days], None]) -> tuple[int, int]:
    """Copy events, and when everybody was first and last seen; how many events are on either side then. Blocks.

    Both have their tables. A day of an environment of which there are as many on both sides is not copied again; `say`
    is told of all others, as they are copied. Raises Unavailable.
    """
    dsn, layout = layout_of(target)
    here = ClientPool(source, 1, {})
    try:
        there = ClientPool(dsn, 1, INSERT_SETTINGS | layout.insert_settings)
        try:
            return here.submit(lambda one: there.submit(lambda other: _copy(one, other, say)).result()).result()
        finally:
            there.close()
    except Error as error:
        raise Unavailable(f"events cannot be copied now: {error.name or 'no answer'}") from error
    finally:
        here.close()


def _copy(here: "Client", there: "Client", say: Callable[[Days], None]) -> tuple[int, int]:
    copied = set(_days(there))
    for days in gathered(_days(here), copied):
        parts = -(-days.events // _AT_ONCE)
        for part in range(parts):
            which = {"environment_id": days.environment_id, "first": days.first, "last": days.last}
            rows = here.raw_query(_LANDED, which | {"parts": parts, "part": part}, fmt="Native")
            there.raw_insert("landing", insert_block=rows, fmt="Native")
        say(days)
    [[keys]] = here.query("SELECT count() FROM activity FINAL").result_rows
    parts = -(-keys // _AT_ONCE)
    for part in range(parts):
        rows = here.raw_query(_ACTIVITY, {"parts": parts, "part": part}, fmt="Native")
        there.raw_insert("activity", insert_block=rows, fmt="Native")
    before, after = (client.query("SELECT count() FROM events FINAL").result_rows[0][0] for client in (here, there))
    return int(before), int(after)


def _days(client: "Client") -> list[Days]:
    """Each day that has events."""
    rows = client.query(_DAYS).result_rows
    return [Days(environment_id, day, day, events) for environment_id, day, events in rows]


def gathered(days: Iterable[Days], copied: Collection[Days]) -> Iterator[Days]:
    """Those that are not copied yet, each with as many of those that follow as go together."""
    together: Days | None = None
    for day in days:
        more = together.and_(day) if together and day not in copied else None
        if together and more is None:
            yield together
        together = more or (None if day in copied else day)
    if together:
        yield together
