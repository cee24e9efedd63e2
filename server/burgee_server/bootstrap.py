"""Chooses the adapters, by the settings: the only place that does.

| what                                | by default             | with                         |
|-------------------------------------|------------------------|------------------------------|
| control store, turns, lease         | SQLite, this process   | BURGEE_DATABASE: PostgreSQL  |
| warehouse                           | chDB in this process   | BURGEE_WAREHOUSE: ClickHouse |
| journal, quarantine, feed, accounts | SQLite, this process   | BURGEE_REDIS: Redis          |
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from burgee_server.doctor import examine
from burgee_server.errors import Unavailable
from burgee_server.house import House, Stores, furnish
from burgee_server.ports.changes import ChangeFeed
from burgee_server.ports.journal import Held, Journal
from burgee_server.ports.lease import Lease
from burgee_server.ports.quarantine import QuarantineStore
from burgee_server.ports.quota import Quota
from burgee_server.ports.turns import Turns
from burgee_server.settings import MEGABYTE, Settings
from burgee_server.storage.backups import DirectoryBackups, NoBackups
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.directory import HELD_FILE, DataDirectory
from burgee_server.storage.held import ClaimedJournal, HoldingJournal
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.memory.lease import OwnLease
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.actions import SqlActions
from burgee_server.storage.sql.changes import SqlChangeLog
from burgee_server.storage.sql.cohorts import SqlCohorts
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.flags import SqlFlags
from burgee_server.storage.sql.hierarchy import SqlHierarchy
from burgee_server.storage.sql.locks import SqlLease, SqlTurns
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sql.saved import SqlSavedInsights
from burgee_server.storage.sql.vocabulary import SqlVocabularies
from burgee_server.storage.sqlite.journal import SqliteJournal

ALONE_SECONDS = 5.0
"""How long a node waits for one that was there before to be gone, where there may be one only."""


async def build(directory: DataDirectory, settings: Settings) -> House:
    """Open the stores, bring them up to date, and wire everything to them. Raises Unavailable, Damaged."""
    database = await _open_database(directory, settings)
    turns: Turns = SqlTurns(database) if database.is_shared else LocalTurns()
    lease: Lease = SqlLease(database) if database.is_shared else OwnLease()
    if settings.redis is None:
        await _require_alone(lease)
        between = _within_the_process(directory, settings)
    else:
        between = await _between_nodes(directory, settings, settings.redis.get_secret_value(), database, turns)
    warehouse = await _open_warehouse(directory, settings)
    has_all = settings.database is None and settings.warehouse is None
    stores = Stores(
        access=SqlAccess(database),
        flags=SqlFlags(database),
        profiles=SqlProfiles(database),
        hierarchy=SqlHierarchy(database),
        cohorts=SqlCohorts(database),
        erasures=SqlErasures(database),
        actions=SqlActions(database),
        saved_insights=SqlSavedInsights(database),
        vocabularies=SqlVocabularies(database),
        turns=turns,
        lease=lease,
        journal=between.journal,
        held=between.held,
        quarantine=between.quarantine,
        warehouse=warehouse,
        feed=between.feed,
        quota=between.quota,
        backups=DirectoryBackups(directory.path, warehouse) if has_all else NoBackups(),
        closing=(between.close, warehouse.close, lease.give, database.close),
    )
    looked_at = settings.model_copy(update={"data": directory.path})
    return furnish(stores, settings, SystemClock(), partial(examine, looked_at))


async def _open_database(directory: DataDirectory, settings: Settings) -> Database:
    given = settings.database
    database = Database(given.get_secret_value() if given else f"sqlite+aiosqlite:///{directory.path / 'control.db'}")
    await database.migrate()
    return database


async def _open_warehouse(directory: DataDirectory, settings: Settings) -> ClickHouseWarehouse:
    given = settings.warehouse
    dsn = given.get_secret_value() if given else f"chdb://{directory.path / 'events'}"
    return await ClickHouseWarehouse.open(
        dsn,
        query_memory_bytes=settings.query_memory_mb * MEGABYTE,
        group_columns=settings.group_columns,
        property_columns=settings.property_columns,
    )


@dataclass(frozen=True, slots=True)
class _Between:
    """What lies between those who take something in, or change something, and those who are to have it."""

    journal: Journal
    held: Held | None
    quarantine: QuarantineStore
    feed: ChangeFeed
    quota: Quota
    close: Callable[[], Awaitable[None]]


def _within_the_process(directory: DataDirectory, settings: Settings) -> _Between:
    journal = SqliteJournal(directory.path / "journal.db", settings.journal_max_mb * MEGABYTE)
    return _Between(journal, None, journal.quarantine, LocalFeed(), LocalQuota(SystemClock()), journal.close)


async def _between_nodes(
    directory: DataDirectory, settings: Settings, url: str, database: Database, turns: Turns
) -> _Between:
    from burgee_server.storage import redis  # its driver is there with the extra `scaled`

    client = redis.connect(url)
    most, file = settings.journal_max_mb * MEGABYTE, directory.path / HELD_FILE
    journal = redis.RedisJournal(client, most, turns)
    shared = ClaimedJournal(journal)
    feed = await redis.RedisFeed.open(client, SqlChangeLog(database), shared.is_claimed)
    quota = redis.RedisQuota(client, SystemClock(), shared.is_claimed)
    holds = settings.journal_away == "local"
    holding = HoldingJournal(shared, SqliteJournal(file, most), holds=holds) if holds or file.exists() else None
    if holding is None:
        return _Between(shared, None, journal.quarantine, feed, quota, shared.close)
    return _Between(holding, holding, journal.quarantine, feed, quota, holding.close)


async def _require_alone(lease: Lease) -> None:
    """Without Redis, nodes would not hear of each other's changes, nor load each other's events."""
    try:
        async with asyncio.timeout(ALONE_SECONDS):
            await lease.take()
    except TimeoutError as error:
        raise Unavailable(
            "another node is on this database, or it cannot be reached: several nodes need BURGEE_REDIS"
        ) from error
