"""A client with 10,000 flags and 50,000 companies: its memory, and how soon it answers: `python -m benchmarks.large`.

Server and client are two processes on the same machine. The first client finds a server that has just started and has
read nothing; those after it, one that has. Each is a fresh process: memory is what it holds more, all told, than before
it made a client, with burgee and grpc imported; time runs from `Client()` to the first answer from its own memory.

"At most" is with every flag compiled, which the first `all_flags` does. A change is the call of UpdateFlag; "and see
it" runs from its answer until the client's memory has it.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

import burgee
from benchmarks.filled import put_product
from benchmarks.product import PASSED
from benchmarks.server import KEY, serving
from burgee.v1 import flag_admin_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

FLAGS = 10_000
COMPANIES = 50_000
CLIENTS = 4
TIMEOUT = 120.0


def resident_mb() -> float:
    """Memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb() -> float:
    """The most memory that this process has held; what getrusage tells is its parent's, if that was more."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1e3


def answer(target: str) -> None:
    """Be a client, and print what that took."""
    before = resident_mb()
    began = perf_counter()
    client = burgee.Client(target, KEY, flag_timeout=TIMEOUT)
    first = client.resolve("flag-52", "ann", company="company-3")
    seconds = perf_counter() - began
    assert (first.variant, first.reason) in {("on", "SPLIT"), ("off", "DEFAULT")}, first
    answered = resident_mb()
    calls = [milliseconds(lambda: client.all_flags("ann", properties=PASSED, company="company-3")) for _ in range(2)]
    admin = client.stub(FlagAdminServiceStub)
    changed = admin.GetFlag(flag_admin_pb2.GetFlagRequest(flag_key="flag-52")).flag

    def change() -> None:
        changed.version = admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=changed)).flag.version

    def arrive() -> None:
        while client.resolve("flag-52", company="company-3").flag_version != changed.version:
            sleep(0.0005)

    calls += [milliseconds(change), milliseconds(arrive)]
    print(f"{seconds:.2f}", *(f"{number:.0f}" for number in (answered - before, peak_mb() - before, *calls)))
    client.close()


def milliseconds(done: Callable[[], object]) -> float:
    """How long something takes."""
    began = perf_counter()
    done()
    return (perf_counter() - began) * 1e3


def main() -> None:
    """Print the table."""
    if len(sys.argv) > 1:
        return answer(sys.argv[1])
    print(f"{FLAGS:,} flags, {COMPANIES:,} companies\n")
    print("| client | s to first answer | MB added | MB at most | ms: all_flags | again | change a flag | and see it |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with serving(partial(put_product, FLAGS, COMPANIES)) as server:
        for number in range(1, CLIENTS + 1):
            command = [sys.executable, "-m", "benchmarks.large", server.target]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            print(f"| {number} | {' | '.join(told)} |", flush=True)
        print(f"\nThe server holds {server.resident_mb():.0f} MB.")
    return None


if __name__ == "__main__":
    main()
