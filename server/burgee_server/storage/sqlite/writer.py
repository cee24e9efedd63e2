"""A thread that owns a SQLite connection and commits what many callers ask for in one transaction: group commit."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar
from zlib import crc32

from burgee_server.storage.sqlite.checkpoints import Checkpoints

T = TypeVar("T")

Told: TypeAlias = Callable[[Any, Exception | None], None]
"""Hears of a result or an error."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to do, and who waits for it on which loop."""

    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    told: Told | None
    is_transaction: bool

    def tell(self, result: Any, error: Exception | None) -> None:
        """On the loop, also where nobody waits any more."""
        if self.told is not None:
            self.told(result, error)
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


def connect(path: Path) -> sqlite3.Connection:
    """A connection with WAL, so that readers do not wait, and a commit that survives a power loss; it knows crc32().

    What is deleted is not zeroed, as some builds of SQLite do unless they are told: that is to write it once more.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.create_function("crc32", 1, crc32, deterministic=True)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "secure_delete = FAST"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class GroupWriter:
    """Runs functions on the connection, in order; each returns to its caller once the disk has it.

    A function that raises sqlite3.Error fails the whole group, and every caller in it is told; any other exception is
    its own caller's only, and must leave nothing half-written.
    """

    def __init__(self, connection: sqlite3.Connection, mover: sqlite3.Connection) -> None:
        self._connection = connection
        self._checkpoints = Checkpoints(connection, mover)
        self._waiting: SimpleQueue[Asked | None] = SimpleQueue()
        """None is the end."""
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="burgee-journal", daemon=True)
        self._thread.start()

    async def run(
        self, work: Callable[[sqlite3.Connection], T], told: Told | None = None, *, is_transaction: bool = False
    ) -> T:
        """Run `work` in the next transaction; return its result after the commit.

        It is run, and `told` is called on the event loop, whether or not the caller still waits. `is_transaction`: work
        that writes with one statement at most needs no transaction around it where nobody else asks for one.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._closing:
            if self._closed:
                raise RuntimeError("the journal is closed")
            self._waiting.put(Asked(work, future, told, is_transaction))
        return await future

    def close(self) -> None:
        """Commit what waits, then end the thread and close the connection. Blocks until done."""
        with self._closing:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()
        self._checkpoints.close()
        self._connection.close()

    def _run(self) -> None:
        asked = self._waiting.get()
        while asked is not None:
            group = [asked]
            with contextlib.suppress(Empty):
                while (asked := self._waiting.get_nowait()) is not None:
                    group.append(asked)
            self._commit(group)
            if asked is not None:
                asked = self._waiting.get()

    def _commit(self, group: list[Asked]) -> None:
        outcomes: list[tuple[Asked, Any, Exception | None]] = []
        by_itself = len(group) == 1 and group[0].is_transaction
        try:
            if not by_itself:
                self._connection.execute("BEGIN IMMEDIATE")
            for asked in group:
                try:
                    outcomes.append((asked, asked.work(self._connection), None))
                except sqlite3.Error:
                    raise
                except Exception as error:
                    outcomes.append((asked, None, error))
            if not by_itself:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):  # a disk that refuses this, too, has refused all of it
                self._connection.execute("ROLLBACK")
            outcomes = [(asked, None, error) for asked in group]
        with contextlib.suppress(RuntimeError):  # the loop has ended, and whoever waited on it
            group[0].future.get_loop().call_soon_threadsafe(_tell, outcomes)
        with contextlib.suppress(sqlite3.Error):  # the log only grows, until the disk takes it again
            self._checkpoints.committed()


def _tell(outcomes: list[tuple[Asked, Any, Exception | None]]) -> None:
    """Every one of a group, in one turn of the loop."""
    for asked, result, error in outcomes:
        asked.tell(result, error)
