"""Copies events from one warehouse into another, day by day; what is there already is left out."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from clickhouse_connect.driver.exceptions import Error

from burgee_server.errors import Unavailable
from burgee_server.storage.clickhouse.landing import INSERT_SETTINGS
from burgee_server.storage.clickhouse.layout import layout_of
from burgee_server.storage.clickhouse.pool import ClientPool

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
WHERE environment_id = {environment_id:UInt32} AND toDate(timestamp) = {day:Date}
    AND cityHash64(uuid) % {parts:UInt32} = {part:UInt32}
"""
_DAYS = """
SELECT environment_id, toDate(timestamp) AS day, count() FROM events FINAL
GROUP BY environment_id, day ORDER BY environment_id, day
"""
_ACTIVITY = "SELECT * FROM activity FINAL WHERE cityHash64(key) % {parts:UInt32} = {part:UInt32}"


def copy_events(source: str, target: str, say: Callable[[date, int], None]) -> tuple[int, int]:
    """Copy events, and when everybody was first and last seen; how many events are on either side then. Blocks.

    Both have their tables. A day of an environment of which there are as many on both sides is not copied again; `say`
    is told each other day and how many events it has. Raises Unavailable.
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


def _copy(here: "Client", there: "Client", say: Callable[[date, int], None]) -> tuple[int, int]:
    copied = {(environment_id, day): count for environment_id, day, count in there.query(_DAYS).result_rows}
    for environment_id, day, count in here.query(_DAYS).result_rows:
        if copied.get((environment_id, day)) == count:
            continue
        parts = -(-count // _AT_ONCE)
        for part in range(parts):
            which = {"environment_id": environment_id, "day": day, "parts": parts, "part": part}
            there.raw_insert("landing", insert_block=here.raw_query(_LANDED, which, fmt="Native"), fmt="Native")
        say(day, count)
    [[keys]] = here.query("SELECT count() FROM activity FINAL").result_rows
    parts = -(-keys // _AT_ONCE)
    for part in range(parts):
        rows = here.raw_query(_ACTIVITY, {"parts": parts, "part": part}, fmt="Native")
        there.raw_insert("activity", insert_block=rows, fmt="Native")
    before, after = (client.query("SELECT count() FROM events FINAL").result_rows[0][0] for client in (here, there))
    return int(before), int(after)
