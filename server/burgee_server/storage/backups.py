"""Copies of the data directory, made inside it: consistent with each other, and mostly hard links."""

import asyncio
import logging
import os
import re
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from burgee_server.errors import AlreadyExists, Invalid, Unavailable, Unsupported
from burgee_server.ports.backups import Backup
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.parts import link_parts
from burgee_server.storage.sqlite.checks import read_only

log = logging.getLogger(__name__)

BACKUPS = "backups"
"""The directory, inside the data directory, in which each has one of its own."""
_UNFINISHED = ".unfinished"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class DirectoryBackups:
    """Of a data directory with all stores in it. While one is made nothing is loaded, and nothing is removed.

    Removes what was left of those whose server was killed over them.
    """

    def __init__(self, data: Path, warehouse: ClickHouseWarehouse) -> None:
        self._data = data
        self._warehouse = warehouse
        self._one_at_a_time = asyncio.Lock()
        for left in (data / BACKUPS).glob(f"*{_UNFINISHED}"):
            shutil.rmtree(left, ignore_errors=True)

    async def make(self, name: str) -> Backup:
        """See the port. One that was begun is finished, also if whoever asked for it is gone."""
        if not _NAME.fullmatch(name) or name.endswith(_UNFINISHED):
            raise Invalid.of("name", 'must be 1 to 100 letters, digits and any of "._-", and begin with none of these')
        return await asyncio.shield(self._make(name))

    async def _make(self, name: str) -> Backup:
        whole, target = self._data / BACKUPS / name, self._data / BACKUPS / f"{name}{_UNFINISHED}"
        async with self._one_at_a_time:
            if whole.exists():
                raise AlreadyExists(f"there is a backup {name} already")
            started = time.monotonic()
            if failure := await self._warehouse.held_still(lambda: self._copy(target)):
                await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)  # or its links would keep old parts
                log.warning("the backup %s was not made: %s", name, failure)
                raise Unavailable(f"the backup {name} cannot be written: {failure}") from failure
            held_seconds = time.monotonic() - started
            size = await asyncio.to_thread(_finish, target, whole)
        log.info("made the backup %s of %d bytes; nothing was loaded for %.2f s", name, size, held_seconds)
        return Backup(str(whole), size)

    def _copy(self, target: Path) -> Exception | None:
        """The warehouse first: what it lacks is in the journal, and what that speaks of, in the control store.

        Returns what went wrong: the threads of the warehouse have no part in it.
        """
        try:
            target.mkdir(mode=0o700, parents=True)
            link_parts(self._data / "events", target / "events")
            for file in ("journal.db", "control.db"):
                _copy_database(self._data / file, target / file)
        except (OSError, sqlite3.Error) as error:
            return error
        return None


class NoBackups:
    """Where stores are servers of their own, which have backups of their own."""

    async def make(self, name: str) -> Backup:
        """Raises Unsupported."""
        raise Unsupported("the data is not in this server's directory: PostgreSQL, ClickHouse and Redis have backups")


def _copy_database(source: Path, target: Path) -> None:
    """In one step, which sees one moment of a database with a write-ahead log, whoever writes meanwhile."""
    with closing(sqlite3.connect(read_only(source), uri=True)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)


def _finish(target: Path, whole: Path) -> int:
    """Give it its name once it is on the disk; return how many bytes it has."""
    os.sync()
    target.rename(whole)
    os.sync()
    return sum(file.stat().st_size for file in whole.rglob("*") if file.is_file())
