"""The sockets that the transport has at a port. It has no way to say goodbye to its callers, and then to hang up."""

import contextlib
import fcntl
import os
import socket
import stat
import struct
import termios
from collections.abc import Iterable, Iterator, Set
from ipaddress import ip_address
from urllib.parse import unquote

GOAWAY = struct.pack(">BHBBIII", 0, 8, 7, 0, 0, (1 << 31) - 1, 0)
"""A frame of HTTP/2 (RFC 9113, section 6.8): whatever was sent is answered, send nothing more. No error."""
_UNSENT_BYTES = 4_096
"""With so much on its way to a reader, or less, nothing of the transport's own is half written."""


def say_goodbye(port: int) -> None:
    """Tell the callers at this port of ours to make their next calls on another connection; this one goes on.

    gRPC's own stop says so, too, and from then on answers what comes in before it was heard with CANCELLED, which is
    not worth another try to most clients. Who is slow to read what was written before is told nothing.
    """
    for mine in connections(port):
        _say_goodbye(mine)


def say_goodbye_to(port: int, peers: Set[str]) -> tuple[Set[str], Set[str]]:
    """Tell some of the callers at this port, by gRPC's names of them: those that were told, those that could not be.

    Whoever is in neither is gone.
    """
    names = {_address(peer): peer for peer in peers}
    told: set[str] = set()
    busy: set[str] = set()
    for mine in connections(port):
        try:
            host, number = mine.getpeername()[:2]
        except OSError:  # since it was found
            continue
        peer = names.get((_host(host), number))
        if peer is not None:
            (told if _say_goodbye(mine) else busy).add(peer)
    return told, busy


def _say_goodbye(mine: socket.socket) -> bool:
    """Whether a caller was told."""
    with contextlib.suppress(OSError):
        [unsent] = struct.unpack("i", fcntl.ioctl(mine, termios.TIOCOUTQ, bytes(4)))
        if unsent <= _UNSENT_BYTES:
            return mine.send(GOAWAY, socket.MSG_DONTWAIT) == len(GOAWAY)
    return False


def _address(peer: str) -> tuple[str, int]:
    """The host and port of gRPC's name of a peer, as `ipv4:127.0.0.1:4750` or `ipv6:%5B::1%5D:4750`."""
    host, _, number = unquote(peer).partition(":")[2].rpartition(":")
    return _host(host.strip("[]")), int(number)


def _host(host: str) -> str:
    """The address, as IPv4 if it is one of those in IPv6."""
    address = ip_address(host)
    return str(getattr(address, "ipv4_mapped", None) or address)


def listen_no_more(port: int) -> None:
    """Take no new connections at this port of ours: who has other addresses goes there, all others hear UNAVAILABLE."""
    for mine in _sockets(port):
        if mine.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            with contextlib.suppress(OSError):  # not on Linux: there is no such thing elsewhere
                mine.shutdown(socket.SHUT_RDWR)


def hang_up(port: int) -> None:
    """Listen no more on this port of ours, then end its connections, once what was written is sent.

    To a caller whose call is under way that is UNAVAILABLE: the line was cut, try again. Whose line is cut is back
    within a millisecond: where nobody listens, that is UNAVAILABLE, too; by gRPC, about to stop, it would be CANCELLED.
    """
    listen_no_more(port)
    hang_up_on(connections(port))


def hang_up_on(these: Iterable[socket.socket]) -> None:
    """End connections, each once what was written is sent."""
    for mine in these:
        with contextlib.suppress(OSError):  # the other side was faster
            mine.shutdown(socket.SHUT_RDWR)


def connections(port: int) -> Iterator[socket.socket]:
    """The sockets of this process that are connected to its port, copies, each for the time of its turn."""
    for mine in _sockets(port):
        try:
            mine.getpeername()
        except OSError:  # the one that listens, or one that is gone
            continue
        yield mine


def _sockets(port: int) -> Iterator[socket.socket]:
    """Copies of the sockets of this process at the port, each for the time of its turn.

    Of files none is made: with the copy, all locks that SQLite has on that file in this process would be closed, too,
    and whoever then reads the database from outside takes its newest transactions away (fcntl, F_SETLK).
    """
    for name in os.listdir("/dev/fd"):
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            copy = os.dup(int(name))
        except OSError:  # closed meanwhile
            continue
        try:
            mine = socket.socket(fileno=copy)
        except OSError:  # a file since that look: it is left open, for the sake of its locks
            continue
        with mine:
            try:
                is_ours = mine.family in (socket.AF_INET, socket.AF_INET6) and mine.getsockname()[1] == port
            except OSError:  # one that is gone
                continue
            if is_ours:
                yield mine
