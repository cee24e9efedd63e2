"""The Journal port on a Redis stream that all nodes append to and one of them loads from."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from burgee_server.errors import Overloaded, Unavailable
from burgee_server.ports.journal import Backlog, Range
from burgee_server.ports.turns import Turns
from burgee_server.storage.redis import scripts
from burgee_server.storage.redis.connection import (
    AWAY,
    BLOCK_SECONDS,
    PREFIX,
    RETRY_SECONDS,
    Client,
    check_durability,
    told,
)
from burgee_server.storage.redis.entries import Entry, entry, read_range, to_id, to_number
from burgee_server.storage.redis.quarantine import RedisQuarantine

_SECONDS_KNOWN = 24 * 3600.0
_KEPT_NOW, _FULL = -1, -2


class RedisJournal:
    """Bounded by `max_bytes` of events that are not in the warehouse; beyond that `append` raises Overloaded.

    It has nothing in memory, so that a node that becomes the loader, or ceases to be, leaves nothing behind. What is
    durable is what Redis says is: connection.py warns if that is not every append.
    """

    quarantine: RedisQuarantine
    """In the same Redis, and in the same bound."""

    def __init__(
        self,
        client: Client,
        max_bytes: int,
        turns: Turns,
        unix_seconds: Callable[[], float] = time.time,
        prefix: str = PREFIX,
    ) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._unix_seconds = unix_seconds
        self._keys = scripts.Keys.under(prefix)
        self._append = client.register_script(scripts.APPEND)
        self._fix = client.register_script(scripts.FIX)
        self._commit = client.register_script(scripts.COMMIT)
        self._set_aside = client.register_script(scripts.SET_ASIDE)
        self._oldest = client.register_script(scripts.OLDEST)
        self._complete_until = 0.0
        self.quarantine = RedisQuarantine(client, self._keys, turns, unix_seconds)

    async def claim(self, installation: str) -> str:
        """See the port. Raises Unsupported for a Redis that must not have events."""
        await check_durability(self._client)
        with told():
            await self._client.set(self._keys.installation, installation, nx=True)
            return str((await self._client.get(self._keys.installation)).decode())

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """See the port. Raises Unavailable while Redis is away: then the batch may have been kept or not."""
        known_as = f"{environment_id}/{batch_id}" if batch_id else ""
        arguments = (known_as, payload, events, repr(self._unix_seconds()), self._max_bytes)
        with told():
            # Shielded: what was sent is kept, whether or not the caller still waits to hear of it.
            answer = int(await asyncio.shield(asyncio.ensure_future(self._run(self._append, *arguments))))
        if answer == _FULL:
            raise Overloaded(
                "the journal is full: the warehouse does not keep up, or much is in quarantine; try again later",
                RETRY_SECONDS,
            )
        return None if answer == _KEPT_NOW else answer

    async def batch(self, environment_id: int, batch_id: str) -> int | None:
        """See the port."""
        with told():
            known = await self._client.hget(self._keys.ids, f"{environment_id}/{batch_id}")
        return None if known is None else int(known)

    async def mark(self, text: str) -> None:
        """See the port."""
        with told():
            await self._client.xadd(self._keys.batches, {"m": text, "r": repr(self._unix_seconds())})

    async def next_range(self, max_events: int) -> Range | None:
        """See the port. What the range is, is written down before it is handed out."""
        with told():
            while (fixed := await self._client.get(self._keys.loading)) is None:
                entries = await read_range(self._client, self._keys.batches, max_events)
                if not entries:
                    return None
                answer = await self._run(self._fix, entries[0].entry_id, entries[-1].entry_id)
                if answer and not answer[1]:
                    return _range(entries, again=False)
            first, last = fixed.split()
            found = await self._client.xrange(self._keys.batches, first, last)
        return _range([entry(*each) for each in found], again=True)

    async def commit(self, done: Range) -> None:
        """See the port. A range that another node has committed meanwhile is left alone."""
        with told():
            await self._run(self._commit, *_left(done), repr(self._unix_seconds() - _SECONDS_KNOWN))

    async def set_aside(self, refused: Range) -> None:
        """See the port."""
        with told():
            oldest = await self._client.xrange(self._keys.batches, to_id(refused.first), to_id(refused.first))
            received_at = repr(entry(*oldest[0]).received_at) if oldest else repr(self._unix_seconds())
            await self._run(self._set_aside, *_left(refused), refused.payload, received_at)

    async def wait(self, seconds: float) -> None:
        """See the port. Returns early when Redis is away: next_range will say so."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            block = max(int(min(left, BLOCK_SECONDS) * 1_000), 1)
            try:
                # What is committed is gone: whatever is in the stream has to be loaded.
                if await self._client.xread({self._keys.batches: "0-0"}, count=1, block=block):
                    return
            except AWAY:
                await asyncio.sleep(min(left, BLOCK_SECONDS))
                return

    async def complete_until(self) -> float:
        """See the port. While Redis is away, the last answer: it is still true."""
        now = self._unix_seconds()
        try:
            with told():
                oldest = [float(each) for each in await self._run(self._oldest) if each]
        except Unavailable:
            return self._complete_until
        self._complete_until = min(oldest, default=now)
        return self._complete_until

    async def backlog(self) -> Backlog:
        """See the port."""
        with told():
            kept, batches, events, size = await self._client.hmget(
                self._keys.counts, ["kept", "batches", "events", "bytes"]
            )
            first = await self._client.xrange(self._keys.batches, count=1)
        oldest_at = entry(*first[0]).received_at if first else None
        return Backlog(int(batches or 0), int(events or 0), int(size or 0), oldest_at, int(kept or 0), self._max_bytes)

    async def close(self) -> None:
        """See the port."""
        await self._client.aclose()

    async def _run(self, script: Any, *arguments: Any) -> Any:
        return await script(keys=self._keys.all, args=arguments)


def _range(entries: list[Entry], *, again: bool) -> Range:
    """Serialized StoredBatches laid end to end are one StoredBatch: that is how protobuf merges."""
    first, last = to_number(entries[0].entry_id), to_number(entries[-1].entry_id)
    if entries[0].mark is not None:
        return Range(first, last, b"", 0, again, tuple(each.mark for each in entries if each.mark is not None))
    payload = b"".join(each.payload for each in entries)
    return Range(first, last, payload, sum(each.events for each in entries), again)


def _left(done: Range) -> tuple[Any, ...]:
    """What a script has to know of a range that leaves the stream."""
    return (to_id(done.first), to_id(done.last), to_id(done.last + 1), done.events, len(done.payload))
