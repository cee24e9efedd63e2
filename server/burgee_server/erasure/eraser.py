"""Erases persons and groups in the background: what came before the request, and nothing that came after."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from burgee_server.erasure.concern import Concern
from burgee_server.errors import NotFound
from burgee_server.ports.clock import Clock
from burgee_server.ports.erasures import Erasure, ErasureState, ErasureStore
from burgee_server.ports.journal import Journal
from burgee_server.ports.profiles import ProfileStore
from burgee_server.ports.quarantine import QuarantineStore
from burgee_server.ports.warehouse import Arrived, Removal, Warehouse

log = logging.getLogger(__name__)

AT_ONCE = 1_000
"""How many of an environment are erased together: for all of them the data is written anew once."""
GATHER_SECONDS = 0.2
RETRY_SECONDS = 10.0
IDLE_SECONDS = 60.0


class Eraser:
    """Sets a mark in the journal for each erasure; erases when the loader has come to the mark.

    An erasure that was cut short anywhere, by a crash or by trouble, is taken up again where the store says it is.
    """

    def __init__(
        self,
        store: ErasureStore,
        profiles: ProfileStore,
        journal: Journal,
        quarantine: QuarantineStore,
        warehouse: Warehouse,
        clock: Clock,
    ) -> None:
        self._store = store
        self._profiles = profiles
        self._journal = journal
        self._quarantine = quarantine
        self._warehouse = warehouse
        self._clock = clock
        self._marked: set[str] = set()
        self._wake = asyncio.Event()

    async def mark(self, erasure: Erasure) -> None:
        """Mark in the journal where the past of a WAITING erasure ends. Raises Overloaded; `run` tries again."""
        self._wake.set()
        self._marked.add(erasure.erasure_id)
        try:
            await self._journal.mark(f"{erasure.environment_id}/{erasure.erasure_id}")
        except BaseException:
            self._marked.discard(erasure.erasure_id)
            raise

    async def reached(self, marks: Sequence[str]) -> None:
        """Take note of what there is to remove. The loader calls this at marks, and loads nothing meanwhile."""
        waiting: list[Erasure] = []
        for mark in marks:
            environment_id, _, erasure_id = mark.partition("/")
            try:
                erasure = await self._store.get(int(environment_id), erasure_id)
            except NotFound:
                log.warning("the journal is marked for erasure %s, which the control store does not know", erasure_id)
                continue
            if erasure.state is ErasureState.WAITING:  # else marked twice, around a crash
                waiting.append(erasure)
        # Nothing is on its way from there to the warehouse: what was, has arrived; what was not, is taken out.
        async with self._quarantine.alone():
            await self._quarantine.sift(Concern(waiting).without)
            await self._store.arrived(await self._arrived(waiting))
        self._marked.difference_update(each.erasure_id for each in waiting)
        self._wake.set()

    async def run(self) -> None:
        """Erase until cancelled, which can be done at any time."""
        while True:
            self._wake.clear()
            try:
                seconds = IDLE_SECONDS if await self._go_on() else GATHER_SECONDS
            except Exception:
                log.exception("erasures wait; trying again in %.0f s", RETRY_SECONDS)
                seconds = RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _arrived(self, erasures: Iterable[Erasure]) -> Mapping[str, Arrived]:
        """What there is to remove, by erasure_id."""
        by_type: defaultdict[tuple[int, str], list[Erasure]] = defaultdict(list)
        for erasure in erasures:
            by_type[erasure.environment_id, erasure.group_type].append(erasure)
        found: dict[str, Arrived] = {}
        for (environment_id, group_type), alike in by_type.items():
            arrived = await self._warehouse.arrived(environment_id, group_type, [each.key for each in alike])
            for each in alike:
                here = arrived.get(each.key, Arrived(0, each.requested_at))
                found[each.erasure_id] = Arrived(here.events, max(here.received_until, each.requested_at))
        return found

    async def _go_on(self) -> bool:
        """Do what can be done now. False if something waits for the mirror."""
        unfinished = await self._store.unfinished()
        for erasure in unfinished:
            if erasure.state is ErasureState.WAITING and erasure.erasure_id not in self._marked:
                await self.mark(erasure)
        # A copy of the profile that is on its way to the warehouse must not arrive there afterwards.
        mirrored = await self._profiles.loaded_revision()
        erasing = [each for each in unfinished if each.state is ErasureState.ERASING]
        by_environment: defaultdict[int, list[Erasure]] = defaultdict(list)
        for erasure in erasing:
            if erasure.revision <= mirrored:
                by_environment[erasure.environment_id].append(erasure)
        for environment_id, erasures in by_environment.items():
            for start in range(0, len(erasures), AT_ONCE):
                await self._erase(environment_id, erasures[start : start + AT_ONCE])
        return all(erasure.revision <= mirrored for erasure in erasing)

    async def _erase(self, environment_id: int, erasures: list[Erasure]) -> None:
        removals = [
            Removal(each.group_type, each.key, each.received_until, each.revision, each.requested_at)
            for each in erasures
            if each.received_until is not None
        ]
        await self._warehouse.erase(environment_id, removals)
        await self._store.finish([each.erasure_id for each in erasures], self._clock.now())
        log.info("erased: %s", ", ".join(each.erasure_id for each in erasures))
