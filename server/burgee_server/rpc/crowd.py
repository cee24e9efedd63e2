"""How many connections a port of ours may have, for a transport that accepts without end."""

import asyncio
import os
import socket
from time import monotonic

from burgee_server.rpc.sockets import connections, hang_up_on

LOOK_SECONDS = 1.0
_PART = 5
"""Between two looks is so many times what one takes, which is some 5 microseconds of processor a connection."""


class Crowd:
    """Looks every second, and hangs up on the connections that came last if there are more than `most`."""

    def __init__(self, port: int, most: int) -> None:
        self._port = port
        self._most = most
        self._known: frozenset[int] = frozenset()
        """The connections that were there at the last look, by the numbers that the system gives to what is open."""
        self._leaving: frozenset[int] = frozenset()
        """Those that were hung up on, and that the transport may not have let go of yet."""

    async def run(self) -> None:
        """Look for ever, in a thread."""
        while True:
            began = monotonic()
            await asyncio.to_thread(self.thin_out)
            await asyncio.sleep(max(LOOK_SECONDS, (monotonic() - began) * _PART))

    def thin_out(self) -> int:
        """Hang up on as many as are too many, those that were not there at the last look first; how many these were.

        With half as many files open as there may be connections, nobody is too many, and it is not looked who is there.
        """
        if len(os.listdir("/dev/fd")) <= self._most // 2:
            self._known = self._leaving = frozenset()
            return 0
        there = {_number(each) for each in connections(self._port)}
        # Known ones first; the others by their numbers, which grow, more or less.
        found = sorted(there - self._leaving, key=lambda number: (number not in self._known, number))
        self._known, too_many = frozenset(found[: self._most]), frozenset(found[self._most :])
        self._leaving = (self._leaving & there) | too_many
        if too_many:
            hang_up_on(each for each in connections(self._port) if _number(each) in too_many)
        return len(too_many)


def _number(connection: socket.socket) -> int:
    """By which a connection is known for as long as it is open."""
    return os.fstat(connection.fileno()).st_ino
