"""Carries profiles, and what they were, from the control store into the warehouse, where insights read them."""

import asyncio
import logging

from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.profiles import ProfileStore
from burgee_server.ports.warehouse import Warehouse

log = logging.getLogger(__name__)

BATCH = 1_000
GATHER_SECONDS = 0.2
LONGEST_SLEEP_SECONDS = 5.0


class Mirror:
    """Copies whatever has a greater revision than what was copied last. Copying a row twice does no harm."""

    def __init__(self, store: ProfileStore, warehouse: Warehouse) -> None:
        self._store = store
        self._warehouse = warehouse
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()

    def notice(self, change: Change) -> None:
        """Listen to the change feed with this."""
        if change.kind is Kind.PROFILE:
            self._changed.set()

    async def run(self) -> None:
        """Copy until stopped."""
        while True:
            self._changed.clear()
            try:
                await self._copy()
            except Exception:
                log.exception("could not copy profiles to the warehouse; trying again")
            if self._stopping.is_set():
                return
            await _wait(self._changed, LONGEST_SLEEP_SECONDS)
            await _wait(self._stopping, GATHER_SECONDS)

    def stop(self) -> None:
        """Let `run` copy what changed and return."""
        self._stopping.set()
        self._changed.set()

    async def is_even(self) -> bool:
        """Whether every profile is in the warehouse as it is now."""
        store = self._store
        return not (
            await store.versions_since(await store.loaded_versions(), 1)
            or await store.changed_since(await store.loaded_revision(), 1)
        )

    async def _copy(self) -> None:
        # First what profiles were: whoever erases somebody waits for the profile, and no version may come after that.
        version = await self._store.loaded_versions()
        while versions := await self._store.versions_since(version, BATCH):
            await self._warehouse.load_profile_versions(versions)
            version = versions[-1].revision
            await self._store.set_loaded_versions(version)
            if len(versions) < BATCH:  # all that there were; what has come since is noticed, and has its turn
                break
        revision = await self._store.loaded_revision()
        while rows := await self._store.changed_since(revision, BATCH):
            await self._warehouse.load_profiles(rows)
            revision = rows[-1].revision
            await self._store.set_loaded_revision(revision)
            if len(rows) < BATCH:
                break


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
