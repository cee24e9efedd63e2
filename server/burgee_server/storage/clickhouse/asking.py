"""Asks clients, and stops what nobody waits for any more."""

import asyncio
import math
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from burgee_server.errors import TimedOut, Unavailable
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import failures
from burgee_server.storage.clickhouse.pool import ClientPool
from burgee_server.storage.clickhouse.seats import Seats


class Asking:
    """Statements under way, each under a name by which a client of `kills` stops it."""

    def __init__(self, kills: ClientPool) -> None:
        self._kills = kills
        self._running: dict[str, Future[bytes]] = {}
        self._given_up: dict[str, Future[bytes]] = {}
        self._closed = False

    async def ask(
        self,
        pool: ClientPool,
        statement: Statement,
        fmt: str,
        settings: Mapping[str, str] | None = None,
        timeout: float | None = None,
        seats: Seats | None = None,
    ) -> bytes:
        """The answer as ClickHouse writes it in a format. Askers take turns by `seats`, if given.

        Raises as Warehouse.query does; TimedOut also where it has not even begun.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        name = uuid.uuid4().hex
        running: Future[bytes] | None = None
        with pool.work.once():
            try:
                async with asyncio.timeout(timeout):
                    if seats is not None:
                        await seats.take(statement.asker)
                    work = partial(_raw, statement, fmt, settings or {}, name, deadline)
                    running = self._begin(pool, work, name, statement.asker, seats)
                    return await asyncio.wrap_future(running)
            except Error as error:
                told = failures.of_query(error)
                if told is error:
                    raise
                raise told from error
            except (TimeoutError, asyncio.CancelledError) as error:
                if running is not None:
                    self._stop(name, running)
                if isinstance(error, TimeoutError):
                    raise TimedOut(f"the query was given up after {timeout:g} seconds") from error
                raise

    def close(self) -> None:
        """Stop what runs, and begin nothing more: who waits for a seat is told so when there is one."""
        self._closed = True
        for name, running in tuple(self._running.items()):
            self._stop(name, running)

    def _begin(
        self, pool: ClientPool, work: Callable[[Client], bytes], name: str, asker: str, seats: Seats | None
    ) -> Future[bytes]:
        """Have a client work. The seat is left when it has ended, which may be later than that it was given up."""
        loop = asyncio.get_running_loop()

        def ended(_: Future[bytes]) -> None:
            self._running.pop(name, None)
            if seats is not None:
                with suppress(RuntimeError):  # the loop is closed, and nobody waits for a seat any more
                    loop.call_soon_threadsafe(seats.leave, asker)

        try:
            if self._closed:
                raise Unavailable("the server is stopping: ask again later")
            running = self._running[name] = pool.submit(work)
        except BaseException:
            if seats is not None:
                seats.leave(asker)
            raise
        running.add_done_callback(ended)
        return running

    def _stop(self, name: str, running: Future[bytes]) -> None:
        if not running.done():
            self._given_up[name] = running
            running.add_done_callback(lambda _: self._given_up.pop(name, None))
            with suppress(RuntimeError):  # closed, and left behind with a server that says nothing
                self._kills.submit(self._kill)

    def _kill(self, client: Client) -> None:
        """All that are given up, again and again until they have ended: one may not have begun when it is given up."""
        while left := self._given_up.copy():
            client.command(
                "KILL QUERY WHERE Settings['log_comment'] IN {names:Array(String)} ASYNC",
                parameters={"names": list(left)},
            )
            wait(left.values(), timeout=0.1)


def _raw(
    statement: Statement, fmt: str, settings: Mapping[str, str], name: str, deadline: float, client: Client
) -> bytes:
    limits = f"log_comment = '{name}'"
    if deadline < math.inf:
        limits += f", max_execution_time = {max(deadline - time.monotonic(), 0.001):.3f}"
    if statement.largest_bytes:
        limits += f", max_result_bytes = {statement.largest_bytes}"
    return client.raw_query(
        f"{statement.sql} SETTINGS {limits}", dict(statement.parameters), settings=dict(settings), fmt=fmt
    )
