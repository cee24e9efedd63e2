"""Puts the features onto the stores: what a running server is made of, whatever adapters were chosen."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version

from burgee_server.access import Administration, Gate
from burgee_server.access.gate import MAX_KNOWN
from burgee_server.actions import Actions
from burgee_server.capture import Capture, Handover, Isolator, Loader, Quarantine, TimeWindow
from burgee_server.cohorts import Cohorts, Memberships, Refreshing
from burgee_server.companion import Companion
from burgee_server.erasure import Belated, Eraser, Erasures, Retention
from burgee_server.exports import Exports
from burgee_server.findings import Finding
from burgee_server.flags import Answers, Catalog, Checks, Lifecycle, Past, Previews, Stored, Watch
from burgee_server.insights import Insights, Lists, SavedInsights, WarehouseComputing, check_matchers
from burgee_server.metrics import Collector, Source
from burgee_server.metrics.calls import calls, captured, companions, connections, evaluations
from burgee_server.metrics.memory import Changes, FlagsInMemory, build_info, caches
from burgee_server.metrics.stores import asked, backlog, holding, loaded, refused
from burgee_server.ports.access import AccessStore
from burgee_server.ports.actions import ActionStore
from burgee_server.ports.backups import Backups
from burgee_server.ports.changes import ChangeFeed
from burgee_server.ports.clock import Clock
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.erasures import ErasureStore
from burgee_server.ports.flags import FlagStore
from burgee_server.ports.hierarchy import HierarchyStore
from burgee_server.ports.journal import Held, Journal
from burgee_server.ports.lease import Lease
from burgee_server.ports.profiles import ProfileStore
from burgee_server.ports.quarantine import QuarantineStore
from burgee_server.ports.quota import Quota
from burgee_server.ports.saved import SavedInsightStore
from burgee_server.ports.turns import Turns
from burgee_server.ports.vocabulary import Vocabularies
from burgee_server.ports.warehouse import Warehouse
from burgee_server.profiles import GroupTypes, Hierarchy, KnownProfiles, Mirror, ProfileCache, Profiles
from burgee_server.rpc.actions import ActionServicer
from burgee_server.rpc.admin import AdminServicer
from burgee_server.rpc.answering import Answering
from burgee_server.rpc.calls import Calls
from burgee_server.rpc.capture import CaptureServicer
from burgee_server.rpc.certificate import Certificate
from burgee_server.rpc.cohorts import CohortServicer
from burgee_server.rpc.flag_admin import FlagAdminServicer
from burgee_server.rpc.flags import FlagServicer, KeptAnswer
from burgee_server.rpc.insights import InsightServicer
from burgee_server.rpc.limits import CaptureLimits, QueryLimits
from burgee_server.rpc.profiles import ProfileServicer
from burgee_server.rpc.server import Servicers
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import Transport
from burgee_server.settings import MEGABYTE, Settings
from burgee_server.work import Work

KEPT_ANSWERS = 20_000
"""Each takes about a kilobyte."""


@dataclass(frozen=True, slots=True)
class Stores:
    """An adapter for each port."""

    access: AccessStore
    flags: FlagStore
    profiles: ProfileStore
    hierarchy: HierarchyStore
    cohorts: CohortStore
    erasures: ErasureStore
    actions: ActionStore
    saved_insights: SavedInsightStore
    vocabularies: Vocabularies
    turns: Turns
    lease: Lease
    journal: Journal
    held: Held | None
    """What this node has acknowledged by itself; None if it never does."""
    quarantine: QuarantineStore
    warehouse: Warehouse
    feed: ChangeFeed
    quota: Quota
    backups: Backups
    closing: Sequence[Callable[[], Awaitable[None]]]
    """Closes them, those that others write to last."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a running server is made of."""

    stores: Stores
    gate: Gate
    administration: Administration
    mirror: Mirror
    work: Work
    handover: Handover | None
    catalog: Catalog
    watch: Watch
    streams: OpenStreams
    limits: CaptureLimits
    calls: Calls
    companion: Companion
    transport: Transport
    collector: Collector
    servicers: Servicers

    async def warm(self) -> None:
        """Read the flags of every environment, so that no first check waits for them."""
        for project in await self.stores.access.projects():
            for environment in await self.stores.access.environments(project.key):
                await self.catalog.get(environment.environment_id)

    async def close(self) -> None:
        """Let go of the stores, and of the process beside this one."""
        self.watch.close()
        await asyncio.to_thread(self.companion.close)
        for close in self.stores.closing:
            await close()


def furnish(stores: Stores, settings: Settings, clock: Clock, examine: Callable[[], Iterable[Finding]]) -> House:
    """Wire everything to the stores. `examine` looks at them, in a thread."""
    access, flags, profiles, cohorts = stores.access, stores.flags, stores.profiles, stores.cohorts
    journal, quarantine, warehouse, feed = stores.journal, stores.quarantine, stores.warehouse, stores.feed

    isolator = Isolator(journal, quarantine, warehouse)
    window = TimeWindow(settings.future_hours, settings.late_days)
    gate = Gate(access)
    administration = Administration(access, cohorts, stores.turns, feed, clock)
    group_types = GroupTypes(profiles, clock)
    hierarchy = Hierarchy(stores.hierarchy, group_types, stores.turns, feed, clock)
    cache = ProfileCache(profiles, settings.profile_cache)
    memberships = Memberships(cohorts, settings.profile_cache)
    stored = Stored(cache, memberships)
    mirror = Mirror(profiles, warehouse)
    eraser = Eraser(stores.erasures, profiles, journal, quarantine, warehouse, clock)
    retention = Retention(access, warehouse, clock)
    catalog = Catalog(flags, stores.hierarchy)
    lists = Lists(cohorts, warehouse)
    insights = Insights(warehouse, stores.vocabularies, lists, clock)
    computing = WarehouseComputing(
        warehouse, stores.vocabularies, lists, group_types.known, clock, settings.query_seconds
    )
    check = partial(check_matchers, warehouse, settings.query_seconds)
    refreshing = Refreshing(cohorts, flags, computing, feed, clock, timedelta(seconds=settings.cohort_seconds))
    lifecycle = Lifecycle(flags, cohorts, stores.hierarchy, stores.turns, feed, clock)
    transport = _transport(settings)
    watch = Watch(catalog, profiles, cohorts, settings.watch_profiles, transport.stream_seconds)
    streams = OpenStreams()
    limits = _capture_limits(stores.quota, settings)
    forgetting = (gate.forget, cache.forget, memberships.forget, catalog.forget, hierarchy.forget)
    changes = Changes()
    behind = (mirror.notice, retention.notice, refreshing.notice)
    for listener in (*forgetting, changes.notice, *behind, watch.notice, streams.notice):
        feed.listen(listener)
    answered = Calls()
    companion = Companion(has_process=settings.capture_companion)
    taking = Capture(journal, group_types, clock, window, companion)
    loader = Loader(journal, warehouse, isolator, eraser.reached)

    def look() -> Iterable[Finding]:
        return (*examine(), *companion.findings(), *streams.detours.findings())

    answers = Answers[KeptAnswer](catalog, stored, KEPT_ANSWERS)
    flag_servicer = FlagServicer(Checks(catalog, stored, clock), answers, watch)
    sizes = {
        "answers": (lambda: answers.size, KEPT_ANSWERS),
        "api_keys": (lambda: gate.size, MAX_KNOWN),
        "memberships": (lambda: memberships.size, settings.profile_cache),
        "profiles": (lambda: cache.size, settings.profile_cache),
    }
    sources: dict[str, Source] = {
        "calls": partial(calls, answered),
        "connections": partial(connections, streams.detours),
        "evaluations": partial(evaluations, flag_servicer),
        "capture": partial(captured, taking, limits),
        "companion": partial(companions, companion),
        "loader": partial(loaded, loader),
        "flags": FlagsInMemory(catalog, watch, access).samples,
        "changes": changes.samples,
        "caches": partial(caches, sizes),
    }
    return House(
        stores=stores,
        gate=gate,
        administration=administration,
        mirror=mirror,
        work=Work(
            stores.lease, finishing=(loader, mirror), endless=(isolator.run, eraser.run, retention.run, refreshing.run)
        ),
        handover=None if stores.held is None else Handover(stores.held, Belated(stores.erasures).since),
        catalog=catalog,
        watch=watch,
        streams=streams,
        limits=limits,
        calls=answered,
        companion=companion,
        transport=transport,
        collector=Collector(sources | _of_stores(stores, clock)),
        servicers=Servicers(
            actions=ActionServicer(
                Actions(stores.actions, cohorts, stores.saved_insights, check, stores.turns, clock), group_types
            ),
            admin=AdminServicer(administration, stores.backups, look, version("burgee")),
            capture=CaptureServicer(
                taking,
                limits,
                quarantine,
                Quarantine(quarantine, warehouse, access, clock),
            ),
            cohorts=CohortServicer(
                Cohorts(cohorts, flags, access, stores.saved_insights, computing, stores.turns, feed, clock),
                refreshing,
                insights,
                group_types,
            ),
            flag_admin=FlagAdminServicer(
                lifecycle,
                Previews(lifecycle, KnownProfiles(profiles, warehouse), cohorts, clock),
                Past(flags, profiles, stores.hierarchy, cohorts, clock),
                administration,
                group_types,
            ),
            flags=flag_servicer,
            insights=InsightServicer(
                Answering(
                    insights,
                    group_types,
                    journal,
                    settings.query_seconds,
                    QueryLimits(settings.key_queries),
                ),
                SavedInsights(stores.saved_insights, stores.turns, clock),
            ),
            profiles=ProfileServicer(
                Profiles(profiles, group_types, hierarchy, warehouse, feed, clock),
                group_types,
                hierarchy,
                warehouse,
                Exports(warehouse),
                journal,
                Erasures(stores.erasures, eraser, feed, clock),
            ),
        ),
    )


def _transport(settings: Settings) -> Transport:
    return Transport(
        settings.transport == "native",
        settings.connection_seconds,
        settings.connection_grace_seconds,
        settings.connections,
        settings.connection_calls,
        shares_port=settings.processes > 1,
        certificate=None if settings.tls is None else Certificate(*settings.tls),
    )


def _capture_limits(quota: Quota, settings: Settings) -> CaptureLimits:
    return CaptureLimits(
        quota,
        max_calls=settings.capture_calls,
        max_bytes=settings.capture_mb * MEGABYTE,
        events_per_second=settings.key_events_per_second,
    )


def _of_stores(stores: Stores, clock: Clock) -> dict[str, Source]:
    """What is counted in the stores, and the build."""
    return {
        "build": partial(build_info, version("burgee")),
        "journal": partial(backlog, stores.journal, clock),
        "held": partial(holding, stores.held, clock),
        "quarantine": partial(refused, stores.quarantine),
        "warehouse": partial(asked, stores.warehouse.work),
    }
