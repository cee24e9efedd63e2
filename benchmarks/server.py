"""A server in a process of its own for a benchmark, with one method more: an empty one, to compare with."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

KEY = "the-key-of-the-benchmarks"
EMPTY = "/burgee.benchmarks.Empty/Call"


@dataclass(frozen=True)
class Measured:
    """Where it listens, and its process."""

    target: str
    pid: int

    def resident_mb(self) -> float:
        """Memory that the server holds now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def peak_mb(self) -> float:
        """The most memory that the server has held."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1e3


@contextlib.contextmanager
def serving() -> Iterator[Measured]:
    """A server on an empty directory, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as data:
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", data],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BURGEE_BOOTSTRAP_KEY": KEY, "BURGEE_LOG_LEVEL": "ERROR"},
        )
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if line.startswith("burgee ready grpc="))
            yield Measured(line.removeprefix("burgee ready grpc=").strip(), server.pid)
        finally:
            server.terminate()
            server.communicate(timeout=60)


def _add_empty_method() -> None:
    """Put the empty method beside the services, outside the door: no key, no request, no answer."""
    from burgee_server.rpc import server

    async def nothing(_request: bytes, _context: Any) -> bytes:
        return b""

    begin = server.RpcServer.__init__

    def with_empty(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        service, _, method = EMPTY[1:].rpartition("/")
        handlers = {method: grpc.unary_unary_rpc_method_handler(nothing)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))

    server.RpcServer.__init__ = with_empty  # type: ignore[method-assign]


if __name__ == "__main__":
    import uvloop

    from burgee_server.app import serve
    from burgee_server.settings import Settings

    _add_empty_method()
    settings = Settings(data=Path(sys.argv[1]), listen="127.0.0.1:0")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, lambda text: print(text, flush=True)))
