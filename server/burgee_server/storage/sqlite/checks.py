"""Looks at SQLite files without changing them, beside a server that has them open or without one."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from burgee_server.causes import cause
from burgee_server.findings import Finding, State, ok, warning, wrong
from burgee_server.ports.journal import Backlog
from burgee_server.ports.quarantine import Held
from burgee_server.storage.backlog import judge
from burgee_server.storage.sqlite.schema import MIGRATIONS

READ_SECONDS = 20.0
"""How long a file may be read through; a larger one is believed."""
_AHEAD_SECONDS = 30.0
_RESTORE = "restore the whole directory from a backup"
_SAVED = f"start the server, which saves what can be read and says what is lost; or {_RESTORE}"
_ADVICE_IF_DAMAGED = {"journal": _SAVED, "held events": _SAVED}


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
        return wrong(subject, f"{path} cannot be read ({cause(error)})", _RESTORE)
    if fault != "ok":
        return wrong(subject, f"{path} is damaged", _ADVICE_IF_DAMAGED.get(subject, _RESTORE))
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
        batches, events, size, oldest = connection.execute(
            "SELECT count(*), coalesce(sum(events), 0), coalesce(sum(length(payload)), 0), min(received_at)"
            " FROM batches WHERE events > 0"
        ).fetchone()
        aside, aside_bytes = connection.execute(
            "SELECT coalesce(sum(events), 0), coalesce(sum(length(payload)), 0) FROM set_aside"
        ).fetchone()
        quarantined, quarantined_bytes = connection.execute(
            "SELECT count(*), coalesce(sum(length(payload)), 0) FROM quarantined"
        ).fetchone()
        newest = connection.execute("SELECT max(received_at) FROM batch_ids").fetchone()[0]
    kept = size + aside_bytes + quarantined_bytes
    yield from judge(Backlog(batches, events, size, oldest, kept, max_bytes), Held(aside, quarantined), now)
    if newest is not None and newest > now + _AHEAD_SECONDS:
        yield wrong(
            "clock",
            f"{newest - now:,.0f} s behind the newest batch: it was set back",
            "set the clock, and keep it with NTP",
        )


def check_held(path: Path, now: float) -> Finding:
    """What a node holds in this file that it could not give to the journal of all nodes, at this Unix time."""
    file = check_file("held events", path)
    if file.state is State.WRONG:
        return file
    with closing(_open(path)) as connection:
        events, oldest = connection.execute("SELECT coalesce(sum(events), 0), min(received_at) FROM batches").fetchone()
    if not events:
        return ok("held events", f"none; {file.found}")
    found = f"{events:,} acknowledged events in {path} wait for Redis, the oldest for {now - oldest:,.0f} s"
    return warning("held events", found, "see that Redis answers and that a server runs on this directory; keep it")


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(read_only(path), uri=True, timeout=10)
    connection.execute("PRAGMA query_only = 1")
    return connection


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.1f} MB"
