"""A few clients on one warehouse, each busy with one call at a time in a thread of its own."""

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from burgee_server.causes import of_system
from burgee_server.errors import Unavailable
from burgee_server.meters import Work
from burgee_server.storage.clickhouse.priority import step_back

T = TypeVar("T")


class ClientPool:
    """`size` clients on a DSN, all with these settings. Clients that share a directory share its engine.

    `steps_back`: what they do has the processor after what others do. A server may say nothing for `silent_seconds`.
    The threads are daemons, as those of concurrent.futures are not: one that waits for a server holds up no end.

    Blocks while it opens. Raises Unavailable if it cannot: the server is away, or another process has the directory.
    """

    def __init__(
        self,
        dsn: str,
        size: int,
        settings: Mapping[str, str | int],
        *,
        steps_back: bool = False,
        silent_seconds: int = 300,
    ) -> None:
        self.size = size
        self.work = Work()
        """What those who wait for it note down: with the time that it waited for its turn."""
        self._dsn = dsn
        self._settings = settings
        self._silent_seconds = silent_seconds
        self._embedded = dsn.startswith("chdb:")
        self._closing = threading.Lock()
        self._closed = False
        self._tasks: queue.SimpleQueue[tuple[Callable[[Client], Any], Future[Any]] | None] = queue.SimpleQueue()
        first = self._open()
        prepare = step_back if steps_back else None
        self._threads = [
            threading.Thread(target=self._work, args=(client, prepare), name="warehouse", daemon=True)
            for client in (first, *[None] * (size - 1))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[Client], T]) -> Future[T]:
        """Run `work` on the next idle client. Raises RuntimeError if closed."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise RuntimeError("this pool is closed")
            self._tasks.put((work, future))
        return future

    def close(self, seconds: float = math.inf) -> None:
        """Finish what runs, drop what waits, close the clients. Blocks.

        What waits for a server after so long is left behind, and ends with the process: the server may have done it or
        not. An engine in this process is always waited for.
        """
        with self._closing:
            self._closed = True
        with suppress(queue.Empty):
            while True:  # what is there: a thread may take the last of it meanwhile
                if task := self._tasks.get_nowait():
                    task[1].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        deadline = time.monotonic() + min(seconds, threading.TIMEOUT_MAX)
        for thread in self._threads:
            thread.join(None if self._embedded else max(deadline - time.monotonic(), 0))

    def _work(self, client: Client | None, prepare: Callable[[], None] | None) -> None:
        if prepare is not None:
            prepare()
        while (task := self._tasks.get()) is not None:
            client = self._run(client, *task)
            del task  # it may have megabytes
        _let_go(client)

    def _run(self, client: Client | None, work: Callable[[Client], T], future: Future[T]) -> Client | None:
        """The client, unless it is not to be used again."""
        if not future.set_running_or_notify_cancel():
            return client
        try:
            client = client or self._open()
            future.set_result(work(client))
        except BaseException as error:
            # What a failed query had written is put before the result of the next one on the same chDB connection:
            # rows of one environment could reach another. So that connection is never used again.
            _let_go(client)
            future.set_exception(error)
            del future  # the error has this frame
            return None
        return client

    def _open(self) -> Client:
        try:
            of_network: dict[str, Any] = {} if self._embedded else {"send_receive_timeout": self._silent_seconds}
            client = clickhouse_connect.get_client(dsn=self._dsn, **of_network)
            for name, value in self._settings.items():
                client.set_client_setting(name, value)
        except Error as error:
            raise Unavailable(_why_closed(self._dsn, error)) from error
        return client


def _let_go(client: Client | None) -> None:
    """Close it. That it cannot be closed is no matter to those who wait, and its thread goes on."""
    if client is not None:
        with suppress(Exception):
            client.close()


def _why_closed(dsn: str, error: Error) -> str:
    where = urlsplit(dsn)
    if where.scheme == "chdb":
        return f"cannot open the warehouse in {where.path}: another process has it open, or it cannot be written"
    at = where.netloc.rpartition("@")[2]
    if error.name is not None:  # its own text may quote the user
        return f"the warehouse at {at} cannot be used: ClickHouse says {error.name}"
    return f"cannot reach the warehouse at {at}: {of_system(error) or 'no ClickHouse answers there'}"
