"""Flags and what changes in them, for as long as somebody watches."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from math import inf
from random import uniform

from burgee_server.flags.catalog import Catalog
from burgee_server.flags.live import Live
from burgee_server.flags.reader import Reader
from burgee_server.ports.changes import Change
from burgee_server.ports.cohorts import CohortStore
from burgee_server.ports.profiles import ProfileStore

LINGER_SECONDS = 60.0
"""An environment without watchers is kept so long: one that comes back then needs no snapshot."""


class Watch:
    """Opens an environment with its first watcher. Of a type at most `most` groups are carried, of a cohort members.

    A stream ends by itself after at most `seconds`, and no two of them together: who watches opens the next one.
    """

    def __init__(
        self, catalog: Catalog, profiles: ProfileStore, cohorts: CohortStore, most: int, seconds: float = inf
    ) -> None:
        self._catalog = catalog
        self._profiles = profiles
        self._cohorts = cohorts
        self._most = most
        self._seconds = seconds
        self._live: dict[int, tuple[Live, asyncio.Task[None]]] = {}

    def notice(self, change: Change) -> None:
        """Listen to the change feed with this, after the catalog."""
        if found := self._live.get(change.environment_id):
            found[0].notice(change)

    async def stream(self, environment_id: int, version: str, silence_seconds: float) -> AsyncIterator[bytes]:
        """Serialized WatchResponses; see Live.messages."""
        live = self._open(environment_id)
        live.watchers += 1
        try:
            seconds = self._seconds * uniform(0.6, 1.0)  # noqa: S311 - no secret
            async for message in live.messages(version, silence_seconds, seconds):
                yield message
        finally:
            live.watchers -= 1
            if not live.watchers:
                asyncio.get_running_loop().call_later(LINGER_SECONDS, self._close_unwatched, environment_id)

    def watchers(self) -> Mapping[int, int]:
        """How many watch each environment that somebody watches."""
        return {environment_id: live.watchers for environment_id, (live, _) in self._live.items() if live.watchers}

    def close(self) -> None:
        """Follow no environment any more."""
        for _, following in self._live.values():
            following.cancel()
        self._live.clear()

    def _open(self, environment_id: int) -> Live:
        if environment_id not in self._live:
            reader = Reader(environment_id, self._profiles, self._cohorts, self._most)
            live = Live(environment_id, self._catalog, reader)
            self._live[environment_id] = live, asyncio.create_task(live.run())
        return self._live[environment_id][0]

    def _close_unwatched(self, environment_id: int) -> None:
        if (found := self._live.get(environment_id)) and not found[0].watchers:
            self._live.pop(environment_id)[1].cancel()
