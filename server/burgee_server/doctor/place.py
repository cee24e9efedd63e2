"""Looks at the data directory, its disk, its key file, and at what the system allows."""

import errno
import os
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.misspelt import misspelt
from burgee_server.settings import MEGABYTE

LEAST_ROOM_MB = 200
_LEAST_FILES = 10_000
_LEAST_PROCESSES = 500
_EARLIEST = 1_767_225_600  # 2026-01-01: before there was a Burgee


def directory(path: Path) -> Iterator[Finding]:
    """Whether it is there, ours, and nobody else's to read."""
    if not path.exists():
        yield ok("directory", f"{path} is not there yet: the first start makes it")
        return
    if not path.is_dir():
        yield wrong("directory", f"{path} is not a directory", "name another with --data or BURGEE_DATA")
        return
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        advice = f"give it to the server's user: chown {path}"
        if error.errno == errno.EROFS:
            advice = "mount its file system for writing, or name another directory with --data or BURGEE_DATA"
        yield wrong("directory", f"{path} cannot be written ({error.strerror})", advice)
        return
    if _is_others(path):
        owner = path.stat().st_uid
        yield wrong(
            "directory", f"{path} belongs to user {owner}, and this is root", f"look as its user: sudo -u '#{owner}'"
        )
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield wrong("directory", f"{path} has mode {mode:04o}: others can read what is kept", f"chmod 700 {path}")
    else:
        yield ok("directory", f"{path} can be written, by its owner only")


def environment() -> Iterator[Finding]:
    """Names in the environment that look like settings and are none."""
    for told in misspelt(os.environ):
        yield warning("settings", told, "see the settings in docs/operations.md")


def key_file(path: Path) -> Iterator[Finding]:
    """Who can read the first API key, if it is still in its file."""
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield wrong(
            "key file",
            f"{path} has mode {mode:04o}: others can read the key",
            f"chmod 600 {path}, and make another key",
        )
    else:
        yield ok("key file", f"{path} is its owner's only")


def room(path: Path, journal_max_mb: int) -> Finding:
    """Whether the disk has room for what may wait in the journal, and for merges."""
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free / MEGABYTE
    found = f"{free:,.0f} MB free"
    if free < LEAST_ROOM_MB:
        return wrong("disk", found, "make room: Capture is refused when the disk is full")
    if free < 2 * journal_max_mb:
        return warning(
            "disk", found, f"make room, or lower journal_max_mb ({journal_max_mb:,}): the journal may grow so far"
        )
    return ok("disk", found)


def open_files() -> Finding:
    """How many files the system allows a process to have open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _LEAST_FILES:
        return warning("open files", f"at most {most:,}", "allow more (ulimit -n, LimitNOFILE=): merges need thousands")
    return ok("open files", "no limit" if most == resource.RLIM_INFINITY else f"at most {most:,}")


def processes() -> Finding:
    """How many processes and threads the system allows a user to have."""
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    if most != resource.RLIM_INFINITY and most < _LEAST_PROCESSES:
        advice = "allow more (ulimit -u, LimitNPROC=): a server has dozens of threads, and a process beside it"
        return warning("processes", f"at most {most:,}", advice)
    return ok("processes", "no limit" if most == resource.RLIM_INFINITY else f"at most {most:,}")


def clock() -> Finding:
    """Whether the clock can be right."""
    now = time.time()
    if now < _EARLIEST:
        return wrong(
            "clock", f"{time.strftime('%Y-%m-%d', time.gmtime(now))}: that is past", "set it, and keep it with NTP"
        )
    return ok("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def may_open(path: Path) -> bool:
    """Whether the stores in a directory can be looked into without leaving files that their owner could not write."""
    return path.is_dir() and os.access(path, os.R_OK | os.X_OK) and not _is_others(path)


def _is_others(path: Path) -> bool:
    return os.geteuid() == 0 != path.stat().st_uid
