"""One server of several processes that answer calls on the same port: starts them, and stops them all when one ends."""

import multiprocessing
import multiprocessing.process
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

from burgee_server.app import run
from burgee_server.errors import BurgeeError
from burgee_server.logs import start_logging
from burgee_server.settings import Settings
from burgee_server.storage.directory import DataDirectory, DirectoryInUse

READY = "burgee ready"


def run_several(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve with `settings.processes` processes until SIGTERM or SIGINT, or until one of them ends.

    The kernel spreads connections over them. Each has a directory of its own inside the data directory. Says `burgee
    ready` when all are. Raises DirectoryInUse, OSError, and BurgeeError for what kept one from starting or ended it.
    """
    os.umask(0o077)
    directory = DataDirectory(settings.data)
    try:
        with _reserved(settings.listen) as address:
            directory.tell(settings.target(address))
            # Not read again, and of a class that another process can find.
            in_force = {**dict(settings), "listen": address, "data": directory.path}
            _Several(Settings.model_construct(**in_force), say).run()
    finally:
        directory.release()


class _Several:
    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._pipes: list[Connection] = []
        self._waiting = settings.processes
        self._stopping = False
        self._fault: str | None = None

    def run(self) -> None:
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda *_: self._stop())
        context = multiprocessing.get_context("spawn")  # gRPC and chDB have threads, which do not survive a fork
        for number in range(self._settings.processes):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_serve, args=(self._settings, number, there), name=f"burgee-{number}")
            process.start()
            there.close()
            self._processes.append(process)
            self._pipes.append(here)
            if self._stopping:  # told so while it was being started
                process.terminate()
                break
        while alive := [process for process in self._processes if process.is_alive()]:
            for ready in wait([*self._pipes, *(process.sentinel for process in alive)]):
                if isinstance(ready, Connection):
                    self._hear(ready)
                else:
                    self._stop()  # by itself or because it was told to: the others go with it
        for pipe in tuple(self._pipes):
            self._hear(pipe)
        if self._fault is not None:
            raise BurgeeError(self._fault)
        # One that is told to end while it imports is ended by the signal: it has begun nothing.
        if failed := [each.name for each in self._processes if each.exitcode not in (0, -signal.SIGTERM)]:
            raise BurgeeError(f"ended by themselves, see the log: {', '.join(failed)}")

    def _hear(self, pipe: Connection) -> None:
        try:
            kind, text = pipe.recv()
        except EOFError:
            self._pipes.remove(pipe)
            return
        if kind == "fault":
            self._fault = self._fault or text
        elif text.startswith(READY):
            self._waiting -= 1
            if not self._waiting:
                self._say(text)
        else:
            self._say(text)

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            for process in self._processes:
                process.terminate()


def _serve(settings: Settings, number: int, pipe: Connection) -> None:
    """One of the processes: metrics of the first are at the port that was set, those of the others at the next ones."""
    start_logging(settings.log_level, settings.log_format, sys.stderr)
    if settings.metrics_listen is not None:
        host, _, port = settings.metrics_listen.rpartition(":")
        own = f"{host}:{int(port) + number if int(port) else 0}"
        settings = settings.model_copy(update={"metrics_listen": own})
    try:
        run(settings, lambda text: pipe.send(("said", text)), f"process-{number}")
    except (DirectoryInUse, BurgeeError, OSError) as error:
        pipe.send(("fault", str(error)))
        raise SystemExit(1) from None


@contextmanager
def _reserved(listen: str) -> Iterator[str]:
    """The address with a port that nobody else has, kept for this server. Raises OSError."""
    host, _, port = listen.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    try:
        with socket.socket(family) as alone:  # a port that is shared already is somebody else's
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(address)
        with socket.socket(family) as kept:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            kept.bind(address)
            yield f"{host}:{kept.getsockname()[1]}"
    except OSError as error:
        raise OSError(f"cannot listen on {listen}: it is taken, or not an address of this machine") from error
