"""One environment as its watchers see it: a snapshot, and the latest updates to it, shared by all of them."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from burgee.evaluation import USER, FlagSet
from burgee_server.flags.catalog import Catalog
from burgee_server.flags.contents import Contents, mentioned, messages, only, stored_part
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.profiles import ProfileStore

log = logging.getLogger(__name__)

MOST_UPDATES = 1_000
"""A watcher that is further behind is sent a snapshot."""

MOST_BYTES = 16 << 20
"""The same, for updates that are large."""

_PAGE = 2_000
_GROUPS_AT_ONCE = 500
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Update:
    number: int
    parts: Collection[bytes]
    size: int


class Live:
    """Follows the change feed. A version is the number of an update, and an epoch that no other Live has."""

    def __init__(self, environment_id: int, catalog: Catalog, profiles: ProfileStore, most_groups: int) -> None:
        self.watchers = 0
        self._environment_id = environment_id
        self._catalog = catalog
        self._profiles = profiles
        self._most_groups = most_groups
        self._contents = Contents()
        self._names: dict[str, tuple[str, ...]] = {}
        self._flags_changed = True
        self._groups_changed: set[tuple[str, str]] = set()
        self._noticed = asyncio.Event()
        self._noticed.set()
        self._epoch = secrets.token_hex(8)
        self._number = 0
        self._snapshot: list[bytes] = []
        self._updates: deque[_Update] = deque()
        self._updates_bytes = 0
        self._published = asyncio.Event()

    def notice(self, change: Change) -> None:
        """Take note of a change in this environment."""
        if change.kind is Kind.FLAGS:
            self._flags_changed = True
        elif change.kind is Kind.PROFILE and change.subject[0] != USER:
            group_type, key = change.subject
            self._groups_changed.add((group_type, key))
        else:
            return
        self._noticed.set()

    async def run(self) -> None:
        """Publish what changes, for ever. What could not be read is tried again."""
        while True:
            await self._noticed.wait()
            self._noticed.clear()
            try:
                parts = await self._refresh()
            except Exception:
                log.exception("could not read what watchers of environment %d wait for", self._environment_id)
                self._noticed.set()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if parts or not self._number:  # an environment without flags has a snapshot, too
                    self._publish(parts)

    async def messages(self, version: str, silence_seconds: float) -> AsyncIterator[bytes]:
        """Serialized WatchResponses, for ever: what is new since a version or a snapshot, then what changes.

        The first comes at once. Nothing is kept for a watcher that reads slowly.
        """
        number = self._number_of(version)
        if number == self._number > 0:
            yield self._heartbeat()
        while True:
            published = self._published
            if number == self._number:
                try:
                    async with asyncio.timeout(silence_seconds):
                        await published.wait()
                except TimeoutError:
                    if number:
                        yield self._heartbeat()
                continue
            if number and self._updates[0].number <= number + 1:
                update = self._updates[number + 1 - self._updates[0].number]
                number, parts = update.number, update.parts
            else:
                number, parts = self._number, self._everything()
            for message in messages(parts, self._version(number)):
                yield message

    def _number_of(self, version: str) -> int:
        """0 for a version that is not ours, or not yet."""
        epoch, _, digits = version.partition(".")
        if epoch != self._epoch or not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            return 0
        return int(digits) if int(digits) <= self._number else 0

    def _version(self, number: int) -> str:
        return f"{self._epoch}.{number}"

    def _heartbeat(self) -> bytes:
        return next(messages((), self._version(self._number)))

    def _everything(self) -> list[bytes]:
        """The snapshot: the same list for everybody who needs it at this version."""
        if not self._snapshot:
            self._snapshot = self._contents.snapshot()
        return self._snapshot

    def _publish(self, parts: list[bytes]) -> None:
        self._number += 1
        update = _Update(self._number, parts, sum(map(len, parts)))
        self._updates.append(update)
        self._updates_bytes += update.size
        while len(self._updates) > 1 and (len(self._updates) > MOST_UPDATES or self._updates_bytes > MOST_BYTES):
            self._updates_bytes -= self._updates.popleft().size
        self._snapshot = []
        published, self._published = self._published, asyncio.Event()
        published.set()

    async def _refresh(self) -> list[bytes]:
        """Read what changed, and only then take it over: a read that fails leaves everything as it was."""
        flags_changed, self._flags_changed = self._flags_changed, False
        groups = {self._groups_changed.pop() for _ in range(min(len(self._groups_changed), _GROUPS_AT_ONCE))}
        if self._groups_changed:
            self._noticed.set()
        try:
            flags = await self._catalog.get(self._environment_id) if flags_changed else None
            names = self._names if flags is None else mentioned(flags)
            types = await self._changed_types(names)
            properties = {
                (group_type, key): await self._profiles.get(self._environment_id, group_type, key)
                for group_type, key in groups
                if group_type in self._contents.carried and group_type not in types
            }
        except BaseException:
            self._flags_changed |= flags_changed
            self._groups_changed |= groups
            raise
        parts = [*self._put_flags(flags), *self._contents.put_types(types)]
        self._names = names
        for (group_type, key), profile in properties.items():
            stored = {} if profile is None else only(names[group_type], profile.properties)
            parts += self._contents.put_group(group_type, key, stored)
        too_many = [each for each in self._contents.carried if self._contents.count(each) > self._most_groups]
        return [*parts, *self._contents.put_types(dict.fromkeys(too_many))]

    def _put_flags(self, flags: FlagSet | None) -> list[bytes]:
        return [] if flags is None else self._contents.put_flags(flags.flags)

    async def _changed_types(self, names: dict[str, tuple[str, ...]]) -> dict[str, dict[str, bytes] | None]:
        """The groups of each type of which flags mention other properties than before; None: not carried."""
        types: dict[str, dict[str, bytes] | None] = dict.fromkeys(self._names.keys() - names.keys())
        for group_type, mentions in names.items():
            if mentions != self._names.get(group_type):
                types[group_type] = await self._read_type(group_type, mentions)
        return types

    async def _read_type(self, group_type: str, names: tuple[str, ...]) -> dict[str, bytes] | None:
        parts: dict[str, bytes] = {}
        after = ""
        while True:
            page = await self._profiles.page(self._environment_id, group_type, after=after, limit=_PAGE)
            for profile in page:
                if stored := only(names, profile.properties):
                    parts[profile.key] = stored_part(group_type, profile.key, stored)
            if len(parts) > self._most_groups:
                log.info("environment %d: too many groups of type %s to carry", self._environment_id, group_type)
                return None
            if len(page) < _PAGE:
                return parts
            after = page[-1].key
