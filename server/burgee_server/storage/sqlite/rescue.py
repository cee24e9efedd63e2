"""Opens the journal's file, and saves what can be read of a damaged one, row by row, into a new one."""

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from burgee_server.errors import Damaged
from burgee_server.storage.sqlite.damage import TABLES, check, is_damage
from burgee_server.storage.sqlite.schema import MIGRATIONS, migrate
from burgee_server.storage.sqlite.writer import connect

log = logging.getLogger(__name__)

_BESIDE = ("-wal", "-shm")

_WORDS = {
    "batches": "batches that waited",
    "set_aside": "parts that were set aside",
    "quarantined": "events in quarantine",
    "batch_ids": "ids of batches, which count twice if they are sent again",
}


def opened(path: Path) -> sqlite3.Connection:
    """The sound journal at this path, made if there is none. Raises Damaged if there is nothing to be saved."""
    rescued = path.with_name(f"{path.name}.rescued")
    if rescued.exists():  # a rescue that was cut short when all was saved
        _take_place(rescued, path)
    try:
        return _sound(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise Damaged(f"{path} cannot be opened: {error}") from error
        damaged = _copy(path)
        try:
            lost = _save(damaged, rescued)
        except sqlite3.DatabaseError as beyond:
            for suffix in ("", *_BESIDE):
                damaged.with_name(damaged.name + suffix).unlink(missing_ok=True)
            raise Damaged(
                f"{path} cannot be read: {error}; nor can a part of it be saved: {beyond}."
                " Restore it, or move it away and lose what waits in it"
            ) from beyond
        _take_place(rescued, path)
        log.error("%s was damaged (%s); %s; the damaged file is kept as %s", path, error, lost, damaged.name)
    return _sound(path)


def _sound(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        migrate(connection)
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _copy(path: Path) -> Path:
    """A copy of a damaged file with its log, to be looked at, and to be read without changing the file."""
    copy = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    for suffix in ("", "-wal"):
        if (file := path.with_name(path.name + suffix)).exists():
            shutil.copy(file, copy.with_name(copy.name + suffix))
    _make_up(copy)
    return copy


def _make_up(file: Path) -> None:
    """Put zeros in the place of an end that is gone: SQLite reads nothing of a file that is too short for its header.

    The header is as https://sqlite.org/fileformat2.html has it: the size of a page, 1 for 65,536, and their number.
    """
    with file.open("r+b") as content:
        header = content.read(100)
        if not header.startswith(b"SQLite format 3\0"):
            return
        size, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
        content.truncate(max(file.stat().st_size, (65_536 if size == 1 else size) * pages))


def _take_place(rescued: Path, path: Path) -> None:
    for suffix in _BESIDE:  # a log that belongs to the damaged file
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    rescued.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _save(damaged: Path, rescued: Path) -> str:
    """Copy every row that can be read, and is what was written; what is lost, in words. Raises DatabaseError."""
    making = rescued.with_suffix(".making")
    making.unlink(missing_ok=True)
    with contextlib.closing(connect(damaged)) as old, contextlib.closing(connect(making)) as new:
        if old.execute("PRAGMA user_version").fetchone()[0] != len(MIGRATIONS):
            raise sqlite3.DatabaseError("it was written before there was a ledger")
        migrate(new)
        ledger = {name: (rows, events) for name, rows, events in old.execute("SELECT name, rows, events FROM ledger")}
        new.execute("BEGIN IMMEDIATE")
        new.execute("INSERT INTO identity VALUES (?)", old.execute("SELECT journal_id FROM identity").fetchone())
        new.executemany("INSERT INTO owner VALUES (?)", old.execute("SELECT installation FROM owner").fetchall())
        for table, key in TABLES.items():
            _copy_rows(old, new, table, _numbers(old, table, key), key)
        new.execute("DELETE FROM sqlite_sequence")
        new.executemany(
            "INSERT INTO sqlite_sequence VALUES (?, ?)", old.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
        )
        for row in _readable_ids(old):
            new.execute("INSERT OR IGNORE INTO batch_ids VALUES (?, ?, ?, ?)", row)
        loading = old.execute("SELECT first, last FROM loading").fetchone()
        if loading and new.execute("SELECT 1 FROM batches WHERE seq BETWEEN ? AND ?", loading).fetchone():
            new.execute("INSERT INTO loading VALUES (1, ?, ?)", loading)
        new.execute("COMMIT")
        lost = _lost(new, ledger)
    _sync(making)
    making.replace(rescued)
    _sync(rescued.parent)
    return lost


def _numbers(old: sqlite3.Connection, table: str, key: str) -> Iterator[int]:
    """The numbers of rows: from the first on, from the last back, and, one by one, of what lies between two breaks."""
    last = 0
    with _until_damage():
        for (number,) in old.execute(f"SELECT {key} FROM {table} ORDER BY {key}"):
            yield number
            last = number
        return
    [first] = old.execute("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    with _until_damage():
        for (number,) in old.execute(f"SELECT {key} FROM {table} WHERE {key} > ? ORDER BY {key} DESC", (last,)):
            yield number
            first = number
    yield from range(last + 1, first)


def _copy_rows(old: sqlite3.Connection, new: sqlite3.Connection, table: str, numbers: Iterator[int], key: str) -> None:
    for number in numbers:
        with _until_damage():
            cursor = old.execute(f"SELECT * FROM {table} WHERE {key} = ?", (number,))
            if (row := cursor.fetchone()) is None:
                continue
            columns = [column for column, *_ in cursor.description]
            values: dict[str, Any] = dict(zip(columns, row, strict=True))
            if isinstance(values["payload"], bytes) and crc32(values["payload"]) == values["checksum"]:
                places = ", ".join("?" * len(row))
                with contextlib.suppress(sqlite3.IntegrityError):  # a number is gone that must be there
                    new.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", row)


def _readable_ids(old: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    for order in ("", "DESC"):
        with _until_damage():
            yield from old.execute(
                "SELECT environment_id, batch_id, events, received_at FROM batch_ids"
                f" ORDER BY environment_id {order}, batch_id {order}"
            )
            return


@contextlib.contextmanager
def _until_damage() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise


def _lost(new: sqlite3.Connection, ledger: dict[str, tuple[int, int]]) -> str:
    """What the ledger of the damaged file says that there should be, and is not."""
    lost = []
    for name, rows, events in new.execute("SELECT name, rows, events FROM ledger"):
        missing, of_events = ledger[name][0] - rows, ledger[name][1] - events
        if missing:
            of = f" with {of_events:,} of {ledger[name][1]:,} events" if of_events and name != "quarantined" else ""
            lost.append(f"{missing:,} of {ledger[name][0]:,} {_WORDS[name]}{of}")
    return f"lost are {', '.join(lost)}" if lost else "nothing is lost"
