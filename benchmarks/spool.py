"""What a spool costs a client: `python -m benchmarks.spool [EVENTS]`.

A server in the same process that acknowledges everything, so that what is measured is the client; five properties and
two groups an event. Then the same events while the server is away, and a client that finds them.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import grpc

import burgee
from burgee.v1 import capture_pb2, capture_pb2_grpc

EVENTS = 200_000
KEY = "the-key"


class _Everything(capture_pb2_grpc.CaptureServiceServicer):
    def Capture(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return capture_pb2.CaptureResponse(accepted=len(request.events))


@contextmanager
def acknowledging(port: int = 0) -> Iterator[int]:
    """A server that takes everything and keeps nothing; its port."""
    server = grpc.server(ThreadPoolExecutor(4))
    capture_pb2_grpc.add_CaptureServiceServicer_to_server(_Everything(), server)  # type: ignore[abstract]
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    yield bound
    server.stop(None).wait()


def capture_all(client: burgee.Client, count: int) -> list[float]:
    """Capture so many events, as fast as the queue takes them. How long each call took, in microseconds."""
    took = []
    for number in range(count):
        while client.stats.queued >= 90_000:
            time.sleep(0.001)
        began = time.perf_counter()
        client.capture(
            "report_created",
            f"user-{number % 50_000}",
            {"plan": "pro", "pages": number % 97, "seconds": number * 0.25, "source": "import", "beta": True},
            company=f"company-{number % 5_000}",
            team=f"team-{number % 100}",
        )
        took.append((time.perf_counter() - began) * 1e6)
    return took


def one_by_one(client: burgee.Client) -> float:
    """Seconds from the capture of a single event to the end of a flush, median of 100."""
    took = []
    for _ in range(100):
        began = time.perf_counter()
        client.capture("report_created", "ann")
        assert client.flush(60)
        took.append(time.perf_counter() - began)
    return median(took)


def line(name: str, count: int, seconds: float, took: list[float] | None) -> None:
    """A row of the table."""
    calls = "" if took is None else f"{median(took):>12.1f}{sorted(took)[len(took) * 99 // 100]:>12.1f}"
    print(f"{name:<44}{count / seconds:>12,.0f}{calls}")


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    print(f"{'':<44}{'events/s':>12}{'capture µs':>12}{'p99':>12}")
    alone: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as scratch:
        with acknowledging() as port:
            for name, spool in (("acknowledged, in memory", None), ("acknowledged, with a spool", Path(scratch))):
                with burgee.Client(f"127.0.0.1:{port}", KEY, spool=spool) as client:
                    began = time.perf_counter()
                    took = capture_all(client, count)
                    assert client.flush(600)
                    line(name, count, time.perf_counter() - began, took)
                    alone[name] = one_by_one(client)
        client = burgee.Client(f"127.0.0.1:{port}", KEY, spool=scratch)
        began = time.perf_counter()
        took = capture_all(client, count)
        while client.stats.queued:
            time.sleep(0.001)
        line("on the disk, server away", count, time.perf_counter() - began, took)
        client.close(0)
        written = sum(path.stat().st_size for path in Path(scratch).rglob("*.events"))
        with acknowledging(port), burgee.Client(f"127.0.0.1:{port}", KEY, spool=scratch) as client:
            began = time.perf_counter()
            assert client.flush(600)
            line("found and acknowledged by the next process", count, time.perf_counter() - began, None)
        print(f"{written / count:.0f} bytes an event on the disk")
        print("one event, from capture to its acknowledgement, median:")
        for name, seconds in alone.items():
            print(f"    {name}: {seconds * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
