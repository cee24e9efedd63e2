"""A few clients on one warehouse, each busy with one call at a time in a thread of its own."""

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from burgee_server.ports.warehouse import Unavailable

T = TypeVar("T")


class ClientPool:
    """`size` clients on a DSN, all with these settings. Clients that share a directory share its engine.

    Blocks while it opens. Raises Unavailable if it cannot: the server is away, or another process has the directory.
    """

    def __init__(self, dsn: str, size: int, settings: Mapping[str, str | int]) -> None:
        self._idle: queue.SimpleQueue[Client] = queue.SimpleQueue()
        self._clients: list[Client] = []
        try:
            for _ in range(size):
                client = clickhouse_connect.get_client(dsn=dsn)
                self._clients.append(client)
                for name, value in settings.items():
                    client.set_client_setting(name, value)
                self._idle.put(client)
        except Error as error:
            for client in self._clients:
                client.close()
            raise Unavailable(_why_closed(dsn, error)) from error
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="warehouse")

    def submit(self, work: Callable[[Client], T]) -> Future[T]:
        """Run `work` on the next idle client."""
        return self._threads.submit(self._run, work)

    def _run(self, work: Callable[[Client], T]) -> T:
        client = self._idle.get_nowait()  # there are as many threads as clients
        try:
            return work(client)
        finally:
            self._idle.put(client)

    def close(self) -> None:
        """Finish what runs, drop what waits, close the clients. Blocks."""
        self._threads.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()


def _why_closed(dsn: str, error: Error) -> str:
    where = urlsplit(dsn)
    if where.scheme == "chdb":
        return f"cannot open the warehouse in {where.path}: another process has it open, or it cannot be written"
    return f"cannot reach the warehouse at {where.hostname}: {error}"
