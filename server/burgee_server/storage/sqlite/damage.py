"""Whether a journal's file is what was written: by SQLite's own rules, by checksums, and by the ledger."""

import sqlite3

TABLES = {"batches": "seq", "set_aside": "part_id", "quarantined": "quarantine_id"}
"""Those with payloads, and what numbers their rows."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error is about what is in the file, and not about the disk, its room, or who else has it open."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def check(connection: sqlite3.Connection) -> None:
    """Read everything. Raises DatabaseError, one that is damage, for a file that is not sound."""
    [fault] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if fault == "ok":
        for table, key in TABLES.items():
            row = connection.execute(f"SELECT {key} FROM {table} WHERE checksum <> crc32(payload) LIMIT 1").fetchone()
            if row is not None:
                fault = f"row {row[0]} of {table} is not what was written"
    if fault == "ok":
        for table, rows in connection.execute("SELECT name, rows FROM ledger"):
            if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] != rows:
                fault = f"{table} should have {rows:,} rows"
    if fault != "ok":
        error = sqlite3.DatabaseError(fault)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
