"""Capture at five times what the server can take, with flag checks beside it.

`python -m benchmarks.overload [ROUNDS [TRANSPORT]]`: 8, and grpcio, or native.

A batch of 1,000 events, five properties and two groups each, is sent over and over by h2load (Debian: nghttp2-client);
the server makes the uuids. The peak is taken with a few batches on their way at a time; then five times as many are
sent, each when its time has come, whatever became of those before. The two take turns of a few seconds, and each goes
first every other time: a machine that others use is of a different speed a minute later. What was acknowledged is
told by the size of the answers, and compared with what can be queried at the end.

Flag checks come from a process of their own, one every five milliseconds, and go in turn to that server and to an idle
one beside it, at the peak as in the overload: what the idle one is slower by is the machine's doing, which all of them
share. Those that send step back for the servers.
"""

import asyncio
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc

import burgee
from benchmarks.serve import EVALUATE, flag, framed
from benchmarks.server import KEY, Call, Measured, serving
from benchmarks.sustain import BATCH, METADATA, METHOD, batches, percentile
from burgee.v1 import capture_pb2, flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

ROUNDS = 8
SECONDS = 3
AT_ONCE = (4, 8, 16)
TIMES = 5
CONNECTIONS = 4
PROBE_SECONDS = 0.005
ANSWER_BYTES = 5 + capture_pb2.CaptureResponse(accepted=BATCH).ByteSize()
"""What is sent back of a batch that was taken: gRPC's five bytes and the message."""


@dataclass(frozen=True)
class Taken:
    """What became of batches: acknowledged events, and the share of calls that were turned away."""

    events: int
    turned_away: float

    @property
    def rate(self) -> float:
        """Acknowledged events a second."""
        return self.events / SECONDS


def flood(target: str, body: Path, *options: str) -> Taken:
    """Send for so many seconds. Who is turned away is answered without a message."""
    headers = ["-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: Bearer {KEY}"]
    command = ["nice", "-n", "10", "h2load", "-D", str(SECONDS), *options, "-d", str(body), *headers]
    done = subprocess.run([*command, f"http://{target}{METHOD}"], capture_output=True, text=True, check=True)
    found = re.search(r"requests: \d+ total, \d+ started, (\d+) done, .* \((\d+)\) data", done.stdout, re.DOTALL)
    assert found is not None, done.stdout
    answered, data = map(int, found.groups())
    taken = data // ANSWER_BYTES
    return Taken(taken * BATCH, 1 - taken / answered)


def stored(client: burgee.Client) -> int:
    """How many events there are, those that were acknowledged by now included."""
    now = time.time()
    while True:
        answer = client.trend(start="-60d")
        if answer.info.complete_until.timestamp() >= now:
            return int(answer.rows[0].total)
        time.sleep(0.2)


async def _probe(targets: Sequence[str], seconds: float) -> list[list[float]]:
    """Seconds of flag checks at each of these servers, in turn."""
    context = flags_pb2.EvaluationContext(distinct_id="ann", groups={"company": "globex"})
    body = flags_pb2.EvaluateRequest(flag_key="beta", context=context).SerializeToString()
    took: list[list[float]] = [[] for _ in targets]
    channels = [grpc.aio.insecure_channel(target) for target in targets]
    calls: list[Call] = [channel.unary_unary(EVALUATE) for channel in channels]
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for call, seen in zip(calls, took, strict=True):
            began = time.perf_counter()
            await call(body, metadata=METADATA, timeout=30)
            seen.append(time.perf_counter() - began)
            await asyncio.sleep(PROBE_SECONDS)
    for channel in channels:
        await channel.close()
    return took


def probe(targets: Sequence[str], seconds: float) -> list[list[float]]:
    """Run in a process of its own."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_probe(targets, seconds))


def prepare(server: Measured) -> burgee.Client:
    """A client of a server with a company and a flag."""
    client = burgee.Client(server.target, KEY)
    client.group("company", "globex", {"plan": "enterprise", "seats": 250})
    assert client.flush()
    create = flag_admin_pb2.CreateFlagRequest(flag=flag("beta", rollout=30_000))
    client.stub(FlagAdminServiceStub).CreateFlag(create)
    return client


def main() -> None:
    """Print the tables."""
    if shutil.which("h2load") is None:
        print("left out: it needs h2load (Debian: nghttp2-client)")
        return
    spawn = multiprocessing.get_context("spawn")
    checks: dict[str, list[list[float]]] = {
        "nobody else there": [],
        "peak, server": [],
        "peak, idle server": [],
        "overload, server": [],
        "overload, idle server": [],
    }
    peaks: list[Taken] = []
    loaded: list[Taken] = []
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    transport = sys.argv[2] if len(sys.argv) > 2 else "grpcio"
    with (
        serving(transport=transport) as server,
        serving(transport=transport) as idle,
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(1, mp_context=spawn) as processes,
        prepare(server) as client,
        prepare(idle),
    ):
        body = framed(batches(1, BATCH)[0], Path(scratch) / "batch")
        tried = {n: flood(server.target, body, "-c", "1", "-m", str(n)) for n in AT_ONCE}
        best = max(tried, key=lambda n: tried[n].events)
        print(", ".join(f"{n} at once {taken.rate:,.0f} events/s" for n, taken in tried.items()))
        a_second = max(TIMES * tried[best].rate / BATCH / CONNECTIONS, 1)

        def probed(name: str, *options: str) -> Taken:
            probing = processes.submit(probe, [server.target, idle.target], SECONDS)
            taken = flood(server.target, body, *options)
            for whose, took in zip(("server", "idle server"), probing.result(), strict=True):
                checks[f"{name}, {whose}"].append(took)
            return taken

        def peak() -> None:
            peaks.append(probed("peak", "-c", "1", "-m", str(best)))

        def overload() -> None:
            loaded.append(probed("overload", "-c", str(CONNECTIONS), "-m", "1000", "--rps", f"{a_second:.0f}"))

        for number in range(rounds):
            stored(client)
            checks["nobody else there"] += processes.submit(probe, [server.target], SECONDS).result()
            for turn in (peak, overload) if number % 2 else (overload, peak):
                turn()
        counted, acknowledged = stored(client), sum(taken.events for taken in (*tried.values(), *peaks, *loaded))
        memory = server.peak_mb()
    print(f"\n{'round':<10}{'peak':>12}{'accepted':>12}{'to peak':>10}{'turned away':>14}")
    ratios = [taken.events / highest.events for highest, taken in zip(peaks, loaded, strict=True)]
    for number, (highest, taken, ratio) in enumerate(zip(peaks, loaded, ratios, strict=True), 1):
        print(f"{number:<10}{highest.rate:>12,.0f}{taken.rate:>12,.0f}{ratio:>10.2f}{taken.turned_away:>14.1%}")
    of_all = sum(taken.events for taken in loaded) / sum(highest.events for highest in peaks)
    print(f"to peak: median {statistics.median(ratios):.2f}, of all events {of_all:.2f}")
    print(f"acknowledged {acknowledged:,} events, stored {counted:,}; memory of the server: {memory:,.0f} MB at most")
    print(f"\n{'a flag check, ms':<28}{'p50':>8}{'p99':>8}{'most':>8}  p99 of each round")
    for name, of_rounds in checks.items():
        took = [seconds for seen in of_rounds for seconds in seen]
        told = ", ".join(f"{percentile(seen, 0.99):.1f}" for seen in of_rounds)
        print(f"{name:<28}{percentile(took, 0.5):>8.2f}{percentile(took, 0.99):>8.2f}{max(took) * 1e3:>8.1f}  {told}")


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
