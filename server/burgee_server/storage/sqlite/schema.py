"""The tables of the journal's file, as numbered migrations: a later change is a new entry, no edit of an old one."""

import sqlite3

from burgee_server.errors import Unavailable

_BEGIN = """
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

# The payload comes last: what comes after it is only found by reading all of it. What is in the old quarantine has no
# environment that SQL could read: it is set aside, to be examined again.
_SET_ASIDE = """
CREATE TABLE set_aside (
    part_id INTEGER PRIMARY KEY AUTOINCREMENT,
    events INTEGER NOT NULL,
    examined INTEGER NOT NULL,
    received_at REAL NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE quarantined (
    quarantine_id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment_id INTEGER NOT NULL,
    quarantined_at_micros INTEGER NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX quarantined_by_environment ON quarantined (environment_id, quarantine_id);
INSERT INTO set_aside (payload, events, examined, received_at)
    SELECT payload, 1, 0, quarantined_at FROM quarantine;
DROP TABLE quarantine;
"""

_OWNER = "CREATE TABLE owner (installation TEXT NOT NULL);"

# A checksum for each payload, and a ledger of how many rows there must be: what a damaged file has lost is then known.
# The payload of a batch comes last, as above. Triggers keep the ledger, in the transaction that changes the rows.
_LEDGER = (
    """
CREATE TABLE checked_batches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    events INTEGER NOT NULL,
    received_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL
);
INSERT INTO checked_batches SELECT seq, events, received_at, crc32(payload), payload FROM batches;
DELETE FROM sqlite_sequence WHERE name = 'checked_batches';
INSERT INTO sqlite_sequence SELECT 'checked_batches', seq FROM sqlite_sequence WHERE name = 'batches';
DROP TABLE batches;
ALTER TABLE checked_batches RENAME TO batches;
ALTER TABLE set_aside ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quarantined ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
UPDATE set_aside SET checksum = crc32(payload);
UPDATE quarantined SET checksum = crc32(payload);
CREATE TABLE ledger (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, events INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO ledger
    SELECT 'batches', count(*), coalesce(sum(events), 0) FROM batches
    UNION ALL SELECT 'set_aside', count(*), coalesce(sum(events), 0) FROM set_aside
    UNION ALL SELECT 'quarantined', count(*), count(*) FROM quarantined
    UNION ALL SELECT 'batch_ids', count(*), 0 FROM batch_ids;
"""
    + "".join(
        f"""
CREATE TRIGGER {table}_more AFTER INSERT ON {table} BEGIN
    UPDATE ledger SET rows = rows + 1, events = events + {events.format("new")} WHERE name = '{table}';
END;
CREATE TRIGGER {table}_less AFTER DELETE ON {table} BEGIN
    UPDATE ledger SET rows = rows - 1, events = events - {events.format("old")} WHERE name = '{table}';
END;
"""
        for table, events in (
            ("batches", "{}.events"),
            ("set_aside", "{}.events"),
            ("quarantined", "1"),
            ("batch_ids", "0"),
        )
    )
    + """
CREATE TRIGGER set_aside_other AFTER UPDATE OF events ON set_aside BEGIN
    UPDATE ledger SET events = events + new.events - old.events WHERE name = 'set_aside';
END;
"""
)

MIGRATIONS = (_BEGIN, _SET_ASIDE, _OWNER, _LEDGER)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, each step whole or not at all.

    Raises Unavailable if a newer Burgee has written them, sqlite3.DatabaseError if they cannot be read.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise Unavailable(f"the journal has schema {version}; this Burgee knows {len(MIGRATIONS)}: upgrade it")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
