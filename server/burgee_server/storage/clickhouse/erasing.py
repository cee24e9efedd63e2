"""Removes the events and profiles of persons and groups from ClickHouse's tables."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from burgee.evaluation.model import USER
from burgee_server.ports.warehouse import Removal, property_column, to_micros
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.mutations import Run, delete, finish, vacate

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

HERE = "environment_id = {environment_id:UInt32}"

NOTHING = "0"
"""The condition that no row meets."""


class Match:
    """What is to be removed of one environment, as conditions with their parameters."""

    def __init__(self, environment_id: int, removals: Sequence[Removal]) -> None:
        self.parameters: dict[str, Any] = {"environment_id": environment_id}
        by_type: defaultdict[str, list[Removal]] = defaultdict(list)
        for removal in sorted(removals, key=lambda removal: removal.revision):  # of two of one key, the later counts
            by_type[removal.group_type].append(removal)
        persons, groups, versions, events, members = [], [], [], [], []
        for group_type, of_type in by_type.items():
            revisions = {removal.key: removal.revision for removal in of_type}
            if group_type == USER:
                persons.append(self._up_to("distinct_id", "revision", revisions))
            else:
                of_groups = self._up_to("group_key", "revision", revisions)
                groups.append(f"(group_type = {self._bind('String', group_type)} AND {of_groups})")
            requested = {removal.key: to_micros(removal.requested_at) for removal in of_type}
            of_cohorts = self._up_to("key", "revision", requested)
            members.append(f"(group_type = {self._bind('String', group_type)} AND {of_cohorts})")
            of_keys = self._up_to("key", "revision", revisions)
            versions.append(f"(group_type = {self._bind('String', group_type)} AND {of_keys})")
            until = {removal.key: to_micros(removal.received_until) for removal in of_type}
            events.append(self._up_to(key_column(group_type), "toUnixTimestamp64Micro(received_at)", until))
        self.persons, self.groups, self.versions = map(_any, (persons, groups, versions))
        self.events, self.members = map(_any, (events, members))
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


async def erase(
    environment_id: int, removals: Sequence[Removal], layout: Layout, run: Run, run_between_loads: Run
) -> None:
    """Remove these. `run_between_loads` runs its work while nothing is loaded.

    First the activity of all who share an event with them, while the events still say who that is, and the events last:
    cut short anywhere, it finds the same again.
    """
    match = Match(environment_id, removals)
    await run_between_loads(lambda client: _mend_activity(client, layout, match))
    conditions = {
        "persons": match.persons,
        "aliases": match.persons,
        "groups": match.groups,
        "cohort_members": match.members,
        "profile_versions": match.versions,
        "events": match.events,
    }
    for table, where in conditions.items():
        if where != NOTHING:
            await run(
                partial(delete, layout=layout, table=table, where=f"{HERE} AND ({where})", parameters=match.parameters)
            )
    for table in ("activity", *conditions):
        await vacate(run, layout, table)


def _mend_activity(client: "Client", layout: Layout, match: Match) -> None:
    """Make first and last times what they are without the events that match."""
    client.command(f"TRUNCATE TABLE touched{layout.on}")
    client.command(f"INSERT INTO touched SELECT each.1, each.2 FROM (SELECT {match.keys} AS each)", match.parameters)
    client.command(
        "INSERT INTO touched SELECT DISTINCT seen.1, seen.2 FROM events"
        " ARRAY JOIN arrayPushBack(JSONExtractKeysAndValues(toJSONString(groups), 'String'), ('user', distinct_id))"
        f" AS seen WHERE {HERE} AND ({match.events})",
        parameters=match.parameters,
    )
    touched = f"{HERE} AND (type, key) IN (SELECT type, key FROM touched)"
    if layout.cluster:
        client.command(f"SYSTEM SYNC REPLICA{layout.on} touched")
    if delete(client, layout, "activity", touched, match.parameters):
        finish(client, layout, "activity")
    for (group_type,) in client.query("SELECT DISTINCT type FROM touched").result_rows:
        client.command(
            f"INSERT INTO activity SELECT environment_id, {{type:String}}, {key_column(group_type)} AS key,"
            f" min(timestamp), max(timestamp) FROM events WHERE {HERE}"
            f" AND key {layout.in_} (SELECT key FROM touched WHERE type = {{type:String}})"
            f" AND NOT ({match.events}) GROUP BY environment_id, key",
            parameters=match.parameters | {"type": group_type},
        )
    client.command(f"TRUNCATE TABLE touched{layout.on}")
