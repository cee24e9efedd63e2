"""A thread that owns a SQLite connection and commits what many callers ask for in one transaction: group commit."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar
from zlib import crc32

from burgee_server.storage.sqlite.checkpoints import Checkpoints

T = TypeVar("T")

Asked: TypeAlias = tuple[Callable[[sqlite3.Connection], Any], "Future[Any]"]
"""What to do, and who waits for it."""


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

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the next transaction; return its result after the commit."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise RuntimeError("the journal is closed")
            self._waiting.put((work, future))
        # Shielded: the transaction happens whether or not the caller still waits for it.
        return await asyncio.shield(asyncio.wrap_future(future))

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
        outcomes: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for work, future in group:
                try:
                    outcomes.append((future, work(self._connection), None))
                except sqlite3.Error:
                    raise
                except Exception as error:
                    outcomes.append((future, None, error))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):  # a disk that refuses this, too, has refused all of it
                self._connection.execute("ROLLBACK")
            outcomes = [(future, None, error) for _, future in group]
        for future, result, failure in outcomes:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)
        with contextlib.suppress(sqlite3.Error):  # the log only grows, until the disk takes it again
            self._checkpoints.committed()
