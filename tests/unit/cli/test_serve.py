"""What `burgee serve` makes of its process before the server is imported."""

import subprocess
import sys

FORKING = """
import asyncio, os, sys
from types import ModuleType

from burgee_server.cli.serve import serve

async def fork():
    import grpc
    server = grpc.aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    child = os.fork()
    if not child:
        os._exit(len(os.listdir("/proc/self/task")))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    await server.stop(0)

assert "grpc" not in sys.modules
sys.modules["burgee_server.app"] = app = ModuleType("burgee_server.app")
app.run = lambda *_: asyncio.run(fork())
serve([], standalone_mode=False)
"""


def test_a_child_of_the_server_has_one_thread_and_none_of_grpc() -> None:
    """gRPC would make its own anew, and where the system allows no more, the program would never be started."""
    forked = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60)
    assert forked.stdout == "1\n", forked.stderr
