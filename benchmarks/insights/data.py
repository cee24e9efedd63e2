"""The events that are asked about: of 200,000 users in 5,000 companies, in a warehouse and in DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import clickhouse_connect

from burgee_server.insights.words import TimeRange

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# 90 days, in the order in which events come in, late by up to an hour.
_FILL = """
INSERT INTO events SELECT
    1, ['viewed', 'viewed', 'viewed', 'edited', 'exported', 'invited'][1 + intHash64(number) % 6],
    fromUnixTimestamp64Micro(toInt64(1767225600000000 + number * intDiv(90 * 86400000000, {events:UInt64})
        + intHash64(number + 1) % 3600000000), 'UTC') AS at,
    generateUUIDv4(), concat('user-', toString(intHash64(number + 2) % 200000 AS user)),
    CAST(concat('{"company":"company-', toString(user % 5000), '"}'), 'JSON'),
    CAST(concat('{"plan":"', ['free', 'team', 'pro'][1 + user % 3], '","amount":', toString(number % 997),
                ',"country":"c', toString(intHash64(number + 3) % 150), '"}') AS properties, 'JSON'), properties, at
FROM numbers({first:UInt64}, {count:UInt64})
"""
_ACTIVITY = """
INSERT INTO activity SELECT environment_id, each.1, each.2, min(timestamp), max(timestamp) FROM events
ARRAY JOIN [('user', distinct_id), ('company', groups.company.:String)] AS each GROUP BY environment_id, each.1, each.2
"""
_ARRIVED = """
CREATE OR REPLACE VIEW arrived AS SELECT event, timestamp, uuid, distinct_id, groups_json ->> '$.company' AS company,
    properties_json ->> '$.plan' AS plan, (properties_json ->> '$.amount')::BIGINT AS amount,
    properties_json ->> '$.country' AS country
FROM events
"""
_TABLE = """
SELECT event, timestamp, uuid, distinct_id, groups.company.:String AS company, properties.plan.:String AS plan,
    properties.amount.:Int64 AS amount, properties.country.:String AS country, toJSONString(groups) AS groups_json,
    properties_json
FROM events FINAL WHERE environment_id = 1 AND toYYYYMM(timestamp) = {month:UInt32} ORDER BY timestamp
"""


@dataclass(frozen=True)
class Span:
    """Of which time the events are: whole days."""

    start: datetime
    end: datetime
    events: int

    @property
    def range(self) -> TimeRange:
        """For an insight."""
        return TimeRange(f"{self.start:%Y-%m-%d}", f"{self.end:%Y-%m-%d}")

    @property
    def clickhouse(self) -> str:
        """For SQL by hand."""
        first, end = f"{self.start:%Y-%m-%d}", f"{self.end:%Y-%m-%d}"
        return (
            "FROM events FINAL WHERE environment_id = 1 AND indexHint("
            f"timestamp >= toDateTime64('{first}', 6, 'UTC') AND timestamp < toDateTime64('{end}', 6, 'UTC'))"
            f" AND events.day >= toDate('{first}') AND events.day < toDate('{end}')"
        )

    def duckdb(self, table: str) -> str:
        """For DuckDB's, of a table of duck()."""
        return f"FROM {table} WHERE timestamp >= '{self.start:%Y-%m-%d}' AND timestamp < '{self.end:%Y-%m-%d}'"


def fill(dsn: str, events: int) -> Span:
    """Write the events into a warehouse that has none, in inserts of half a million; and what there is, in any case."""
    client = clickhouse_connect.get_client(dsn=dsn)
    if not _count(client):
        for first in range(0, events, 500_000):
            client.command(_FILL, parameters={"first": first, "count": min(500_000, events - first), "events": events})
        client.command(_ACTIVITY)
    first, last = client.query(
        "SELECT toStartOfDay(min(timestamp)), toStartOfDay(max(timestamp)) FROM events"
    ).result_rows[0]
    span = Span(first, last, _count(client))
    client.close()
    return span


def _count(client: "Client") -> int:
    return int(client.query("SELECT count() FROM events").result_rows[0][0])


@contextmanager
def duck(dsn: str, directory: Path) -> Iterator[Any]:
    """DuckDB with the same events, each once; two threads. What an earlier time left in the directory is taken as is.

    `events` has each property, and the company, in a column of its own type; `arrived` has the same columns, read from
    what events came with: groups and properties as JSON.
    """
    import duckdb

    complete = directory / "complete"
    connection = duckdb.connect(
        str(directory / "events.duckdb"), config={"threads": 2, "temp_directory": str(directory)}
    )
    connection.execute("SET TimeZone = 'UTC'")
    if not complete.exists():
        _copy(dsn, connection, directory)
        complete.touch()
    yield connection
    connection.close()


def _copy(dsn: str, connection: Any, directory: Path) -> None:
    """Month by month, for each of which there is a file meanwhile."""
    client = clickhouse_connect.get_client(dsn=dsn)
    months = [
        row[0] for row in client.query("SELECT DISTINCT toYYYYMM(timestamp) AS m FROM events ORDER BY m").result_rows
    ]
    file = directory / "month.parquet"
    for number, month in enumerate(months):
        settings = {"output_format_parquet_string_as_string": 1}
        file.write_bytes(client.raw_query(_TABLE, {"month": month}, settings=settings, fmt="Parquet"))
        how = "INSERT INTO events" if number else "CREATE OR REPLACE TABLE events AS"
        columns = "* REPLACE (timestamp::TIMESTAMP AS timestamp, groups_json::JSON AS groups_json,"
        columns += " properties_json::JSON AS properties_json)"
        connection.execute(f"{how} SELECT {columns} FROM read_parquet('{file}')")
        file.unlink()
    client.close()
    connection.execute(_ARRIVED)
