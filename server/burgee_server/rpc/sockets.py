"""The sockets that gRPC has at a port. It has no way to close them that says nothing to the callers."""

import contextlib
import os
import socket
from collections.abc import Iterator


def hang_up(port: int) -> None:
    """End the connections to this port of ours, once what was written is sent.

    To a caller whose call is under way that is UNAVAILABLE: the line was cut, try again. gRPC's own stop answers calls
    that come in meanwhile with CANCELLED, which is not worth another try to most clients.
    """
    for mine in _sockets():
        with mine, contextlib.suppress(OSError):  # the other side was faster
            if (
                mine.family in (socket.AF_INET, socket.AF_INET6)
                and mine.getsockname()[1] == port
                and mine.getpeername()
            ):
                mine.shutdown(socket.SHUT_RDWR)


def _sockets() -> Iterator[socket.socket]:
    """Copies of the sockets of this process."""
    for name in os.listdir("/dev/fd"):
        try:
            copy = os.dup(int(name))
        except OSError:  # closed meanwhile
            continue
        try:
            yield socket.socket(fileno=copy)
        except OSError:  # a file
            os.close(copy)
