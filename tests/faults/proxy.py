"""A way to an address that can be cut, as a network does: nothing comes through, and nobody is told."""

import socket
import threading
from contextlib import suppress


class Proxy:
    """Hands bytes on in both directions, in two threads for each connection."""

    def __init__(self, towards: str) -> None:
        host, _, port = towards.rpartition(":")
        self._towards = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._passing = threading.Event()
        self._passing.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def cut(self) -> None:
        """From now on bytes are held back, on connections that are there and on new ones."""
        self._passing.clear()

    def mend(self) -> None:
        """Let through what was held back, and all that comes."""
        self._passing.set()

    def close(self) -> None:
        """End it."""
        self._passing.set()
        for each in (self._listening, *self._sockets):
            with suppress(OSError):  # its other end was faster
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for each in (self._listening, *self._sockets):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                here, _ = self._listening.accept()
                self._sockets.append(here)
                try:
                    there = socket.create_connection(self._towards)
                except OSError:
                    here.close()
                    continue
                self._sockets.append(there)
                self._begin(self._hand_on, here, there)
                self._begin(self._hand_on, there, here)

    def _hand_on(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self._passing.wait()
                to.sendall(data)
        for each in (source, to):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
