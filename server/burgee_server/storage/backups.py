"""Copies of the data directory, made inside it: consistent with each other, and mostly hard links."""

import asyncio
import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from burgee_server.errors import AlreadyExists, Invalid, Unavailable, Unsupported
from burgee_server.ports.backups import Backup
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.parts import copy_parts

BACKUPS = "backups"
"""The directory, inside the data directory, in which each has one of its own."""
_UNFINISHED = ".unfinished"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class DirectoryBackups:
    """Of a data directory with all stores in it. While one is made nothing is loaded, and nothing is removed."""

    def __init__(self, data: Path, warehouse: ClickHouseWarehouse) -> None:
        self._data = data
        self._warehouse = warehouse

    async def make(self, name: str) -> Backup:
        """See the port."""
        if not _NAME.fullmatch(name) or name.endswith(_UNFINISHED):
            raise Invalid.of("name", 'must be 1 to 100 letters, digits and any of "._-", and begin with none of these')
        try:
            await self._warehouse.held_still(lambda: self._copy(name))
            return await asyncio.to_thread(self._finish, name)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"the backup {name} cannot be written: {error}") from error

    def _copy(self, name: str) -> None:
        """The warehouse first: what it lacks is in the journal, and what that speaks of, in the control store."""
        whole, target = self._paths(name)
        if whole.exists():
            raise AlreadyExists(f"there is a backup {name} already")
        shutil.rmtree(target, ignore_errors=True)  # of a server that was killed over it
        target.mkdir(mode=0o700, parents=True)
        copy_parts(self._data / "events", target / "events")
        for file in ("journal.db", "control.db"):
            _copy_database(self._data / file, target / file)

    def _finish(self, name: str) -> Backup:
        """Give it its name once it is on the disk."""
        whole, target = self._paths(name)
        os.sync()
        target.rename(whole)
        os.sync()
        sizes = (file.stat().st_size for file in whole.rglob("*") if file.is_file())
        return Backup(str(whole), sum(sizes))

    def _paths(self, name: str) -> tuple[Path, Path]:
        return self._data / BACKUPS / name, self._data / BACKUPS / f"{name}{_UNFINISHED}"


class NoBackups:
    """Where stores are servers of their own, which have backups of their own."""

    async def make(self, name: str) -> Backup:
        """Raises Unsupported."""
        raise Unsupported("the data is not in this server's directory: PostgreSQL, ClickHouse and Redis have backups")


def _copy_database(source: Path, target: Path) -> None:
    """In one step, which sees one moment of a database with a write-ahead log, whoever writes meanwhile."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)
