"""A few clients on one warehouse, each busy with one call at a time in a thread of its own."""

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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
        self._idle: queue.SimpleQueue[Client | None] = queue.SimpleQueue()
        self._idle.put(self._open())
        for _ in range(size - 1):
            self._idle.put(None)
        self._threads = ThreadPoolExecutor(size, "warehouse", step_back if steps_back else None)

    def submit(self, work: Callable[[Client], T]) -> Future[T]:
        """Run `work` on the next idle client."""
        return self._threads.submit(self._run, work)

    def close(self) -> None:
        """Finish what runs, drop what waits, close the clients. Blocks."""
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            if client := self._idle.get():
                client.close()

    def _run(self, work: Callable[[Client], T]) -> T:
        client = self._idle.get_nowait()  # there are as many threads as clients
        try:
            client = client or self._open()
            result = work(client)
        except BaseException:
            # What a failed query had written is put before the result of the next one on the same chDB connection:
            # rows of one environment could reach another. So that connection is never used again.
            if client is not None:
                client.close()
            self._idle.put(None)
            raise
        self._idle.put(client)
        return result

    def _open(self) -> Client:
        try:
            embedded = self._dsn.startswith("chdb:")
            of_network: dict[str, Any] = {} if embedded else {"send_receive_timeout": self._silent_seconds}
            client = clickhouse_connect.get_client(dsn=self._dsn, **of_network)
            for name, value in self._settings.items():
                client.set_client_setting(name, value)
        except Error as error:
            raise Unavailable(_why_closed(self._dsn, error)) from error
        return client


def _why_closed(dsn: str, error: Error) -> str:
    where = urlsplit(dsn)
    if where.scheme == "chdb":
        return f"cannot open the warehouse in {where.path}: another process has it open, or it cannot be written"
    at = where.netloc.rpartition("@")[2]
    if error.name is not None:  # its own text may quote the user
        return f"the warehouse at {at} cannot be used: ClickHouse says {error.name}"
    return f"cannot reach the warehouse at {at}: {of_system(error) or 'no ClickHouse answers there'}"
