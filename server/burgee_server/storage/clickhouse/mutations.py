"""Removes rows from ClickHouse's tables, and from its files.

A mutation writes each part anew that holds such rows. It is done when no part from before it is left, active or not.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from clickhouse_connect.driver.exceptions import OperationalError

from burgee_server.storage.clickhouse.layout import Layout

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_POLL_SECONDS = 0.01
LAST_POLL_SECONDS = 1.0

_HERE = "database = currentDatabase() AND table = {table:String}"


class Run(Protocol):
    """Runs blocking work on a client, off the event loop. Raises what the port raises."""

    def __call__(self, work: "Callable[[Client], T]") -> Awaitable[T]:
        """The result of the work."""


def delete(client: "Client", layout: Layout, table: str, where: str, parameters: Mapping[str, Any]) -> bool:
    """Begin to delete the rows where this holds. Whether there are any."""
    bound = dict(parameters)
    if not client.query(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", bound).result_rows:
        return False
    client.command(
        f"ALTER TABLE {layout.local(table)}{layout.on} DELETE WHERE {where} SETTINGS mutations_sync = 0", bound
    )
    return True


def finish(client: "Client", layout: Layout, table: str) -> None:
    """Wait, in this thread, until no query sees what is being deleted. Raises OperationalError if that fails."""
    while (state := _mutating(client, layout, table)).unfinished:
        if state.fault:
            raise OperationalError(state.fault)
        time.sleep(FIRST_POLL_SECONDS)


def _kind(fault: str) -> str:
    """ClickHouse's name for a fault: the rest of its text may quote whose rows are removed."""
    names = re.findall(r"\(([A-Z][A-Z0-9_]+)\)", fault)
    return names[-1] if names else "no name"


async def vacate(run: Run, layout: Layout, table: str) -> None:
    """Wait until every mutation of a table is done and no part from before is left; then forget their texts."""
    seconds = FIRST_POLL_SECONDS
    told = ""
    before = -1
    while (state := await run(lambda client: _mutating(client, layout, table))).unfinished:
        if state.fault not in ("", told):
            log.warning("%s: rows cannot be removed yet (%s)", table, _kind(state.fault))
            told = state.fault
        seconds = FIRST_POLL_SECONDS if state.unfinished != before else min(2 * seconds, LAST_POLL_SECONDS)
        before = state.unfinished
        await asyncio.sleep(seconds)
    seconds = FIRST_POLL_SECONDS
    now = await run(lambda client: int(client.query("SELECT toUnixTimestamp(now())").result_rows[0][0]))
    while await run(lambda client: _old_parts(client, layout, table, now)):
        await asyncio.sleep(seconds)
        seconds = min(2 * seconds, LAST_POLL_SECONDS)
    # The text of a mutation names keys.
    await run(
        lambda client: client.command(
            f"KILL MUTATION{layout.on} WHERE {_HERE} AND is_done SYNC", parameters={"table": layout.local(table)}
        )
    )


@dataclass(frozen=True, slots=True)
class _Mutating:
    unfinished: int
    """Parts, and mutations, that are not done."""
    fault: str
    """Why a mutation failed last."""


def _mutating(client: "Client", layout: Layout, table: str) -> _Mutating:
    [[unfinished, fault]] = client.query(
        "SELECT countIf(NOT is_done) + sum(parts_to_do), maxIf(latest_fail_reason, NOT is_done)"
        f" FROM {layout.system('mutations')} WHERE {_HERE}",
        parameters={"table": layout.local(table)},
    ).result_rows
    if unfinished and client.uri.startswith("chdb:"):
        # The engine takes as many parts as it has threads, and then sleeps, for 0.6 s and more, before it looks whether
        # they are done: 25 s of sleep for 190 months. This wakes it up. (On a server merges may have been stopped by
        # its operator, and this would start them.)
        client.command(f"SYSTEM START MERGES {table}")
    return _Mutating(unfinished, fault)


def _old_parts(client: "Client", layout: Layout, table: str, done_at: int) -> int:
    """How many parts are left from before the last mutation, active or not. All mutations were done at `done_at`."""
    if layout.cluster:
        # A replica numbers its mutations in another way than its parts. What is not active was replaced before it was
        # seen to be, and none of what is has seen no mutation.
        client.command(f"ALTER TABLE {layout.local(table)}{layout.on} DROP PARTITION ID 'none'")
        [[replaced]] = client.query(
            f"SELECT count() FROM {layout.system('parts')} WHERE {_HERE} AND NOT active"
            " AND remove_time <= fromUnixTimestamp({done_at:UInt32})",
            parameters={"table": layout.local(table), "done_at": done_at},
        ).result_rows
        return int(replaced)
    # Dropping a partition that there is not makes ClickHouse remove old files now, and not when it likes to.
    client.command(f"ALTER TABLE {table} DROP PARTITION ID 'none'")
    [[old]] = client.query(
        f"SELECT count() FROM system.parts WHERE {_HERE} AND data_version < (SELECT"
        f" max(toUInt64OrZero(extract(mutation_id, '[0-9]+'))) FROM system.mutations WHERE {_HERE})",
        parameters={"table": table},
    ).result_rows
    return int(old)
