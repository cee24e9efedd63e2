"""How a batch is kept: one statement, which is a transaction by itself where nobody else asks for one."""

import sqlite3
from zlib import crc32

# Python lets go of its one lock, and has to wait for it again, several times in each statement.
_VIEW = """
CREATE TEMP VIEW arriving AS SELECT 0 AS environment_id, '' AS batch_id, 0 AS events, 0.0 AS received_at,
    0 AS checksum, x'' AS payload;
CREATE TEMP TRIGGER arrive INSTEAD OF INSERT ON arriving BEGIN
    INSERT INTO batches (events, received_at, checksum, payload)
        SELECT new.events, new.received_at, new.checksum, new.payload
        WHERE new.events > 0 AND NOT EXISTS (
            SELECT 1 FROM batch_ids WHERE environment_id = new.environment_id AND batch_id = new.batch_id
        );
    INSERT OR IGNORE INTO batch_ids
        SELECT new.environment_id, new.batch_id, new.events, new.received_at WHERE new.batch_id <> '';
END;
"""


def expect(connection: sqlite3.Connection) -> None:
    """Prepare a connection for keep()."""
    connection.executescript(f"PRAGMA temp_store = MEMORY; {_VIEW}")


def keep(
    connection: sqlite3.Connection, environment_id: int, batch_id: str, payload: bytes, events: int, now: float
) -> int | None:
    """Keep a batch and its id, or return how many events there were when that id was kept before."""
    before = connection.total_changes
    connection.execute(
        "INSERT INTO arriving VALUES (?, ?, ?, ?, ?, ?)",
        (environment_id, batch_id, events, now, crc32(payload), payload),
    )
    return seen(connection, environment_id, batch_id) if connection.total_changes == before else None


def seen(connection: sqlite3.Connection, environment_id: int, batch_id: str) -> int | None:
    """How many events there were when an id was kept; None if it was not."""
    row = connection.execute(
        "SELECT events FROM batch_ids WHERE environment_id = ? AND batch_id = ?", (environment_id, batch_id)
    ).fetchone()
    return None if row is None else int(row[0])
