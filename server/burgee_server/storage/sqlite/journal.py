"""The Journal port in one SQLite file: batches that wait, ids that were seen, and the range that is being loaded."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from burgee_server.errors import Damaged, Overloaded
from burgee_server.ports.journal import Quarantined, Range
from burgee_server.storage.sqlite.writer import GroupWriter, connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    payload BLOB NOT NULL,
    events INTEGER NOT NULL,
    received_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS batch_ids (
    environment_id INTEGER NOT NULL,
    batch_id TEXT NOT NULL,
    events INTEGER NOT NULL,
    received_at REAL NOT NULL,
    PRIMARY KEY (environment_id, batch_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batch_ids_by_time ON batch_ids (received_at);
CREATE TABLE IF NOT EXISTS loading (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS quarantine (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL,
    quarantined_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS identity (journal_id TEXT NOT NULL);
"""

RETRY_SECONDS = 5.0
MAX_RANGE_BYTES = 32 << 20
"""A range is in memory several times over while it is loaded."""
_SECONDS_KNOWN = 24 * 3600.0


class SqliteJournal:
    """Bounded by `max_bytes` of batches that wait; beyond that `append` raises Overloaded."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        try:
            connection = connect(path)
            connection.executescript(_SCHEMA)
            self._id = _identity(connection)
        except sqlite3.DatabaseError as error:
            raise Damaged(
                f"{path} cannot be read: {error}. Restore it, or move it away and lose what waits in it"
            ) from error
        self._max_bytes = max_bytes
        self._waiting_bytes: int = connection.execute(
            "SELECT coalesce(sum(length(payload)), 0) FROM batches WHERE events > 0"
        ).fetchone()[0]
        self._appended = asyncio.Event()
        self._writer = GroupWriter(connection)
        self._reader = connect(path)

    async def append(self, environment_id: int, batch_id: str, payload: bytes, events: int) -> int | None:
        """Keep a batch, or return how many events it had when it was kept before."""
        if self._waiting_bytes + len(payload) > self._max_bytes:
            raise Overloaded("the journal is full: the warehouse does not keep up; try again later", RETRY_SECONDS)
        now = time.time()

        def insert(connection: sqlite3.Connection) -> int | None:
            if batch_id:
                key = (environment_id, batch_id)
                seen = connection.execute(
                    "SELECT events FROM batch_ids WHERE environment_id = ? AND batch_id = ?", key
                ).fetchone()
                if seen is not None:
                    return int(seen[0])
                connection.execute("INSERT INTO batch_ids VALUES (?, ?, ?, ?)", (*key, events, now))
            if events:
                connection.execute(
                    "INSERT INTO batches (payload, events, received_at) VALUES (?, ?, ?)", (payload, events, now)
                )
            return None

        # Shielded: the batch is kept, and counted, whether or not the caller still waits to hear of it.
        return await asyncio.shield(self._keep(insert, len(payload)))

    async def _keep(self, insert: Callable[[sqlite3.Connection], int | None], size: int) -> int | None:
        self._waiting_bytes += size
        kept = False
        try:
            known = await self._writer.run(insert)
            kept = known is None
        except sqlite3.Error as error:
            raise Overloaded(f"the journal cannot be written now: {error}", RETRY_SECONDS) from error
        finally:
            if not kept:
                self._waiting_bytes -= size
        if kept:
            self._appended.set()
        return known

    async def mark(self, text: str) -> None:
        """Set a mark: a row that has no events, whose payload is the text."""

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO batches (payload, events, received_at) VALUES (?, 0, ?)", (text.encode(), time.time())
            )

        try:
            await self._writer.run(insert)
        except sqlite3.Error as error:
            raise Overloaded(f"the journal cannot be written now: {error}", RETRY_SECONDS) from error
        self._appended.set()

    async def next_range(self, max_events: int) -> Range | None:
        """The range to load next, fixed until it is committed."""
        self._appended.clear()

        def fix(connection: sqlite3.Connection) -> tuple[int, int] | None:
            fixed = connection.execute("SELECT first, last FROM loading").fetchone()
            if fixed is not None:
                return int(fixed[0]), int(fixed[1])
            first = last = total = size = 0
            of_marks = False
            for seq, events, length in connection.execute(
                "SELECT seq, events, length(payload) FROM batches ORDER BY seq"
            ):
                is_mark = not events
                if first and (
                    is_mark is not of_marks or total + events > max_events or size + length > MAX_RANGE_BYTES
                ):
                    break
                of_marks = is_mark
                first, last, total, size = first or seq, seq, total + (events or 1), size + length
            if not first:
                return None
            connection.execute("INSERT INTO loading VALUES (1, ?, ?)", (first, last))
            return first, last

        bounds = await self._writer.run(fix)
        if bounds is None:
            return None
        return await asyncio.to_thread(self._read, *bounds)

    async def commit(self, done: Range) -> None:
        """Forget a range, and batch ids that are older than a day."""

        def forget(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM batches WHERE seq BETWEEN ? AND ?", (done.first, done.last))
            connection.execute("DELETE FROM loading")
            connection.execute("DELETE FROM batch_ids WHERE received_at < ?", (time.time() - _SECONDS_KNOWN,))

        await self._writer.run(forget)
        self._waiting_bytes -= len(done.payload)

    async def quarantine(self, token: str, payload: bytes, reason: str) -> None:
        """Keep what the warehouse refused, once a token."""
        row = (token, payload, reason, time.time())

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR IGNORE INTO quarantine (token, payload, reason, quarantined_at) VALUES (?, ?, ?, ?)", row
            )

        await self._writer.run(insert)

    async def quarantined(self, limit: int) -> list[Quarantined]:
        """What was refused, oldest first."""

        def select(connection: sqlite3.Connection) -> list[Quarantined]:
            rows = connection.execute(
                "SELECT payload, reason, quarantined_at FROM quarantine ORDER BY seq LIMIT ?", (limit,)
            )
            return [Quarantined(*row) for row in rows]

        return await self._writer.run(select)

    async def forget_quarantined(self, is_concerned: Callable[[bytes], bool]) -> None:
        """Remove what was refused and is concerned."""

        def forget(connection: sqlite3.Connection) -> None:
            concerned = [
                (seq,)
                for seq, payload in connection.execute("SELECT seq, payload FROM quarantine")
                if is_concerned(payload)
            ]
            connection.executemany("DELETE FROM quarantine WHERE seq = ?", concerned)

        await self._writer.run(forget)

    async def wait(self, seconds: float) -> None:
        """Return when something was appended, or after this many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._appended.wait()
        except TimeoutError:
            return

    async def complete_until(self) -> float:
        """When the oldest batch that waits was received; now, if none does."""

        def oldest(connection: sqlite3.Connection) -> float | None:
            row = connection.execute("SELECT received_at FROM batches ORDER BY seq LIMIT 1").fetchone()
            return None if row is None else float(row[0])

        now = time.time()
        waiting_since = await self._writer.run(oldest)
        return now if waiting_since is None else waiting_since

    async def close(self) -> None:
        """Finish what is being written, and close the file."""
        await asyncio.to_thread(self._writer.close)
        self._reader.close()

    def _read(self, first: int, last: int) -> Range:
        """Serialized StoredBatches laid end to end are one StoredBatch: that is how protobuf merges."""
        rows = self._reader.execute(
            "SELECT payload, events FROM batches WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)
        ).fetchall()
        token = f"{self._id}:{first}-{last}"
        if not rows[0][1]:
            return Range(token, first, last, b"", 0, marks=tuple(row[0].decode() for row in rows))
        return Range(token, first, last, b"".join(row[0] for row in rows), sum(row[1] for row in rows))


def _identity(connection: sqlite3.Connection) -> str:
    """A name for this file, so that the tokens of a new journal are never those of an old one."""
    row = connection.execute("SELECT journal_id FROM identity").fetchone()
    if row is None:
        row = (uuid4().hex,)
        connection.execute("INSERT INTO identity VALUES (?)", row)
    return str(row[0])
