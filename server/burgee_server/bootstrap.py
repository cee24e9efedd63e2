"""Wires the house: the only place that chooses adapters."""

from dataclasses import dataclass

from burgee_server.access import Administration, Gate
from burgee_server.capture import Capture, Loader
from burgee_server.flags import Answers, Catalog, Checks, Lifecycle, Past, Previews, Watch
from burgee_server.insights import Insights
from burgee_server.profiles import GroupTypes, KnownProfiles, Mirror, ProfileCache, Profiles
from burgee_server.rpc.admin import AdminServicer
from burgee_server.rpc.capture import CaptureServicer
from burgee_server.rpc.flag_admin import FlagAdminServicer
from burgee_server.rpc.flags import FlagServicer
from burgee_server.rpc.insights import InsightServicer
from burgee_server.rpc.profiles import ProfileServicer
from burgee_server.rpc.server import Servicers
from burgee_server.rpc.streams import OpenStreams
from burgee_server.settings import MEGABYTE, Settings
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.directory import DataDirectory
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.flags import SqlFlags
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sqlite.journal import SqliteJournal

KEPT_ANSWERS = 20_000
"""Each takes about a kilobyte."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a running server is made of."""

    database: Database
    access: SqlAccess
    stored_profiles: SqlProfiles
    journal: SqliteJournal
    warehouse: ClickHouseWarehouse
    gate: Gate
    administration: Administration
    loader: Loader
    mirror: Mirror
    watch: Watch
    streams: OpenStreams
    servicers: Servicers

    async def close(self) -> None:
        """Close the stores, those that others write to last."""
        self.watch.close()
        await self.journal.close()
        await self.warehouse.close()
        await self.database.close()


async def build(directory: DataDirectory, settings: Settings) -> House:
    """Open the stores in a data directory, bring them up to date, and wire everything to them."""
    clock = SystemClock()
    feed = LocalFeed()
    database = Database(f"sqlite+aiosqlite:///{directory.path / 'control.db'}")
    await database.migrate()
    warehouse = await ClickHouseWarehouse.open(
        f"chdb://{directory.path / 'events'}",
        query_memory_bytes=settings.query_memory_mb * MEGABYTE,
    )
    journal = SqliteJournal(directory.path / "journal.db", settings.journal_max_mb * MEGABYTE)
    access, flags, profiles = SqlAccess(database), SqlFlags(database), SqlProfiles(database)

    gate = Gate(access)
    administration = Administration(access, feed, clock)
    group_types = GroupTypes(profiles, clock)
    cache = ProfileCache(profiles, settings.profile_cache)
    mirror = Mirror(profiles, warehouse)
    catalog = Catalog(flags)
    lifecycle = Lifecycle(flags, feed, clock)
    watch = Watch(catalog, profiles, settings.watch_profiles)
    streams = OpenStreams()
    for listener in (gate.forget, cache.forget, mirror.notice, catalog.forget, watch.notice, streams.notice):
        feed.listen(listener)

    return House(
        database=database,
        access=access,
        stored_profiles=profiles,
        journal=journal,
        warehouse=warehouse,
        gate=gate,
        administration=administration,
        loader=Loader(journal, warehouse),
        mirror=mirror,
        watch=watch,
        streams=streams,
        servicers=Servicers(
            admin=AdminServicer(administration),
            capture=CaptureServicer(Capture(journal, group_types, clock)),
            flag_admin=FlagAdminServicer(
                lifecycle,
                Previews(lifecycle, KnownProfiles(profiles, warehouse), clock),
                Past(flags, profiles, clock),
                administration,
                group_types,
            ),
            flags=FlagServicer(Checks(catalog, cache, clock), Answers(catalog, cache, KEPT_ANSWERS), watch),
            insights=InsightServicer(Insights(warehouse, clock), group_types, journal, settings.query_seconds),
            profiles=ProfileServicer(Profiles(profiles, group_types, warehouse, feed, clock), group_types, warehouse),
        ),
    )
