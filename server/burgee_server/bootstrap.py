"""Wires the house: the only place that chooses adapters."""

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from burgee.evaluation import Reason
from burgee_server.access import Administration, Gate
from burgee_server.access.gate import MAX_KNOWN
from burgee_server.actions import Actions
from burgee_server.capture import Capture, Isolator, Loader, Quarantine, TimeWindow
from burgee_server.cohorts import Cohorts, Memberships
from burgee_server.erasure import Eraser, Erasures, Retention
from burgee_server.exports import Exports
from burgee_server.flags import Answers, Catalog, Checks, Lifecycle, Past, Previews, Stored, Watch
from burgee_server.insights import Insights, check_matcher
from burgee_server.metrics import Collector
from burgee_server.metrics.calls import calls, captured, evaluations
from burgee_server.metrics.memory import Changes, FlagsInMemory, build_info, caches
from burgee_server.metrics.stores import asked, backlog, held, loaded
from burgee_server.profiles import GroupTypes, KnownProfiles, Mirror, ProfileCache, Profiles
from burgee_server.rpc.actions import ActionServicer
from burgee_server.rpc.admin import AdminServicer
from burgee_server.rpc.calls import Calls
from burgee_server.rpc.capture import CaptureServicer
from burgee_server.rpc.cohorts import CohortServicer
from burgee_server.rpc.flag_admin import FlagAdminServicer
from burgee_server.rpc.flags import FlagServicer
from burgee_server.rpc.insights import InsightServicer
from burgee_server.rpc.limits import CaptureLimits
from burgee_server.rpc.profiles import ProfileServicer
from burgee_server.rpc.server import Servicers
from burgee_server.rpc.streams import OpenStreams
from burgee_server.settings import MEGABYTE, Settings
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.directory import DataDirectory
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.actions import SqlActions
from burgee_server.storage.sql.cohorts import SqlCohorts
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.flags import SqlFlags
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sql.vocabulary import SqlVocabularies
from burgee_server.storage.sqlite.journal import SqliteJournal
from burgee_server.turns import Turns

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
    isolator: Isolator
    mirror: Mirror
    eraser: Eraser
    retention: Retention
    watch: Watch
    streams: OpenStreams
    limits: CaptureLimits
    calls: Calls
    collector: Collector
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
    quarantine = journal.quarantine
    access, flags, profiles = SqlAccess(database), SqlFlags(database), SqlProfiles(database)
    cohorts = SqlCohorts(database)

    isolator = Isolator(journal, quarantine, warehouse)
    window = TimeWindow(settings.future_hours, settings.late_days)
    gate = Gate(access)
    administration = Administration(access, feed, clock)
    group_types = GroupTypes(profiles, clock)
    cache = ProfileCache(profiles, settings.profile_cache)
    memberships = Memberships(cohorts, settings.profile_cache)
    stored = Stored(cache, memberships)
    mirror = Mirror(profiles, warehouse)
    erasures = SqlErasures(database)
    eraser = Eraser(erasures, profiles, journal, quarantine, warehouse, clock)
    retention = Retention(access, warehouse, clock)
    catalog = Catalog(flags)
    turns = Turns()
    lifecycle = Lifecycle(flags, cohorts, turns, feed, clock)
    watch = Watch(catalog, profiles, cohorts, settings.watch_profiles)
    streams = OpenStreams()
    limits = CaptureLimits(
        LocalQuota(clock),
        max_calls=settings.capture_calls,
        max_bytes=settings.capture_mb * MEGABYTE,
        events_per_second=settings.key_events_per_second,
    )
    forgetting = (gate.forget, cache.forget, memberships.forget, catalog.forget)
    changes = Changes()
    for listener in (*forgetting, changes.notice, mirror.notice, retention.notice, watch.notice, streams.notice):
        feed.listen(listener)
    answered = Calls()
    taking = Capture(journal, group_types, clock, window)
    loader = Loader(journal, warehouse, isolator, eraser.reached)
    answers = Answers[tuple[bytes, Reason]](catalog, stored, KEPT_ANSWERS)
    flag_servicer = FlagServicer(Checks(catalog, stored, clock), answers, watch)
    sizes = {
        "answers": (lambda: answers.size, KEPT_ANSWERS),
        "api_keys": (lambda: gate.size, MAX_KNOWN),
        "memberships": (lambda: memberships.size, settings.profile_cache),
        "profiles": (lambda: cache.size, settings.profile_cache),
    }
    collector = Collector(
        {
            "build": partial(build_info, version("burgee")),
            "calls": partial(calls, answered),
            "evaluations": partial(evaluations, flag_servicer),
            "capture": partial(captured, taking, limits),
            "journal": partial(backlog, journal, clock),
            "quarantine": partial(held, quarantine),
            "loader": partial(loaded, loader),
            "flags": FlagsInMemory(catalog, watch, access).samples,
            "changes": changes.samples,
            "caches": partial(caches, sizes),
            "warehouse": partial(asked, warehouse.work),
        }
    )

    return House(
        database=database,
        access=access,
        stored_profiles=profiles,
        journal=journal,
        warehouse=warehouse,
        gate=gate,
        administration=administration,
        loader=loader,
        isolator=isolator,
        mirror=mirror,
        eraser=eraser,
        retention=retention,
        watch=watch,
        streams=streams,
        limits=limits,
        calls=answered,
        collector=collector,
        servicers=Servicers(
            actions=ActionServicer(Actions(SqlActions(database), check_matcher, clock), group_types),
            admin=AdminServicer(administration),
            capture=CaptureServicer(
                taking,
                limits,
                quarantine,
                Quarantine(quarantine, warehouse, access, clock),
            ),
            cohorts=CohortServicer(Cohorts(cohorts, flags, turns, feed, clock)),
            flag_admin=FlagAdminServicer(
                lifecycle,
                Previews(lifecycle, KnownProfiles(profiles, warehouse), cohorts, clock),
                Past(flags, profiles, cohorts, clock),
                administration,
                group_types,
            ),
            flags=flag_servicer,
            insights=InsightServicer(
                Insights(warehouse, SqlVocabularies(database), clock), group_types, journal, settings.query_seconds
            ),
            profiles=ProfileServicer(
                Profiles(profiles, group_types, warehouse, feed, clock),
                group_types,
                warehouse,
                Exports(warehouse),
                journal,
                Erasures(erasures, eraser, feed, clock),
            ),
        ),
    )
