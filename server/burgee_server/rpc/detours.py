"""Connections of whose calls half are streams that stay open: what is called next is to go another way."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from burgee_server.rpc.sockets import say_goodbye_to

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.05
_LONGEST_SECONDS = 5.0
"""After how long it is tried again to tell a connection that had something on its way: the first time, and at most."""
_WRITE_SECONDS = 60.0
"""How often the log says that a connection has room for nothing but streams."""


class Detours:
    """Counts the streams of each connection, and tells the client of one that has many to make its next calls on another.

    Calls on a connection are limited, and a client waits with what is beyond: on one with nothing but streams, for ever.
    Its streams go on; the one that it opens next is on a connection with room.
    """

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        self._port = 0
        self._most = 0
        self._plain = True
        self._due: set[str] = set()
        self._telling: asyncio.Task[None] | None = None
        self._written = -_WRITE_SECONDS
        self.told = 0
        """How many connections were told."""

    @property
    def full(self) -> int:
        """How many connections have as many streams as they may have calls."""
        return sum(count >= self._most for count in self._streams.values()) if self._most else 0

    def begin(self, port: int, most: int, *, plain: bool) -> None:
        """From now on, connections at a port of ours may have so many calls; 0 is any number.

        What is not `plain` is TLS, into which nothing can be said: then it is only counted, and written about.
        """
        self._port, self._most, self._plain = port, most, plain

    @contextmanager
    def stay(self, connection: str) -> Iterator[None]:
        """Inside, a stream is open on a connection, by the name that gRPC gives to its other end."""
        if not self._most or not connection.startswith(("ipv4:", "ipv6:")):
            yield
            return
        self._streams[connection] += 1
        if self._plain and self._streams[connection] == self._enough:
            self._tell(connection)
        if self._streams[connection] >= self._most:
            self._write(connection)
        try:
            yield
        finally:
            self._streams[connection] -= 1
            if not self._streams[connection]:
                del self._streams[connection]

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
            told = await asyncio.to_thread(say_goodbye_to, self._port, frozenset(self._due))
            self.told += len(told)
            self._due = {each for each in self._due - told if self._streams[each] >= self._enough}
            if not self._due:
                return
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, _LONGEST_SECONDS)

    def _write(self, connection: str) -> None:
        """Say it to people, now and then."""
        if (now := monotonic()) - self._written < _WRITE_SECONDS:
            return
        self._written = now
        why = "was told to open another, and has not" if self._plain else "cannot be told so in TLS"
        log.warning(
            "%s has %d streams open on one connection and may have no more calls there: what it calls next waits without "
            "an end unless it opens another connection, which it %s; set connection_calls higher (%d connections are "
            "like this)",
            connection,
            self._streams[connection],
            why,
            self.full,
        )  # fmt: skip
