"""Chooses the adapters, by the settings: the only place that does.

| what                          | by default                     | with                               |
|-------------------------------|--------------------------------|------------------------------------|
| control store, turns, lease   | SQLite; this process           | BURGEE_DATABASE: PostgreSQL        |
"""

from functools import partial

from burgee_server.doctor import examine
from burgee_server.house import House, Stores, furnish
from burgee_server.ports.lease import Lease
from burgee_server.ports.turns import Turns
from burgee_server.settings import MEGABYTE, Settings
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.directory import DataDirectory
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.memory.lease import OwnLease
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.actions import SqlActions
from burgee_server.storage.sql.cohorts import SqlCohorts
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.flags import SqlFlags
from burgee_server.storage.sql.locks import SqlLease, SqlTurns
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sql.vocabulary import SqlVocabularies
from burgee_server.storage.sqlite.journal import SqliteJournal


async def build(directory: DataDirectory, settings: Settings) -> House:
    """Open the stores, bring them up to date, and wire everything to them."""
    clock = SystemClock()
    database = await _open_database(directory, settings)
    warehouse = await _open_warehouse(directory, settings)
    journal = SqliteJournal(directory.path / "journal.db", settings.journal_max_mb * MEGABYTE)
    stores = Stores(
        access=SqlAccess(database),
        flags=SqlFlags(database),
        profiles=SqlProfiles(database),
        cohorts=SqlCohorts(database),
        erasures=SqlErasures(database),
        actions=SqlActions(database),
        vocabularies=SqlVocabularies(database),
        turns=_turns(database),
        lease=_lease(database),
        journal=journal,
        quarantine=journal.quarantine,
        warehouse=warehouse,
        feed=LocalFeed(),
        quota=LocalQuota(clock),
        closing=(journal.close, warehouse.close, database.close),
    )
    looked_at = settings.model_copy(update={"data": directory.path})
    return furnish(stores, settings, clock, partial(examine, looked_at))


async def _open_database(directory: DataDirectory, settings: Settings) -> Database:
    url = (
        settings.database.get_secret_value()
        if settings.database
        else f"sqlite+aiosqlite:///{directory.path}/control.db"
    )
    database = Database(url)
    await database.migrate()
    return database


async def _open_warehouse(directory: DataDirectory, settings: Settings) -> ClickHouseWarehouse:
    return await ClickHouseWarehouse.open(
        f"chdb://{directory.path / 'events'}", query_memory_bytes=settings.query_memory_mb * MEGABYTE
    )


def _turns(database: Database) -> Turns:
    return SqlTurns(database) if database.is_shared else LocalTurns()


def _lease(database: Database) -> Lease:
    return SqlLease(database) if database.is_shared else OwnLease()
