"""Looks at a warehouse without changing it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from burgee_server.causes import cause
from burgee_server.errors import Unavailable
from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.storage.clickhouse.layout import layout_of
from burgee_server.storage.clickhouse.pool import ClientPool
from burgee_server.storage.clickhouse.schema import MIGRATIONS

OLDEST = (25, 3)
"""The first ClickHouse in which the JSON type is no experiment."""
_SILENT_SECONDS = 10
_SKEW_SECONDS = 2.0
_TOO_MANY_PARTS = 300


def check_warehouse(dsn: str) -> Iterator[Finding]:
    """Whether a warehouse answers, its version, its clock, its tables. Blocks.

    An embedded one is opened for it: only in the process that has it open already, or while none has.
    """
    try:
        pool = ClientPool(layout_of(dsn)[0], 1, {}, silent_seconds=_SILENT_SECONDS)
    except Unavailable as error:
        advice = "end that process, or see that this user may write there"
        if not dsn.startswith("chdb:"):
            advice = "see that it runs, and that BURGEE_WAREHOUSE has its host, port, user, password and database"
        yield wrong("warehouse", str(error), advice)
        return
    try:
        yield from pool.submit(lambda client: list(_look(client))).result()
    except Error as error:
        yield wrong("warehouse", f"answers with a fault ({cause(error)})", "look into its own log")
    finally:
        pool.close()


def _look(client: Client) -> Iterator[Finding]:
    version, now = client.query("SELECT version(), toUnixTimestamp64Milli(now64(3))").result_rows[0]
    release = tuple(int(part) for part in version.split(".")[:2])
    if release < OLDEST:
        yield wrong("warehouse", f"ClickHouse {version}", f"upgrade it to {'.'.join(map(str, OLDEST))} or newer")
    else:
        yield ok("warehouse", f"ClickHouse {version} answers")
    skew = now / 1000 - datetime.now(UTC).timestamp()
    if abs(skew) > _SKEW_SECONDS:
        yield warning("clock", f"the warehouse's is {skew:+,.1f} s from ours", "keep both with NTP")
    yield from _tables(client)


def _tables(client: Client) -> Iterator[Finding]:
    if not client.query("EXISTS TABLE schema_versions").result_rows[0][0]:
        yield ok("warehouse", "no tables yet: the first start makes them")
        return
    version = int(client.query("SELECT max(version) FROM schema_versions").result_rows[0][0])
    if version > len(MIGRATIONS):
        yield wrong("warehouse", f"schema {version}; this Burgee knows {len(MIGRATIONS)}", "run the newer Burgee")
        return
    if version < len(MIGRATIONS):
        yield warning("warehouse", f"schema {version} of {len(MIGRATIONS)}", "the next start brings it up to date")
    rows, parts = client.query(
        "SELECT sum(rows), max(parts) FROM (SELECT sum(rows) AS rows, count() AS parts FROM system.parts"
        " WHERE database = currentDatabase() AND table = 'events' AND active GROUP BY partition)"
    ).result_rows[0]
    found = f"{int(rows or 0):,} rows of events, at most {int(parts or 0)} parts a month"
    if parts and parts > _TOO_MANY_PARTS:
        yield warning("warehouse", found, "merges do not keep up: give it faster disks, or more processor time")
    else:
        yield ok("warehouse", found)
    stuck = client.query("SELECT count() FROM system.mutations WHERE NOT is_done AND latest_fail_reason != ''")
    if count := int(stuck.result_rows[0][0]):
        yield warning("warehouse", f"{count:,} removals fail and are tried again", "look into the server's log")
