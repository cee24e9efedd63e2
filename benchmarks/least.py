"""How long a Capture waits at least on this machine, beside how long it does: `python -m benchmarks.least [SECONDS]`.

The load is that of half the aim (benchmarks/sustain.py): 50,000 events a second, and batches of a hundred and of one
in between. In turns, each three times: a server of grpc.aio whose one method writes eight bytes and syncs them, in a
thread, all that wait together; the same beside a process in which chDB loads as many events a second as are sent; and
Burgee, which does both and looks at what it was sent.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import grpc

from benchmarks.server import serving
from benchmarks.sustain import AIM, BATCH, DIFFERENT, METHOD, Load, batches, paced, percentile, ranges
from burgee.v1 import capture_pb2
from burgee_server.storage.clickhouse import ClickHouseWarehouse

SECONDS = 20.0
ROUNDS = 3
RATE = AIM // 2
RANGES_A_SECOND = 2


def sync(path: Path, waiting: "SimpleQueue[Future[None]]") -> None:
    """Write and sync for ever, for all who wait at a time."""
    with path.open("wb", buffering=0) as file:
        while True:
            group = [waiting.get()]
            while not waiting.empty():
                group.append(waiting.get())
            file.write(b"8 bytes\n")
            os.fdatasync(file.fileno())
            for each in group:
                each.set_result(None)


async def serve(directory: Path) -> None:
    """Answer calls of Capture, whatever is in them, after a sync."""
    waiting: SimpleQueue[Future[None]] = SimpleQueue()
    Thread(target=sync, args=(directory / "synced", waiting), daemon=True).start()
    answer = capture_pb2.CaptureResponse(accepted=1).SerializeToString()

    async def capture(_request: bytes, _context: Any) -> bytes:
        done: Future[None] = Future()
        waiting.put(done)
        await asyncio.wrap_future(done)
        return answer

    server = grpc.aio.server()
    service, _, name = METHOD[1:].rpartition("/")
    handler: Any = grpc.unary_unary_rpc_method_handler(capture)
    server.add_registered_method_handlers(service, {name: handler})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


async def load(directory: Path) -> None:
    """Load as many events a second as are sent, in ranges as large as the loader's."""
    warehouse = await ClickHouseWarehouse.open(f"chdb://{directory}/events")
    payloads = ranges(batches(DIFFERENT, BATCH), RATE // RANGES_A_SECOND)
    print("loading", flush=True)
    began, number = time.perf_counter(), 0
    while True:
        await asyncio.sleep(max(began + number / RANGES_A_SECOND - time.perf_counter(), 0))
        await warehouse.load(payloads[number % len(payloads)])
        number += 1


@contextlib.contextmanager
def running(what: str) -> Iterator[str]:
    """This file as another process, by what it does; gives the line that it says."""
    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as directory:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.least", what, directory], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def bare(*, loading: bool) -> Iterator[str]:
    """The address of the server that only syncs."""
    with contextlib.ExitStack() as stack:
        if loading:
            stack.enter_context(running("load"))
        yield stack.enter_context(running("serve"))


@contextlib.contextmanager
def burgee() -> Iterator[str]:
    """The address of a server."""
    with serving() as server:
        yield server.target


async def measure(seconds: float) -> None:
    """Print the table."""
    encoded = batches(DIFFERENT, BATCH)
    kinds = {
        "syncs": lambda: bare(loading=False),
        "syncs, chDB beside it": lambda: bare(loading=True),
        "Burgee": burgee,
    }
    seen: dict[str, list[tuple[Load, Load, Load]]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, begin in kinds.items():
            with begin() as target:
                seen[name].append(await paced(target, encoded, RATE, seconds))
    print(f"{f'at {RATE:,} events/s, ms':<24}{'p50':>8}{'p99':>8}{'most':>8}   p99 of each turn")
    for index, size in enumerate((BATCH, 100, 1)):
        print(f"Capture of {size:,}")
        for name, turns in seen.items():
            took = [turn[index].seconds for turn in turns]
            p50, p99 = (statistics.median(percentile(each, share) for each in took) for share in (0.5, 0.99))
            told = ", ".join(f"{percentile(each, 0.99):.1f}" for each in took)
            print(f"  {name:<22}{p50:>8.1f}{p99:>8.1f}{max(map(max, took)) * 1e3:>8.1f}   {told}")


def main() -> None:
    """The command."""
    if len(sys.argv) > 2:
        import uvloop

        run = {"serve": serve, "load": load}[sys.argv[1]]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(Path(sys.argv[2])))
    asyncio.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))


if __name__ == "__main__":
    main()
