"""The Warehouse port on ClickHouse SQL."""

import asyncio
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from burgee_server.causes import cause
from burgee_server.errors import Unavailable
from burgee_server.ports.selection import EventKey, EventPage, Selection
from burgee_server.ports.warehouse import (
    Activity,
    Answer,
    Arrived,
    MemberRow,
    ProfileRow,
    ProfileVersion,
    Removal,
    Statement,
    StoredEvent,
    from_micros,
)
from burgee_server.storage.clickhouse import copies, failures
from burgee_server.storage.clickhouse.asking import Asking
from burgee_server.storage.clickhouse.batch_format import BatchFormat
from burgee_server.storage.clickhouse.erasing import erase, key_column
from burgee_server.storage.clickhouse.expiring import expire
from burgee_server.storage.clickhouse.export import ROW_SETTINGS, Export, key_of, undelimited
from burgee_server.storage.clickhouse.faults import find_faults
from burgee_server.storage.clickhouse.group_columns import add_group_columns
from burgee_server.storage.clickhouse.landing import load, load_again
from burgee_server.storage.clickhouse.layout import Layout, layout_of
from burgee_server.storage.clickhouse.pool import ClientPool
from burgee_server.storage.clickhouse.priority import merges_step_back
from burgee_server.storage.clickhouse.property_columns import PropertyColumns, add_property_columns
from burgee_server.storage.clickhouse.schema import migrate
from burgee_server.storage.clickhouse.seats import Seats
from burgee_server.storage.clickhouse.settings import INSERT_SETTINGS, query_settings
from burgee_server.storage.clickhouse.timeline import Timeline, event_of, spans

T = TypeVar("T")


LOOKUP_CLIENTS = 2
LOOKUP_SECONDS = 10.0
CLOSING_SECONDS = 5.0
"""How long a server has to end what it does when this is closed."""


class ClickHouseWarehouse:
    """Events in ClickHouse: `chdb:///directory` in this process, or `clickhouse://user:password@host/database`, with
    `?cluster=name` spread over the cluster that its servers know by this name.

    A query sorts and groups on disk beyond `query_memory_bytes`, and is refused beyond four times as much, which is
    room for what cannot go to disk. `query_clients` queries run at a time, all but one of them of the same asker; more
    wait, and askers take turns. Made by open(); one process at a time may have a directory open.
    """

    def __init__(
        self,
        layout: Layout,
        group_columns: Collection[str],
        property_columns: PropertyColumns,
        queries: ClientPool,
        lookups: ClientPool,
        exports: ClientPool,
        loads: ClientPool,
        patient_loads: ClientPool,
        removals: ClientPool,
        kills: ClientPool,
    ) -> None:
        self._layout = layout
        self.group_columns = group_columns
        self._property_columns = property_columns
        self._queries = queries
        self._lookups = lookups
        self._exports = exports
        self._loads = loads
        self._patient_loads = patient_loads
        self._removals = removals
        self._kills = kills
        self._batch_format = BatchFormat()
        self._asking = Asking(kills)
        self._seats = Seats(queries.size)
        self.work = {
            "query": queries.work,
            "lookup": lookups.work,
            "export": exports.work,
            "load": loads.work,
            "removal": removals.work,
        }

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        query_clients: int = 4,
        query_memory_bytes: int = 1 << 29,
        group_columns: Collection[str] = ("company",),
        property_columns: Collection[str] = (),
    ) -> "ClickHouseWarehouse":
        """Connect, bring the tables up to date, and see that these group types and event properties have columns.

        Raises Unavailable, with the reason, if that is not possible.
        """

        dsn, layout = layout_of(dsn)

        def connect() -> ClickHouseWarehouse:
            inserting = INSERT_SETTINGS | layout.insert_settings | layout.query_settings
            loads = ClientPool(dsn, 1, inserting)
            try:
                loads.submit(partial(migrate, layout=layout)).result()
                if dsn.startswith("chdb:"):
                    merges_step_back()
                there = loads.submit(partial(add_group_columns, layout=layout, group_types=group_columns)).result()
                properties = loads.submit(partial(add_property_columns, layout=layout, names=property_columns)).result()
                settings = query_settings(layout, query_memory_bytes)
                return cls(
                    layout,
                    there,
                    properties,
                    ClientPool(dsn, query_clients, settings),
                    ClientPool(dsn, LOOKUP_CLIENTS, settings),
                    # Pages of all exports take turns on one client and one thread: the rest belongs to questions.
                    ClientPool(dsn, 1, settings | {"max_threads": 1}),
                    loads,
                    ClientPool(dsn, 1, inserting, steps_back=True),
                    ClientPool(dsn, 1, layout.removal_settings | layout.query_settings),
                    ClientPool(dsn, 1, {}),
                )
            except BaseException as error:
                loads.close()
                if isinstance(error, Error):
                    raise Unavailable(f"the tables of the warehouse cannot be opened ({cause(error)})") from error
                raise

        warehouse = await asyncio.to_thread(connect)
        warehouse._property_columns.follow(partial(warehouse._use, warehouse._lookups))
        return warehouse

    @property
    def property_columns(self) -> Collection[str]:
        """See the port."""
        return self._property_columns.filled

    async def load(self, payload: bytes, *, again: bool = False, patient: bool = False) -> None:
        """See the port."""
        how = partial(load_again, layout=self._layout) if again else load
        insert = partial(how, batch_format=self._batch_format, payload=payload)
        # What may take its time is still one of all loads, in their order.
        await self._use(self._loads, (lambda _: self._patient_loads.submit(insert).result()) if patient else insert)

    async def faults(self, payload: bytes) -> Mapping[int, str]:
        """See the port. A statement of some tens of milliseconds."""

        def ask(client: Client) -> Mapping[int, str]:
            return find_faults(client, self._batch_format, payload)

        with self._lookups.work.once():
            try:
                return await asyncio.wrap_future(self._lookups.submit(ask))
            except Error as error:
                raise Unavailable(f"refused events cannot be examined: {error.name}") from error

    async def load_profiles(self, rows: Sequence[ProfileRow]) -> None:
        """See the port."""
        tables = copies.profiles(rows)

        def insert(client: Client) -> None:
            for table, records in tables.items():
                copies.insert(client, table, records)

        await self._use(self._loads, insert)

    async def load_members(
        self, environment_id: int, group_type: str, cohort_id: int, rows: Sequence[MemberRow]
    ) -> None:
        """See the port."""
        lines = msgspec.json.Encoder().encode_lines(
            [(environment_id, group_type, cohort_id, row.key, row.removed, row.revision) for row in rows]
        )

        def insert(client: Client) -> None:
            client.raw_insert("cohort_members", insert_block=lines, fmt="JSONCompactEachRow")

        await self._use(self._loads, insert)

    async def members_revision(self, environment_id: int, cohort_id: int) -> int:
        """See the port."""
        sql = (
            "SELECT max(revision) FROM cohort_members"
            " WHERE environment_id = {environment_id:UInt32} AND cohort_id = {cohort_id:UInt32}"
        )
        which = {"environment_id": environment_id, "cohort_id": cohort_id}
        return int((await self._look_up(Statement(sql, which))).rows[0][0])

    async def load_profile_versions(self, versions: Sequence[ProfileVersion]) -> None:
        """See the port."""
        records = [copies.version(version) for version in versions]
        await self._use(self._loads, lambda client: copies.insert(client, "profile_versions", records))

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        """See the port."""
        return await self._run(self._queries, statement, timeout, self._seats)

    async def _look_up(self, statement: Statement) -> Answer:
        """A query of a few milliseconds, on clients of its own: it must not wait behind insights that take seconds."""
        return await self._run(self._lookups, statement, LOOKUP_SECONDS)

    async def _run(
        self, pool: ClientPool, statement: Statement, timeout: float | None = None, seats: Seats | None = None
    ) -> Answer:
        started = time.monotonic()
        # JSON is the one format that says how many rows were read, embedded or not.
        answer = json.loads(await self._asking.ask(pool, statement, "JSONCompact", timeout=timeout, seats=seats))
        pool.work.amounts["rows"] += answer["statistics"]["rows_read"]
        return Answer(answer["data"], answer["statistics"]["rows_read"], time.monotonic() - started)

    async def count(self, selection: Selection, after: EventKey | None) -> int:
        """See the port."""
        return int((await self._run(self._exports, Export(selection).count(after))).rows[0][0])

    async def page(self, selection: Selection, after: EventKey | None) -> EventPage | None:
        """See the port."""
        export = Export(selection)
        ends = (await self._run(self._exports, export.last_of_page(after))).rows
        if not ends:
            return None
        last = key_of(ends[0])
        written = await self._asking.ask(self._exports, export.rows(after, last), "ProtobufList", ROW_SETTINGS)
        return EventPage(undelimited(written), last)

    async def owner(self) -> str | None:
        """See the port."""
        rows = (await self._look_up(Statement("SELECT installation FROM owner LIMIT 1"))).rows
        return rows[0][0] if rows else None

    async def set_owner(self, installation: str) -> None:
        """See the port."""

        def insert(client: Client) -> None:
            client.insert("owner", [[installation]], column_names=["installation"])

        await self._use(self._loads, insert)

    async def activity(self, environment_id: int, group_type: str, keys: Sequence[str]) -> Mapping[str, Activity]:
        """See the port."""
        answer = await self._look_up(
            Statement(
                "SELECT key, toUnixTimestamp64Micro(min(first_seen_at)), toUnixTimestamp64Micro(max(last_seen_at))"
                " FROM activity WHERE environment_id = {environment_id:UInt32} AND type = {type:String}"
                " AND key IN {keys:Array(String)} GROUP BY key",
                {"environment_id": environment_id, "type": group_type, "keys": list(keys)},
            )
        )
        return {key: Activity(key, from_micros(first), from_micros(last)) for key, first, last in answer.rows}

    async def seen(self, environment_id: int, group_type: str, after: str, limit: int) -> Sequence[Activity]:
        """See the port."""
        answer = await self._look_up(
            Statement(
                "SELECT key, toUnixTimestamp64Micro(first_seen_at), toUnixTimestamp64Micro(last_seen_at)"
                " FROM activity FINAL WHERE environment_id = {environment_id:UInt32} AND type = {type:String}"
                " AND key > {after:String} ORDER BY environment_id, type, key LIMIT {limit:UInt32}",
                {"environment_id": environment_id, "type": group_type, "after": after, "limit": limit},
            )
        )
        return [Activity(key, from_micros(first), from_micros(last)) for key, first, last in answer.rows]

    async def timeline(
        self,
        environment_id: int,
        *,
        distinct_ids: Sequence[str] = (),
        group_type: str = "",
        group_key: str = "",
        event_names: Sequence[str] = (),
        before: tuple[datetime, str] | None = None,
        limit: int,
    ) -> Sequence[StoredEvent]:
        """See the port."""
        timeline = Timeline(environment_id, distinct_ids, group_type, group_key, event_names, before)
        first, last = map(from_micros, (await self._look_up(timeline.bounds())).rows[0])
        found: list[StoredEvent] = []
        for start, end in spans(first, min(last, before[0]) if before else last):
            answer = await self._look_up(timeline.events(start, end, limit - len(found)))
            found += map(event_of, answer.rows)
            if len(found) == limit:
                break
        return found

    async def arrived(self, environment_id: int, group_type: str, keys: Sequence[str]) -> Mapping[str, Arrived]:
        """See the port. Every row counts for the time; for the number, each event once."""
        sql = (
            f"SELECT {key_column(group_type)} AS key, uniqExact(toDate(timestamp), event, uuid),"
            " toUnixTimestamp64Micro(max(received_at)) FROM events"
            " WHERE environment_id = {environment_id:UInt32} AND key IN {keys:Array(String)} GROUP BY key"
        )
        which = {"environment_id": environment_id, "keys": list(keys)}
        # Among the loads: one that somebody began, and did not wait for, must have ended.
        rows = await self._use(self._loads, lambda client: client.query(sql, parameters=which).result_rows)
        return {key: Arrived(events, from_micros(received_until)) for key, events, received_until in rows}

    async def erase(self, environment_id: int, removals: Sequence[Removal]) -> None:
        """See the port."""
        await erase(
            environment_id,
            removals,
            self._layout,
            run=partial(self._use, self._removals),
            run_between_loads=partial(self._use, self._loads),
        )

    async def expire(self, keeps_from: Mapping[int, datetime]) -> bool:
        """See the port."""
        return await expire(keeps_from, self._layout, partial(self._use, self._removals))

    async def held_still(self, work: Callable[[], T]) -> T:
        """The result of work in a thread, during which nothing is inserted, altered or removed here. Merges go on."""
        still = self._removals.submit(lambda _: self._loads.submit(lambda _: work()).result())
        return await asyncio.wrap_future(still)

    async def close(self) -> None:
        """See the port. Queries that still run are stopped: whoever asked them has been told, or is gone.

        For the rest a server is waited for CLOSING_SECONDS; then it may have done it or not, as if this process had
        been killed. The engine in this process is always waited for.
        """
        await self._property_columns.close()
        self._asking.close()
        pools = (
            self._queries,
            self._lookups,
            self._exports,
            self._removals,
            self._loads,
            self._patient_loads,
            self._kills,
        )
        await asyncio.to_thread(_close, pools)

    async def _use(self, pool: ClientPool, work: Callable[[Client], T]) -> T:
        with pool.work.once():
            try:
                return await asyncio.wrap_future(pool.submit(work))
            except Error as error:
                raise failures.of_load(error) from error


def _close(pools: Iterable[ClientPool]) -> None:
    deadline = time.monotonic() + CLOSING_SECONDS
    for pool in pools:
        pool.close(max(deadline - time.monotonic(), 0))
