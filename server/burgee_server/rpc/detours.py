"""Connections of whose calls half stay open, as streams and questions do: what is called next is to go another way."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from burgee_server.findings import Finding, warning
from burgee_server.rpc.sockets import say_goodbye_to

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.05
_LONGEST_SECONDS = 5.0
"""After how long it is tried again to tell a connection that had something on its way: the first time, and at most."""
_LOOK_SECONDS = 5.0
"""How long a connection may have room for nothing more until that is looked into: its client should have been told."""
_WRITE_SECONDS = 60.0
"""How often the log says so."""


class Detours:
    """Counts the calls that stay on each connection; the client of one with many is told to make the next on another.

    Calls on a connection are limited, and clients wait with what is beyond: on one with nothing but streams, for ever.
    Those that are open go on; what is called next is on a connection with room.
    """

    def __init__(self) -> None:
        self._staying: Counter[str] = Counter()
        self._port = 0
        self._most = 0
        self._plain = True
        self._due: set[str] = set()
        self._telling: asyncio.Task[None] | None = None
        self._written = -inf
        self.told = 0
        """How many connections were told."""

    @property
    def full(self) -> int:
        """How many connections have as many calls that stay as they may have calls, and clients that were not told."""
        return len(self._full())

    def findings(self) -> Iterator[Finding]:
        """What doctor tells of it, from any thread: nothing, where no call waits."""
        if full := self.full:
            yield warning(
                "connections",
                f"{full} with as many streams and questions as there may be calls, {self._most}: the next call waits",
                "set connection_calls higher, or have their clients open more of them",
            )

    def begin(self, port: int, most: int, *, plain: bool) -> None:
        """From now on, connections at a port of ours may have so many calls; 0 is any number.

        What is not `plain` is TLS, into which nothing can be said: then it is only counted, and written about.
        """
        self._port, self._most, self._plain = port, most, plain

    @contextmanager
    def stay(self, connection: str) -> Iterator[None]:
        """Inside, a call stays open on a connection, by the name that gRPC gives to its other end."""
        if not self._most or not connection.startswith(("ipv4:", "ipv6:")):
            yield
            return
        self._staying[connection] += 1
        if self._plain and self._staying[connection] == self._enough:
            self._tell(connection)
        if self._staying[connection] == self._most:
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._write)
        try:
            yield
        finally:
            self._staying[connection] -= 1
            if not self._staying[connection]:
                del self._staying[connection]

    @property
    def _enough(self) -> int:
        return (self._most + 1) // 2

    def _tell(self, connection: str) -> None:
        self._due.add(connection)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        """Tell all that are due, those to whom something is on its way when it has arrived."""
        seconds = _AGAIN_SECONDS
        while True:
            due = frozenset(self._due)
            told, busy = await asyncio.to_thread(say_goodbye_to, self._port, due)
            self.told += len(told)
            self._due = {each for each in self._due - (due - busy) if self._staying[each] >= self._enough}
            if not self._due:
                return
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, _LONGEST_SECONDS)

    def _full(self) -> list[str]:
        """Those on which the next call waits. Where the client was told, it is on another."""
        return [
            connection
            for connection, count in tuple(self._staying.items())
            if count >= self._most > 0 and (not self._plain or connection in self._due)
        ]

    def _write(self) -> None:
        """Say to people, now and then, that connections are full and stay so, whose clients go on calling there."""
        full = self._full()
        if not full or (now := monotonic()) - self._written < _WRITE_SECONDS:
            return
        self._written = now
        log.warning(
            "connections with as many streams and questions as there may be calls, %d, so that the next call waits "
            "until one of them ends: %d, %s among them. %s: set connection_calls higher, or have it open more of them",
            self._most,
            len(full),
            full[0],
            "Its client reads too slowly to be told to open another"
            if self._plain
            else "In TLS its client cannot be told to open another",
        )
