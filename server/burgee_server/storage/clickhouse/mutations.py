"""Removes rows from ClickHouse's tables, and from its files.

A mutation writes each part anew that holds such rows. It is done when no part from before it is left, active or not.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_POLL_SECONDS = 0.02
LAST_POLL_SECONDS = 1.0


class Run(Protocol):
    """Runs blocking work on a client, off the event loop. Raises what the port raises."""

    def __call__(self, work: "Callable[[Client], T]") -> Awaitable[T]:
        """The result of the work."""


def delete(client: "Client", table: str, where: str, parameters: Mapping[str, Any], *, wait: bool = False) -> bool:
    """Begin to delete the rows where this holds, or `wait` until no query sees them. Whether there are any."""
    bound = dict(parameters)
    if not client.query(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", bound).result_rows:
        return False
    client.command(f"ALTER TABLE {table} DELETE WHERE {where} SETTINGS mutations_sync = {int(wait)}", bound)
    return True


async def vacate(run: Run, table: str) -> None:
    """Wait until every mutation of a table is done and no part from before is left; then forget their texts."""
    seconds = FIRST_POLL_SECONDS
    told = ""
    while not (state := await run(lambda client: _state(client, table))).vacated:
        if state.fault not in ("", told):
            log.warning("%s: rows cannot be removed yet: %s", table, state.fault)
            told = state.fault
        await asyncio.sleep(seconds)
        seconds = min(2 * seconds, LAST_POLL_SECONDS)
    # The text of a mutation names keys.
    await run(
        lambda client: client.command(
            "KILL MUTATION WHERE database = currentDatabase() AND table = {table:String} AND is_done SYNC",
            parameters={"table": table},
        )
    )


@dataclass(frozen=True, slots=True)
class _State:
    vacated: bool
    fault: str = ""
    """Why a mutation failed last."""


def _state(client: "Client", table: str) -> _State:
    here = "database = currentDatabase() AND table = {table:String}"
    which = {"table": table}
    unfinished, fault = client.query(
        f"SELECT count(), max(latest_fail_reason) FROM system.mutations WHERE {here} AND NOT is_done", parameters=which
    ).result_rows[0]
    if unfinished:
        return _State(False, fault)
    # Dropping a partition that there is not makes ClickHouse remove old files now, and not when it likes to.
    client.command(f"ALTER TABLE {table} DROP PARTITION ID 'none'")
    [[old]] = client.query(
        f"SELECT count() FROM system.parts WHERE {here} AND data_version < (SELECT"
        f" max(toUInt64OrZero(extract(mutation_id, '[0-9]+'))) FROM system.mutations WHERE {here})",
        parameters=which,
    ).result_rows
    return _State(not old)
