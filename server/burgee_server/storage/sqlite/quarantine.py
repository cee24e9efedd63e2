"""The QuarantineStore port in the file of the journal."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar
from zlib import crc32

from burgee_server.ports.quarantine import Held, Part, QuarantinedEvent, RefusedEvent, Remainder, Selection
from burgee_server.ports.warehouse import from_micros, to_micros
from burgee_server.storage.sqlite.reader import Reader
from burgee_server.storage.sqlite.room import Room
from burgee_server.storage.sqlite.sifting import TABLES, replace, sift
from burgee_server.storage.sqlite.writer import GroupWriter

T = TypeVar("T")

_SELECTED = """
FROM quarantined
WHERE environment_id = :environment_id
    AND (:quarantine_ids IS NULL OR quarantine_id IN (SELECT value FROM json_each(:quarantine_ids)))
    AND instr(reason, :reason) > 0
    AND quarantined_at_micros >= :start
    AND quarantined_at_micros < :end
"""
_PAGE = f"""
SELECT quarantine_id, payload, reason, quarantined_at_micros {_SELECTED} AND quarantine_id < :before
ORDER BY quarantine_id DESC LIMIT :limit
"""
_COUNT = f"SELECT count(*), coalesce(sum(length(payload)), 0) {_SELECTED}"
_DELETE = f"DELETE {_SELECTED}"
_LAST = 2**63 - 1


class SqliteQuarantine:
    """Shares the journal's writer and its room; reads on a connection of its own, beside what is written."""

    def __init__(self, writer: GroupWriter, reader: Reader, room: Room, unix_seconds: Callable[[], float]) -> None:
        self._writer = writer
        self._reader = reader
        self._moving = asyncio.Lock()
        self._room = room
        self._unix_seconds = unix_seconds

    def alone(self) -> AbstractAsyncContextManager[None]:
        """See the port."""
        return self._moving

    async def sift(self, leave: Callable[[bytes], Remainder | None]) -> None:
        """See the port."""
        for table in TABLES:
            after = 0
            while (sifted := await self._reader.run(partial(sift, table=table, after=after, leave=leave))).last:
                after = sifted.last
                if sifted.left:
                    await self._writer.run(partial(replace, sifted=sifted))
                    self._room.give(sifted.freed)

    async def next_part(self, after: int) -> Part | None:
        """See the port."""

        def select(connection: sqlite3.Connection) -> Part | None:
            row = connection.execute(
                "SELECT part_id, payload, events, examined FROM set_aside WHERE part_id > ? ORDER BY part_id",
                (after,),
            ).fetchone()
            if row is None:
                return None
            part_id, payload, events, examined = row
            return Part(part_id, payload, events, bool(examined))

        return await self._reader.run(select)

    async def divide(self, part: Part, rest: Sequence[tuple[bytes, int]], refused: Sequence[RefusedEvent]) -> None:
        """See the port."""
        now = round(self._unix_seconds() * 1_000_000)

        def divide(connection: sqlite3.Connection) -> None:
            where = (part.part_id,)
            received_at = connection.execute("SELECT received_at FROM set_aside WHERE part_id = ?", where).fetchone()[0]
            connection.execute("DELETE FROM set_aside WHERE part_id = ?", where)
            connection.executemany(
                "INSERT INTO set_aside (payload, checksum, events, examined, received_at) VALUES (?, ?, ?, 1, ?)",
                [(payload, crc32(payload), events, received_at) for payload, events in rest],
            )
            connection.executemany(
                "INSERT INTO quarantined (environment_id, payload, checksum, reason, quarantined_at_micros)"
                " VALUES (?, ?, ?, ?, ?)",
                [(event.environment_id, event.payload, crc32(event.payload), event.reason, now) for event in refused],
            )

        await self._writer.run(divide)

    async def release(self, part: Part) -> None:
        """See the port."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM set_aside WHERE part_id = ?", (part.part_id,))

        await self._writer.run(delete)
        self._room.give(len(part.payload))

    async def page(
        self, environment_id: int, selection: Selection, before: int | None, limit: int
    ) -> Sequence[QuarantinedEvent]:
        """See the port."""
        values = _values(environment_id, selection) | {"before": _LAST if before is None else before, "limit": limit}

        def select(connection: sqlite3.Connection) -> list[QuarantinedEvent]:
            return [
                QuarantinedEvent(quarantine_id, payload, reason, from_micros(at))
                for quarantine_id, payload, reason, at in connection.execute(_PAGE, values)
            ]

        return await self._reader.run(select)

    async def refuse(self, reasons: Sequence[tuple[int, str]]) -> None:
        """See the port."""

        def update(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE quarantined SET reason = ? WHERE quarantine_id = ?",
                [(reason, quarantine_id) for quarantine_id, reason in reasons],
            )

        await self._writer.run(update)

    async def held(self) -> Held:
        """See the port."""

        def count(connection: sqlite3.Connection) -> Held:
            row = connection.execute(
                "SELECT (SELECT coalesce(sum(events), 0) FROM set_aside), (SELECT count(*) FROM quarantined)"
            ).fetchone()
            return Held(int(row[0]), int(row[1]))

        return await self._reader.run(count)

    async def remove(self, environment_id: int, selection: Selection) -> int:
        """See the port."""
        values = _values(environment_id, selection)

        def delete(connection: sqlite3.Connection) -> tuple[int, int]:
            removed = connection.execute(_COUNT, values).fetchone()
            connection.execute(_DELETE, values)
            return int(removed[0]), int(removed[1])

        removed, size = await self._writer.run(delete)
        self._room.give(size)
        return removed


def _values(environment_id: int, selection: Selection) -> dict[str, Any]:
    ids = selection.quarantine_ids
    return {
        "environment_id": environment_id,
        "quarantine_ids": json.dumps(sorted(ids)) if ids else None,
        "reason": selection.reason,
        "start": to_micros(selection.start) if selection.start else 0,
        "end": to_micros(selection.end) if selection.end else _LAST,
    }
