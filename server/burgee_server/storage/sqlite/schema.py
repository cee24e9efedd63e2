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

MIGRATIONS = (_BEGIN, _SET_ASIDE, _OWNER)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, each step whole or not at all.

    Raises Unavailable if a newer Burgee has written them, sqlite3.DatabaseError if they cannot be read.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise Unavailable(f"the journal has schema {version}; this Burgee knows {len(MIGRATIONS)}: upgrade it")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
