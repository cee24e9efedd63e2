"""A server of a transport with one empty method and nothing of ours, in a process of its own."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc

from benchmarks.server import EMPTY, Measured


@contextlib.contextmanager
def serving_bare(transport: str) -> Iterator[Measured]:
    """One, gone afterwards."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.bare", transport], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield Measured(server.stdout.readline().strip(), server.pid)
    finally:
        server.terminate()
        server.communicate(timeout=60)


async def _serve(transport: str) -> None:
    async def nothing(_request: bytes, _context: Any) -> bytes:
        return b""

    service, _, method = EMPTY[1:].rpartition("/")
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {method: grpc.unary_unary_rpc_method_handler(nothing)}
    server: Any
    if transport == "native":
        import pygrpc_native.aio

        server = pygrpc_native.aio.server()
        server.add_registered_method_handlers(service, handlers)
    else:  # as many may wait as in our server, before calls are turned away
        pending = [(f"grpc.server.max_pending_requests{which}", 10_000) for which in ("", "_hard_limit")]
        server = grpc.aio.server(options=pending)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(KeyboardInterrupt):
        runner.run(_serve(sys.argv[1]))
