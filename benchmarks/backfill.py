"""Ten million events in by `burgee import`, and out by `burgee export`: `python -m benchmarks.backfill [EVENTS]`.

Commands and server share the machine. Each event has five properties and two groups. An import is interrupted half-way
and taken up again; its time to get back to where it was is taken by one that has nothing left to do.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import burgee
from benchmarks.server import KEY, Measured, serving

EVENTS = 10_000_000
DAYS = 90


@dataclass
class Run:
    """A command that has ended."""

    answer: Any
    code: int
    seconds: float
    cpu_seconds: float
    """Of the command."""
    server_cpu_seconds: float
    memory_mb: list[float]
    """Of the command, a sample every half second."""
    server_mb: float
    """Of the server, the most."""


def write_events(path: Path, count: int) -> None:
    """So many events as NDJSON."""
    chance = random.Random(1)
    plans = ("free", "team", "business", "enterprise")
    begin = int(time.time()) - DAYS * 86_400
    with path.open("w", buffering=1 << 20) as file:
        for number in range(count):
            company = chance.randrange(5_000)
            at = begin + chance.randrange(DAYS * 86_400)
            file.write(
                f'{{"event": "event_{number % 20}", "distinct_id": "user-{chance.randrange(200_000)}",'
                f' "timestamp": {at}.{number % 1_000_000:06}, "groups": {{"company": "company-{company}",'
                f' "team": "team-{company}-{number % 5}"}}, "properties": {{"plan": "{plans[company % 4]}",'
                f' "pages": {number % 97}, "seconds": {number % 1200 / 4}, "source": "import",'
                f' "beta": {"true" if number % 3 == 0 else "false"}}},'
                f' "uuid": "{uuid.UUID(int=chance.getrandbits(128), version=4)}"}}\n'
            )


def run(server: Measured, *arguments: str, interrupt_after: float | None = None) -> Run:
    """A command, to its end or to Ctrl-C."""
    environment = {**os.environ, "BURGEE_TARGET": server.target, "BURGEE_API_KEY": KEY}
    server.forget_peak()
    began, cpu, server_cpu = time.perf_counter(), _cpu_of_children(), server.cpu_seconds()
    command = subprocess.Popen(
        [sys.executable, "-m", "burgee_server", *arguments, "--json"], stdout=subprocess.PIPE, env=environment
    )
    memory: list[float] = []
    interrupted = False
    ended = threading.Event()

    def watch() -> None:
        nonlocal interrupted
        while not ended.wait(0.5):
            memory.append(_resident_mb(command.pid))
            if interrupt_after and not interrupted and time.perf_counter() - began > interrupt_after:
                interrupted = True
                command.send_signal(signal.SIGINT)

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed, _ = command.communicate()
    ended.set()
    watcher.join()
    return Run(
        json.loads(printed),
        command.returncode,
        time.perf_counter() - began,
        _cpu_of_children() - cpu,
        server.cpu_seconds() - server_cpu,
        memory,
        server.peak_mb(),
    )


def _cpu_of_children() -> float:
    """Processor time of every command that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def queryable(server: Measured, count: int) -> float:
    """Seconds until so many events can be queried."""
    began = time.perf_counter()
    with burgee.Client(server.target, KEY, query_timeout=120) as client:
        while client.trend(start=f"-{DAYS + 2}d").rows[0].total < count:
            time.sleep(0.5)
    return time.perf_counter() - began


def _export_beside(server: Measured, path: Path, ended: threading.Event) -> None:
    run(server, "export", str(path))
    ended.set()


def trend_seconds(server: Measured, meanwhile: threading.Event | None = None) -> list[float]:
    """Seconds that a trend over all events takes, in order: a few times, or for as long as something else goes on."""
    took: list[float] = []
    with burgee.Client(server.target, KEY, query_timeout=120) as client:
        while len(took) < 7 or (meanwhile and not meanwhile.is_set()):
            began = time.perf_counter()
            client.trend(measure="unique_users", start=f"-{DAYS + 2}d")
            took.append(time.perf_counter() - began)
    return sorted(took)


def report(name: str, done: Run, events: int) -> None:
    """A line of the table: processor time an event, memory of the command after a quarter of its time and at most."""
    quarter = done.memory_mb[len(done.memory_mb) // 4] if done.memory_mb else 0.0
    cells = (
        f"{events:>12,}{done.seconds:>9.1f}{events / done.seconds:>10,.0f}",
        f"{done.cpu_seconds / events * 1e6:>7.1f}{done.server_cpu_seconds / events * 1e6:>8.1f}",
        f"{quarter:>7,.0f}{max(done.memory_mb, default=0):>6,.0f}{done.server_mb:>8,.0f}",
    )
    print(f"{name:<28}{''.join(cells)}", flush=True)


def _print_trend(when: str, took: list[float]) -> None:
    print(f"users a day, {when}: median {took[len(took) // 2]:.2f} s, most {took[-1]:.2f} s", flush=True)


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory(prefix="burgee-backfill-") as scratch:
        events, parquet, lines = (Path(scratch) / name for name in ("e.ndjson", "out.parquet", "out.ndjson"))
        write_events(events, count)
        print(f"{events.stat().st_size / 1e9:.2f} GB of NDJSON")
        print(f"{'':<28}{'':>31}{'µs CPU an event':>15}{'MB: at ¼, most, server':>23}")
        with serving() as server:
            whole = run(server, "import", str(events))
            assert whole.answer["accepted"] == count, whole.answer
            report("import NDJSON", whole, count)
            print(f"queryable {queryable(server, count):.1f} s later")
            again = run(server, "import", str(events))
            assert again.answer["duplicate"] == count, again.answer
            report("the same again", again, count)
            _print_trend("alone", trend_seconds(server))
            for name, path in (("export Parquet", parquet), ("export NDJSON", lines)):
                exported = run(server, "export", str(path))
                assert exported.answer["events"] == count, exported.answer
                report(name, exported, count)
                print(f"{path.stat().st_size / 1e9:.2f} GB")
            beside = threading.Event()
            exporting = threading.Thread(target=_export_beside, args=(server, lines, beside))
            exporting.start()
            _print_trend("beside an export", trend_seconds(server, beside))
            exporting.join()
        with serving() as server:
            first = run(server, "import", str(parquet), interrupt_after=whole.seconds / 2)
            there = first.answer["accepted"]
            assert first.code == 130, first
            report("import Parquet, interrupted", first, there)
            rest = run(server, "import", str(parquet))
            assert rest.answer["accepted"] + rest.answer["duplicate"] == count, rest.answer
            report("… taken up again", rest, count - there)
            queryable(server, count)
            with burgee.Client(server.target, KEY, query_timeout=120) as client:
                assert client.trend(start=f"-{DAYS + 2}d").rows[0].total == count


if __name__ == "__main__":
    main()
