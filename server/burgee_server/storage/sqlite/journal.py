"""The Journal port in one SQLite file: batches that wait, ids that were seen, and the range that is being loaded."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from zlib import crc32

from burgee_server.errors import Damaged, Overloaded
from burgee_server.ports.journal import Backlog, Range
from burgee_server.storage.sqlite.arriving import expect, keep, seen
from burgee_server.storage.sqlite.damage import is_damage
from burgee_server.storage.sqlite.quarantine import SqliteQuarantine
from burgee_server.storage.sqlite.reader import Reader
from burgee_server.storage.sqlite.rescue import opened
from burgee_server.storage.sqlite.room import RETRY_SECONDS, Room
from burgee_server.storage.sqlite.writer import GroupWriter, connect

MAX_RANGE_BYTES = 32 << 20
"""A range is in memory several times over while it is loaded."""
FORGOTTEN_BYTES = 1 << 20
"""How much is forgotten in one transaction, or one batch if that is more: whoever appends meanwhile waits for it."""
FORGOTTEN_BATCHES = 1_000
"""How many, if they are small: some 2 ms."""
_SECONDS_KNOWN = 24 * 3600.0

_OLDEST = """
SELECT min(received_at) FROM (
    SELECT * FROM (SELECT received_at FROM batches ORDER BY seq LIMIT 1)
    UNION ALL SELECT received_at FROM set_aside
)
"""
_KEPT_BYTES = """
SELECT coalesce(sum(size), 0) FROM (
    SELECT length(payload) AS size FROM batches WHERE events > 0
    UNION ALL SELECT length(payload) FROM set_aside
    UNION ALL SELECT length(payload) FROM quarantined
)
"""


class SqliteJournal:
    """Bounded by `max_bytes` of events that are not in the warehouse; beyond that `append` raises Overloaded.

    What can be read of a damaged file is saved when it is opened, and the rest is told in the log, to the event. Raises
    Damaged for a file that is no journal.
    """

    quarantine: SqliteQuarantine
    """In the same file, and in the same bound."""

    def __init__(self, path: Path, max_bytes: int, unix_seconds: Callable[[], float] = time.time) -> None:
        self._path = path
        connection = opened(path)
        expect(connection)
        self._id = _identity(connection)
        self._unix_seconds = unix_seconds
        self._room = Room(_kept_bytes(connection), max_bytes)
        self._appended = asyncio.Event()
        self._writer = GroupWriter(connection, connect(path))
        self._reader = Reader(connect(path))
        self._quarantine_reader = Reader(connect(path))
        self.quarantine = SqliteQuarantine(self._writer, self._quarantine_reader, self._room, unix_seconds)

    async def claim(self, installation: str) -> str:
        """See the port."""

        def claim(connection: sqlite3.Connection) -> str:
            row = connection.execute("SELECT installation FROM owner").fetchone()
            if row is None:
                row = (installation,)
                connection.execute("INSERT INTO owner VALUES (?)", row)
            return str(row[0])

        return await self._writer.run(claim)

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """Keep a batch, or return how many events it had when it was kept before."""
        now = self._unix_seconds()
        taken = len(payload) if self._room.take(len(payload)) else None

        def insert(connection: sqlite3.Connection) -> int | None:
            if taken is not None:
                return keep(connection, environment_id, batch_id, payload, events, now)
            known = seen(connection, environment_id, batch_id)
            if known is None:
                raise Overloaded(
                    "the journal is full: the warehouse does not keep up, or much is in quarantine; try again later",
                    RETRY_SECONDS,
                )
            return known

        def told(known: int | None, error: Exception | None) -> None:
            if known is None and error is None:
                self._appended.set()
            else:
                self._room.give(taken or 0)

        try:
            return await self._writer.run(insert, told, is_transaction=True)
        except sqlite3.Error as error:
            raise Overloaded(f"the journal cannot be written now: {error}", RETRY_SECONDS) from error

    async def batch(self, environment_id: int, batch_id: str) -> int | None:
        """How many events a batch had that was kept."""
        return await self._writer.run(lambda connection: seen(connection, environment_id, batch_id))

    async def mark(self, text: str) -> None:
        """Set a mark: a row that has no events, whose payload is the text."""

        now = self._unix_seconds()

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO batches (events, received_at, checksum, payload) VALUES (0, ?, ?, ?)",
                (now, crc32(text.encode()), text.encode()),
            )

        try:
            await self._writer.run(insert)
        except sqlite3.Error as error:
            raise Overloaded(f"the journal cannot be written now: {error}", RETRY_SECONDS) from error
        self._appended.set()

    async def next_range(self, max_events: int) -> Range | None:
        """The range to load next, fixed until it is committed."""
        self._appended.clear()
        try:
            found = await self._reader.run(partial(_find, max_events=max_events))
            if found is None:
                return None
            first, last, again = found
            if not again:
                await self._writer.run(partial(_fix, first=first, last=last))
            return await self._reader.run(partial(self._read, first=first, last=last, again=again))
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise self._damaged(str(error)) from error
            raise

    def _damaged(self, why: str) -> Damaged:
        return Damaged(f"{self._path} is damaged: {why}. Start again: what can be read is saved then")

    async def commit(self, done: Range) -> None:
        """Forget a range from its beginning, and batch ids that are older than a day.

        Cut short, the rest is the range that is being loaded, and is found to be there when it is loaded again.
        """
        oldest = self._unix_seconds() - _SECONDS_KNOWN
        batches = done.last - done.first + 1
        step = max(min(batches * FORGOTTEN_BYTES // max(len(done.payload), 1), FORGOTTEN_BATCHES), 1)
        for first in range(done.first, done.last + 1 - step, step):
            self._room.give(await self._writer.run(partial(_delete_batches, first=first, last=first + step - 1)))

        def forget(connection: sqlite3.Connection) -> int:
            connection.execute("DELETE FROM batch_ids WHERE received_at < ?", (oldest,))
            return _delete(connection, done)

        self._room.give(await self._writer.run(forget))

    async def set_aside(self, refused: Range) -> None:
        """Hand a range over to the quarantine."""

        def move(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO set_aside (payload, checksum, events, examined, received_at)"
                " SELECT ?, ?, ?, 0, min(received_at) FROM batches WHERE seq BETWEEN ? AND ?",
                (refused.payload, crc32(refused.payload), refused.events, refused.first, refused.last),
            )
            _delete(connection, refused)

        await self._writer.run(move)

    async def wait(self, seconds: float) -> None:
        """Return when something was appended, or after this many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._appended.wait()
        except TimeoutError:
            return

    async def complete_until(self) -> float:
        """When the oldest batch that waits, or was set aside, was received; now, if there is none."""

        def oldest(connection: sqlite3.Connection) -> float | None:
            found = connection.execute(_OLDEST).fetchone()[0]
            return None if found is None else float(found)

        now = self._unix_seconds()
        waiting_since = await self._writer.run(oldest)
        return now if waiting_since is None else waiting_since

    async def backlog(self) -> Backlog:
        """See the port. Reads beside the writer, of each batch its size and not its payload."""

        def look(connection: sqlite3.Connection) -> tuple[int, int, int, float | None]:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(events), 0), coalesce(sum(length(payload)), 0), min(received_at)"
                " FROM batches WHERE events > 0"
            ).fetchone()
            return row[0], row[1], row[2], row[3]

        return Backlog(*await self._reader.run(look), self._room.taken, self._room.limit)

    async def close(self) -> None:
        """Finish what is being written, and read, and close the file."""
        for each in (self._writer, self._reader, self._quarantine_reader):
            await asyncio.to_thread(each.close)

    def _read(self, connection: sqlite3.Connection, first: int, last: int, again: bool) -> Range:
        """Serialized StoredBatches laid end to end are one StoredBatch: that is how protobuf merges.

        One after the other: to join ten megabytes in one go is to keep every other thread of Python waiting.
        """
        payload, events = BytesIO(), 0
        marks = []
        for batch, of_batch, checksum in connection.execute(
            "SELECT payload, events, checksum FROM batches WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)
        ):
            if crc32(batch) != checksum:
                raise self._damaged("what was written is not what is read")
            if of_batch:
                payload.write(batch)
                events += of_batch
            else:
                marks.append(batch.decode())
        return Range(first, last, payload.getvalue(), events, again, tuple(marks))


def _find(connection: sqlite3.Connection, max_events: int) -> tuple[int, int, bool] | None:
    """The first and last batch of the range to load next, and whether it was fixed before.

    Looked for beside the writer, so that nobody who appends waits for it: what is appended meanwhile comes later,
    and only whoever loads takes away.
    """
    fixed = connection.execute("SELECT first, last FROM loading").fetchone()
    if fixed is not None:
        return int(fixed[0]), int(fixed[1]), True
    first = last = total = size = 0
    of_marks = False
    with closing(connection.execute("SELECT seq, events, length(payload) FROM batches ORDER BY seq")) as rows:
        for seq, events, length in rows:
            is_mark = not events
            if first and (is_mark is not of_marks or total + events > max_events or size + length > MAX_RANGE_BYTES):
                break
            of_marks = is_mark
            first, last, total, size = first or seq, seq, total + (events or 1), size + length
    return (first, last, False) if first else None


def _fix(connection: sqlite3.Connection, first: int, last: int) -> None:
    connection.execute("INSERT INTO loading VALUES (1, ?, ?)", (first, last))


def _delete(connection: sqlite3.Connection, done: Range) -> int:
    connection.execute("DELETE FROM loading")
    return _delete_batches(connection, done.first, done.last)


def _delete_batches(connection: sqlite3.Connection, first: int, last: int) -> int:
    """How many bytes of events that was."""
    deleted = connection.execute(
        "DELETE FROM batches WHERE seq BETWEEN ? AND ? RETURNING length(payload) * (events > 0)", (first, last)
    )
    return sum(size for (size,) in deleted)


def _kept_bytes(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_KEPT_BYTES).fetchone()[0])


def _identity(connection: sqlite3.Connection) -> str:
    """A name for this file, so that nobody takes it for another."""
    row = connection.execute("SELECT journal_id FROM identity").fetchone()
    if row is None:
        row = (uuid4().hex,)
        connection.execute("INSERT INTO identity VALUES (?)", row)
    return str(row[0])
