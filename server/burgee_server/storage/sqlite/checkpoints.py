"""Moves what is in SQLite's write-ahead log into the file: most of it beside those who write, in a thread of its own.

Left to SQLite, a commit does it when the log has grown to 4 MB, and everybody who appends waits meanwhile: under load,
some tens of milliseconds several times a second.
"""

import logging
import sqlite3
import threading

log = logging.getLogger(__name__)

EVERY_COMMITS = 256
"""A log of some tens of megabytes under the greatest load."""
RETRY_SECONDS = 1.0

_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"


class Checkpoints:
    """`writer` is the one connection that writes, and has no checkpoints of its own; `mover` is another on the file."""

    def __init__(self, writer: sqlite3.Connection, mover: sqlite3.Connection) -> None:
        self._writer = writer
        self._mover = mover
        self._commits = 0
        self._is_moved = threading.Event()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._thread = threading.Thread(target=self._run, name="burgee-checkpoints", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        """Hear of a commit, in the writer's thread.

        The little that was written while the rest was moved is moved here: a log with something left in it only grows.
        """
        self._commits += 1
        if self._is_moved.is_set():
            self._is_moved.clear()
            self._commits = 0
            self._writer.execute(_MOVE)
        elif self._commits == EVERY_COMMITS:
            self._wanted.set()

    def close(self) -> None:
        """End the thread. What is in the log is moved when the last connection is closed, or by the next start."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()
        self._mover.close()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            while not self._stopping.is_set() and not self._move():
                self._stopping.wait(RETRY_SECONDS)
            if self._stopping.is_set():
                return
            self._is_moved.set()

    def _move(self) -> bool:
        try:
            self._mover.execute(_MOVE).fetchall()
        except sqlite3.Error as error:
            log.warning("the journal's log cannot be moved into its file yet: %s", error)
            return False
        return True
