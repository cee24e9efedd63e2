"""The QuarantineStore port beside the journal in Redis."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from burgee_server.ports.quarantine import Held, Part, QuarantinedEvent, RefusedEvent, Remainder, Selection
from burgee_server.ports.turns import Turns
from burgee_server.ports.warehouse import from_micros, to_micros
from burgee_server.storage.redis import scripts
from burgee_server.storage.redis.connection import Client, told

ALONE = -1
"""The turn of whoever moves what is set aside or in quarantine; environments have positive numbers."""
_PAGE = 500
_FEW = 20
"""Parts that are looked through at a time: each may have tens of megabytes."""


class RedisQuarantine:
    """Numbered by Redis. `turns` are those of the nodes that share it."""

    def __init__(self, client: Client, keys: scripts.Keys, turns: Turns, unix_seconds: Callable[[], float]) -> None:
        self._client = client
        self._keys = keys
        self._turns = turns
        self._unix_seconds = unix_seconds
        self._divide = client.register_script(scripts.DIVIDE)
        self._sift_part = client.register_script(scripts.SIFT_PART)
        self._remove = client.register_script(scripts.REMOVE)
        self._refuse = client.register_script(scripts.REFUSE)

    def alone(self) -> AbstractAsyncContextManager[None]:
        """See the port."""
        return self._turns[ALONE]

    async def sift(self, leave: Callable[[bytes], Remainder | None]) -> None:
        """See the port."""
        with told():
            for part_id in await self._part_ids():
                payload = await self._client.hget(self._keys.parts, str(part_id))
                if payload is not None and (left := await asyncio.to_thread(leave, payload)) is not None:
                    await self._run(self._sift_part, part_id, left.payload, left.events)
            async for environment, ids in self._everywhere():
                payloads = await self._client.hmget(self._keys.quarantined, ids)
                gone = await asyncio.to_thread(_taken_out, leave, ids, payloads)
                if gone:
                    await self._run(self._remove, environment, *gone)

    async def next_part(self, after: int) -> Part | None:
        """See the port."""
        with told():
            part_id = min((each for each in await self._part_ids() if each > after), default=None)
            if part_id is None:
                return None
            payload = await self._client.hget(self._keys.parts, str(part_id))
            told_of = await self._client.hget(self._keys.parts_told, str(part_id))
        if payload is None or told_of is None:  # it went meanwhile
            return await self.next_part(part_id)
        events, examined, _ = told_of.split()
        return Part(part_id, payload, int(events), examined == b"1")

    async def divide(self, part: Part, rest: Sequence[tuple[bytes, int]], refused: Sequence[RefusedEvent]) -> None:
        """See the port. A part that is gone is left alone."""
        now = round(self._unix_seconds() * 1_000_000)
        pieces = [value for piece in rest for value in piece]
        events = [value for each in refused for value in (each.environment_id, each.payload, each.reason)]
        with told():
            await self._run(self._divide, part.part_id, len(rest), len(refused), now, *pieces, *events)

    async def release(self, part: Part) -> None:
        """See the port."""
        await self.divide(part, [], [])

    async def page(
        self, environment_id: int, selection: Selection, before: int | None, limit: int
    ) -> Sequence[QuarantinedEvent]:
        """See the port."""
        found: list[QuarantinedEvent] = []
        with told():
            while len(found) < limit and (ids := await self._ids(environment_id, before)):
                chosen = await self._chosen(ids, selection)
                for id_, payload in zip(chosen, await self._get(self._keys.quarantined, chosen), strict=True):
                    reason, at = chosen[id_]
                    if payload is not None:  # else it was replayed or purged since its reason was read
                        found.append(QuarantinedEvent(id_, payload, reason, from_micros(at)))
                before = ids[-1]
        return found[:limit]

    async def refuse(self, reasons: Sequence[tuple[int, str]]) -> None:
        """See the port."""
        with told():
            await self._run(self._refuse, *(value for each in reasons for value in each))

    async def held(self) -> Held:
        """See the port."""
        with told():
            aside, quarantined = await self._client.hmget(self._keys.counts, ["aside", "quarantined"])
        return Held(int(aside or 0), int(quarantined or 0))

    async def remove(self, environment_id: int, selection: Selection) -> int:
        """See the port."""
        chosen: list[int] = []
        before = None
        with told():
            while ids := await self._ids(environment_id, before):
                chosen += await self._chosen(ids, selection)
                before = ids[-1]
            return int(await self._run(self._remove, environment_id, *chosen)) if chosen else 0

    async def _ids(self, environment_id: int, before: int | None) -> list[int]:
        """Some ids of an environment, the greatest first."""
        name = f"{self._keys.environments}:{environment_id}"
        most = "+inf" if before is None else f"({before}"
        found = await self._client.zrange(name, most, "-inf", desc=True, byscore=True, offset=0, num=_PAGE)
        return [int(each) for each in found]

    async def _chosen(self, ids: Sequence[int], selection: Selection) -> dict[int, tuple[str, int]]:
        """The reason and the time of those of these ids that are selected."""
        start = to_micros(selection.start) if selection.start else 0
        end = to_micros(selection.end) if selection.end else None
        chosen = {}
        reasons, times = await self._get(self._keys.reasons, ids), await self._get(self._keys.quarantined_at, ids)
        for id_, raw, at in zip(ids, reasons, times, strict=True):
            if raw is None or at is None or (selection.quarantine_ids and id_ not in selection.quarantine_ids):
                continue
            reason = raw.decode()
            if selection.reason in reason and start <= int(at) and (end is None or int(at) < end):
                chosen[id_] = reason, int(at)
        return chosen

    async def _get(self, name: str, ids: Any) -> list[Any]:
        return list(await self._client.hmget(name, list(ids))) if ids else []

    async def _part_ids(self) -> list[int]:
        return sorted(int(each) for each in await self._client.hkeys(self._keys.parts_told))

    async def _everywhere(self) -> Any:
        """Every environment with ids in it, some at a time."""
        async for name in self._client.scan_iter(f"{_literally(self._keys.environments)}:*"):
            environment_id, before = int(name.rpartition(b":")[2]), None
            while ids := await self._ids(environment_id, before):
                for start in range(0, len(ids), _FEW):
                    yield environment_id, ids[start : start + _FEW]
                before = ids[-1]

    async def _run(self, script: Any, *arguments: Any) -> Any:
        return await script(keys=self._keys.all, args=arguments)


def _taken_out(
    leave: Callable[[bytes], Remainder | None], ids: Sequence[int], payloads: Sequence[bytes | None]
) -> list[int]:
    """Those of which nothing is left: an event is all there or gone."""
    return [id_ for id_, payload in zip(ids, payloads, strict=True) if payload is not None and leave(payload)]


def _literally(text: str) -> str:
    """For a pattern of Redis, where brackets and stars stand for something."""
    return "".join(f"\\{each}" if each in "*?[]\\" else each for each in text)
