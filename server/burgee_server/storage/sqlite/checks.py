"""Looks at SQLite files without changing them, beside a server that has them open or without one."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from burgee_server.causes import cause
from burgee_server.findings import Finding, State, ok, warning, wrong
from burgee_server.storage.sqlite.schema import MIGRATIONS

READ_SECONDS = 20.0
"""How long a file may be read through; a larger one is believed."""
_TOO_FULL = 0.8
_LATE_SECONDS = 300.0
_AHEAD_SECONDS = 30.0


def read_only(path: Path) -> str:
    """The URI of a file that is only looked at. Without a log beside it nobody has it open, and none is made."""
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    return f"{path.resolve().as_uri()}?mode=ro{alone}"


def check_file(subject: str, path: Path) -> Finding:
    """Whether a SQLite file can be read from its first page to its last."""
    try:
        with closing(_open(path)) as connection:
            deadline = time.monotonic() + READ_SECONDS
            connection.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
            try:
                fault = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            except sqlite3.OperationalError:
                if time.monotonic() <= deadline:
                    raise
                return ok(subject, f"{_size(path)}; not read to its end in {READ_SECONDS:.0f} s")
    except sqlite3.Error as error:
        return wrong(subject, f"{path} cannot be read ({cause(error)})", "restore the whole directory from a backup")
    if fault != "ok":
        return wrong(subject, f"{path} is damaged", "restore the whole directory from a backup")
    return ok(subject, f"intact, {_size(path)}")


def check_journal(path: Path, max_bytes: int, now: float) -> Iterator[Finding]:
    """What waits in a journal's file and how full it is, at this Unix time."""
    if not path.exists():
        yield ok("journal", "not there yet: the first start makes it")
        return
    file = check_file("journal", path)
    yield file
    if file.state is State.WRONG:
        return
    with closing(_open(path)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            yield wrong("journal", f"schema {version}; this Burgee knows {len(MIGRATIONS)}", "run the newer Burgee")
        if version != len(MIGRATIONS):
            return  # older: the next start brings it up to date, and not we
        waiting, oldest = connection.execute(
            "SELECT coalesce(sum(events), 0), min(received_at) FROM batches WHERE events > 0"
        ).fetchone()
        aside, quarantined, kept = connection.execute(
            "SELECT (SELECT coalesce(sum(events), 0) FROM set_aside), (SELECT count(*) FROM quarantined),"
            " (SELECT coalesce(sum(length(payload)), 0) FROM batches WHERE events > 0)"
            " + (SELECT coalesce(sum(length(payload)), 0) FROM set_aside)"
            " + (SELECT coalesce(sum(length(payload)), 0) FROM quarantined)"
        ).fetchone()
        newest = connection.execute("SELECT max(received_at) FROM batch_ids").fetchone()[0]
    yield _fullness(kept, max_bytes, waiting)
    if oldest is not None and now - oldest > _LATE_SECONDS:
        yield warning(
            "journal", f"events have waited for {now - oldest:,.0f} s", "see the warehouse below, or start the server"
        )
    if aside or quarantined:
        yield warning(
            "quarantine",
            f"{quarantined:,} events in quarantine, {aside:,} set aside: the warehouse refused them",
            "burgee quarantine list says why; replay or purge them",
        )
    if newest is not None and newest > now + _AHEAD_SECONDS:
        yield wrong(
            "clock",
            f"{newest - now:,.0f} s behind the newest batch: it was set back",
            "set the clock, and keep it with NTP",
        )


def _fullness(kept: int, max_bytes: int, waiting: int) -> Finding:
    found = f"{kept / max_bytes:.0%} of journal_max_mb in use; {waiting:,} events wait"
    if kept >= max_bytes * _TOO_FULL:
        advice = "mend what keeps the warehouse from taking events, purge the quarantine, or raise journal_max_mb"
        return (wrong if kept >= max_bytes else warning)("journal", found, advice)
    return ok("journal", found)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(read_only(path), uri=True, timeout=10)
    connection.execute("PRAGMA query_only = 1")
    return connection


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.1f} MB"
