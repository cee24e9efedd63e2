"""Capture at five times what the server can take, with flag checks beside it: `python -m benchmarks.overload`.

A batch of 1,000 events, five properties and two groups each, is sent over and over by h2load (Debian: nghttp2-client);
the server makes the uuids. The peak is taken with a few batches on their way at a time; then five times as many are
sent, each when its time has come, whatever became of those before. Flag checks come from a process of their own, one
every five milliseconds, and go in turn to that server and to an idle one beside it: what the idle one is slower by is
the machine's doing, which all of them share. Three rounds; those that send step back for the servers.
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
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

ROUNDS = 3
SECONDS = 8
AT_ONCE = (4, 8, 16)
TIMES = 5
CONNECTIONS = 4
PROBE_SECONDS = 0.005


@dataclass(frozen=True)
class Taken:
    """What became of batches: acknowledged events a second, and the share of calls that were turned away."""

    rate: float
    turned_away: float


def flood(client: burgee.Client, target: str, body: Path, *options: str) -> Taken:
    """Send for so many seconds; what was acknowledged is what can be queried afterwards."""
    before = stored(client)
    headers = ["-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: Bearer {KEY}"]
    command = ["nice", "-n", "10", "h2load", "-D", str(SECONDS), *options, "-d", str(body), *headers]
    done = subprocess.run([*command, f"http://{target}{METHOD}"], capture_output=True, text=True, check=True)
    found = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded", done.stdout)
    assert found is not None, done.stdout
    accepted = stored(client) - before
    return Taken(accepted / SECONDS, 1 - accepted / BATCH / int(found[2]))


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
        "overload, server": [],
        "overload, idle server": [],
    }
    peaks, loaded = [], []
    with (
        serving() as server,
        serving() as idle,
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(1, mp_context=spawn) as processes,
        prepare(server) as client,
        prepare(idle),
    ):
        body = framed(batches(1, BATCH)[0], Path(scratch) / "batch")
        rates = {n: flood(client, server.target, body, "-c", "1", "-m", str(n)).rate for n in AT_ONCE}
        best = max(rates, key=lambda n: rates[n])
        print(", ".join(f"{n} at once {rate:,.0f} events/s" for n, rate in rates.items()))
        for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS):
            checks["nobody else there"] += processes.submit(probe, [server.target], SECONDS).result()
            peaks.append(flood(client, server.target, body, "-c", "1", "-m", str(best)).rate)
            a_second = max(TIMES * max(peaks) / BATCH / CONNECTIONS, 1)
            probing = processes.submit(probe, [server.target, idle.target], SECONDS)
            paced = ("-c", str(CONNECTIONS), "-m", "1000", "--rps", f"{a_second:.0f}")
            loaded.append(flood(client, server.target, body, *paced))
            of_server, of_idle = probing.result()
            checks["overload, server"].append(of_server)
            checks["overload, idle server"].append(of_idle)
        memory = server.peak_mb()
    print(f"\n{'round':<10}{'peak':>12}{'accepted':>12}{'to peak':>10}{'turned away':>14}")
    for number, (peak, taken) in enumerate(zip(peaks, loaded, strict=True), 1):
        print(f"{number:<10}{peak:>12,.0f}{taken.rate:>12,.0f}{taken.rate / peak:>10.2f}{taken.turned_away:>14.1%}")
    print(f"memory of the server: {memory:,.0f} MB at most")
    print(f"\n{'a flag check, ms':<28}{'p50':>8}{'p99':>8}{'most':>8}{'p99 of each round':>28}")
    for name, rounds in checks.items():
        p99s = [percentile(took, 0.99) for took in rounds]
        told = ", ".join(f"{p99:.1f}" for p99 in p99s)
        p50 = statistics.median(percentile(took, 0.5) for took in rounds)
        most = max(max(took) for took in rounds) * 1e3
        print(f"{name:<28}{p50:>8.2f}{statistics.median(p99s):>8.2f}{most:>8.1f}{told:>28}")


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
