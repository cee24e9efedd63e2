"""The data directory: one process at a time, and who may read what."""

import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from burgee_server.errors import Unavailable

KEY_FILE = "api-key"
"""Where the first API key is, unless somebody chose it."""

HELD_FILE = "held.db"
"""Where a node keeps events that the journal of all nodes could not be given yet."""


class DirectoryInUse(Exception):
    """Another process has this directory: its number, and where it serves, if it does."""

    def __init__(self, path: Path, holder: str, address: str) -> None:
        super().__init__(f"{path} is in use by another burgee (process {holder})")
        self.holder = holder
        self.address = address


class DataDirectory:
    """A directory that this process alone holds until `release`. Made, readable by its owner only, if missing."""

    def __init__(self, path: Path, part: str = "") -> None:
        """With `part`, a directory inside it: of one process of several that have the same server's directory.

        Raises DirectoryInUse, or Unavailable if it cannot be made or written.
        """
        self.path = (path / part).resolve()
        self.common = path.resolve()
        """Where what all processes of the server know is kept: the first key."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_names(self.path.parent)
            self._lock = self._take_lock()
        except OSError as error:
            raise Unavailable(_why_unusable(self.path, error)) from error

    def write_secret(self, name: str, text: str) -> Path:
        """Write a file that only its owner can read, all of it or nothing, for all processes of the server."""
        path = self.common / name
        scratch = path.with_suffix(".new")
        scratch.unlink(missing_ok=True)  # or it would keep the mode that somebody else gave it
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        _sync_names(self.common)
        return path

    def tell(self, address: str) -> None:
        """Let those who find the directory in use know where this process serves."""
        self._lock.write(f"\n{address}")
        self._lock.flush()

    def scratch(self) -> Path:
        """A directory for files of this process, empty: what another had there when it was killed is gone."""
        path = self.path / "tmp"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        return path

    def release(self) -> None:
        """Let another process have it."""
        self._lock.close()

    def _take_lock(self) -> IO[str]:
        # The kernel drops the lock with the process, however it ends: a lock file that is left over holds nobody up.
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder, _, address = lock.read().strip().partition("\n")
            lock.close()
            raise DirectoryInUse(self.path, holder or "unknown", address) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock


def _why_unusable(path: Path, error: OSError) -> str:
    at = error.filename or path
    match error.errno:
        case errno.EACCES | errno.EPERM:
            why = f"user {os.geteuid()} may not read and write {at}: give it to that user, or name another with --data"
        case errno.EROFS:
            why = (
                f"{at} is on a file system that is mounted read-only: mount it for writing, or name another with --data"
            )
        case errno.ENOTDIR | errno.EEXIST:
            why = f"{at} is a file: move it away, or name another directory with --data"
        case errno.ENOSPC | errno.EDQUOT:
            why = f"there is no room left for {at}: make some, or name another directory with --data"
        case _:
            why = f"{at}: {error.strerror}"
    return f"the data directory {path} cannot be used: {why}"


def _sync_names(directory: Path) -> None:
    """Have what was made or renamed in a directory survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
