"""A thread that owns a SQLite connection and reads on it, beside what is written on another."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Reader:
    """Runs functions on the connection, one at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`. It goes on, once begun, when nobody waits for it any more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    def close(self) -> None:
        """Close the connection, which nobody may be reading on: it would take the process with it. Blocks until so."""
        self._thread.shutdown(cancel_futures=True)
        self._connection.close()
