"""Removes the events and profiles of persons and groups from ClickHouse's tables, and from its files.

A mutation writes each part anew that holds such rows. It is done when no part from before it is left, active or not.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from burgee.evaluation.model import USER
from burgee_server.ports.warehouse import Removal, property_column, to_micros

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_POLL_SECONDS = 0.02
LAST_POLL_SECONDS = 1.0

NOTHING = "0"
"""The condition that no row meets."""


class Run(Protocol):
    """Runs blocking work on a client, off the event loop. Raises what the port raises."""

    def __call__(self, work: "Callable[[Client], T]") -> Awaitable[T]:
        """The result of the work."""


class Match:
    """What is to be removed of one environment, as conditions with their parameters."""

    def __init__(self, environment_id: int, removals: Sequence[Removal]) -> None:
        self.parameters: dict[str, Any] = {"environment_id": environment_id}
        by_type: defaultdict[str, list[Removal]] = defaultdict(list)
        for removal in sorted(removals, key=lambda removal: removal.revision):  # of two of one key, the later counts
            by_type[removal.group_type].append(removal)
        persons, groups, events = [], [], []
        for group_type, of_type in by_type.items():
            revisions = {removal.key: removal.revision for removal in of_type}
            if group_type == USER:
                persons.append(self._up_to("distinct_id", "revision", revisions))
            else:
                of_groups = self._up_to("group_key", "revision", revisions)
                groups.append(f"(group_type = {self._bind('String', group_type)} AND {of_groups})")
            until = {
                removal.key: to_micros(removal.received_until)
                for removal in of_type
                if removal.received_until is not None
            }
            if until:
                events.append(self._up_to(key_column(group_type), "toUnixTimestamp64Micro(received_at)", until))
        self.persons, self.groups, self.events = map(_any, (persons, groups, events))
        keys = [(removal.group_type, removal.key) for removal in removals]
        self.keys = f"arrayJoin({self._bind('Array(Tuple(String, String))', keys)})"

    def _up_to(self, column: str, number: str, most: dict[str, int]) -> str:
        """A condition on rows with one of the keys, and no more than its number."""
        keys = self._bind("Array(String)", list(most))
        numbers = self._bind("Array(Int64)", list(most.values()))
        return f"({column} IN {keys} AND {number} <= transform({column}, {keys}, {numbers}, 0))"

    def _bind(self, type_: str, value: Any) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{type_}}}"


def _any(conditions: Sequence[str]) -> str:
    return " OR ".join(conditions) or NOTHING


def key_column(group_type: str) -> str:
    """Where an event has the key of this type; empty text if it has none."""
    if group_type == USER:
        return "distinct_id"
    return f"ifNull({property_column('groups', group_type, 'String')}, '')"


async def erase(environment_id: int, removals: Sequence[Removal], run: Run, run_between_loads: Run) -> None:
    """Remove these. `run_between_loads` runs its work while nothing is loaded.

    First the activity of all who share an event with them, while the events still say who that is, and the events last:
    cut short anywhere, it finds the same again.
    """
    match = Match(environment_id, removals)
    await run_between_loads(lambda client: _mend_activity(client, match))
    conditions = {"persons": match.persons, "groups": match.groups, "events": match.events}
    for table, where in conditions.items():
        if where != NOTHING:
            await run(partial(_mutate, table=table, where=where, parameters=match.parameters))
    for table in ("activity", *conditions):
        await vacate(run, table)


def _mend_activity(client: "Client", match: Match) -> None:
    """Make first and last times what they are without the events that match."""
    here = "environment_id = {environment_id:UInt32}"
    client.command("TRUNCATE TABLE touched")
    client.command(f"INSERT INTO touched SELECT each.1, each.2 FROM (SELECT {match.keys} AS each)", match.parameters)
    client.command(
        "INSERT INTO touched SELECT DISTINCT seen.1, seen.2 FROM events"
        " ARRAY JOIN arrayPushBack(JSONExtractKeysAndValues(toJSONString(groups), 'String'), ('user', distinct_id))"
        f" AS seen WHERE {here} AND ({match.events})",
        parameters=match.parameters,
    )
    client.command(
        f"ALTER TABLE activity DELETE WHERE {here} AND (type, key) IN (SELECT type, key FROM touched)"
        " SETTINGS mutations_sync = 1",
        parameters=match.parameters,
    )
    for (group_type,) in client.query("SELECT DISTINCT type FROM touched").result_rows:
        client.command(
            f"INSERT INTO activity SELECT environment_id, {{type:String}}, {key_column(group_type)} AS key,"
            f" min(timestamp), max(timestamp) FROM events WHERE {here}"
            " AND key IN (SELECT key FROM touched WHERE type = {type:String})"
            f" AND NOT ({match.events}) GROUP BY environment_id, key",
            parameters=match.parameters | {"type": group_type},
        )
    client.command("TRUNCATE TABLE touched")


def _mutate(client: "Client", table: str, where: str, parameters: Mapping[str, Any]) -> None:
    """Begin to delete the rows of an environment where this holds."""
    client.command(
        f"ALTER TABLE {table} DELETE WHERE environment_id = {{environment_id:UInt32}} AND ({where})"
        " SETTINGS mutations_sync = 0",
        parameters=dict(parameters),
    )


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
