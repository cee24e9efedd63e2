"""A server in a process of its own for a benchmark, with two empty methods and a flag that is always new."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import grpc

KEY = "the-key-of-the-benchmarks"
EMPTY = "/burgee.benchmarks.Empty/Call"
LET_IN = "/burgee.v1.FlagService/Nothing"
NEVER_ASKED = "never-asked"
"""A flag's key: each question about it is looked for, worked out and kept as one that nobody has asked before."""

Call: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"
"""A method that is sent serialized messages."""


@dataclass(frozen=True)
class Measured:
    """Where it listens, and its process; what is told of it is told with the processes that it has started."""

    target: str
    pid: int

    def resident_mb(self) -> float:
        """Memory that the server holds now."""
        pages = sum(int((process / "statm").read_text().split()[1]) for process in self._processes())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_seconds(self) -> float:
        """Processor time that the server has used."""
        fields = [(process / "stat").read_text().rpartition(")")[2].split() for process in self._processes()]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most memory that the server has held; of several processes, what each has held at some time."""
        statuses = [(process / "status").read_text() for process in self._processes()]
        return sum(int(status.split("VmHWM:")[1].split()[0]) for status in statuses) / 1e3

    def forget_peak(self) -> None:
        """Begin to count the most memory anew."""
        for process in self._processes():
            (process / "clear_refs").write_text("5")

    def _processes(self) -> list[Path]:
        """The server and what it has started, in /proc."""
        from tests.fixtures.serving import children

        return [Path("/proc", str(pid)) for pid in (self.pid, *children(self.pid))]


@contextlib.contextmanager
def serving(prepare: Callable[[Path], None] = lambda _data: None, **settings: str) -> Iterator[Measured]:
    """A server on a directory that is empty but for what `prepare` puts there, gone afterwards."""
    given = {f"BURGEE_{name.upper()}": value for name, value in settings.items()}
    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as data:
        prepare(Path(data))
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", data],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BURGEE_BOOTSTRAP_KEY": KEY, "BURGEE_LOG_LEVEL": "ERROR", **given},
        )
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if line.startswith("burgee ready grpc="))
            yield Measured(line.removeprefix("burgee ready grpc=").strip(), server.pid)
        finally:
            server.terminate()
            server.communicate(timeout=60)


def _add_empty_methods() -> None:
    """Put two empty methods beside the services: one that anybody may call, one behind the door, with a key."""
    from burgee_server.rpc import door, server
    from burgee_server.rpc.permissions import NEEDED

    async def nothing(_request: Any, _context: Any) -> Any:
        return b""

    begin, guard = server.RpcServer.__init__, door._guard

    def with_empty(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        for path in (EMPTY, LET_IN):
            service, _, method = path[1:].rpartition("/")
            handlers: dict[str, door.Handler] = {method: grpc.unary_unary_rpc_method_handler(nothing)}
            if self._transport.native:
                self._server.add_registered_method_handlers(service, handlers)
            else:  # found by name, as ours are
                self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))

    NEEDED[LET_IN] = NEEDED["/burgee.v1.FlagService/Evaluate"]
    server.RpcServer.__init__ = with_empty  # type: ignore[method-assign, assignment]
    # The door reads messages by their descriptor, which this method has none of: it is let in, and that is all.
    door._guard = lambda method, *wrapped: wrapped[0] if method == LET_IN else guard(method, *wrapped)


def _find_nothing_of_one_flag() -> None:
    """Look for answers about NEVER_ASKED as for any, and find none."""
    from burgee_server.flags import Answers

    find, key = Answers.find, NEVER_ASKED.encode()

    def find_others(self: Any, environment_id: int, question: bytes) -> Any:
        found = find(self, environment_id, question)
        return None if key in question else found

    Answers.find = find_others  # type: ignore[method-assign]


if __name__ == "__main__":
    import uvloop

    from burgee_server.app import serve
    from burgee_server.settings import Settings

    _add_empty_methods()
    _find_nothing_of_one_flag()
    settings = Settings(data=Path(sys.argv[1]), listen="127.0.0.1:0")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, lambda text: print(text, flush=True)))
