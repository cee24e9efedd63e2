"""Does loading slow down as a warehouse grows? `python -m benchmarks.grow DIRECTORY [EVENTS]`, 100 million by default.

A year of events goes into the directory in the loader's way, range by range. After every ten million, the same
batches go in turns into this warehouse and into one that began empty; each stands still, merges included, while the
other has its turn, so that a busy machine slows both. The directory stays, and another run goes on where one was cut
short.
"""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.year import BATCH, Year
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse

EVENTS = 100_000_000
STEP = 10_000_000
TURNS = 4
TURN_BATCHES = 10
"""Half a million events: long enough for merges to have their share."""
SETTLED_SECONDS = 15
"""Without a merge."""


@dataclass(frozen=True)
class Row:
    """What was seen at a size: events a second, into this warehouse and into an empty one."""

    events: int
    here: float
    empty: float
    gigabytes: float


class Loading:
    """A process with one warehouse, which stands still but for its turns."""

    def __init__(self, directory: Path, events: int) -> None:
        command = [sys.executable, "-m", "benchmarks.grow", "--load", str(directory), str(events)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = events
        self.batches = int(self._answer())
        """How many batches are there."""
        self._process.send_signal(signal.SIGSTOP)

    def load(self, first: int, count: int) -> float:
        """Load batches; how many seconds that took."""
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None
        print(first, count, file=self._process.stdin, flush=True)
        seconds = float(self._answer())
        self._process.send_signal(signal.SIGSTOP)
        return seconds

    def close(self) -> None:
        """End in order."""
        self._process.send_signal(signal.SIGCONT)
        self._process.communicate(timeout=300)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "a loading process ended"
        return line


async def load_as_told(directory: Path, events: int) -> None:
    """The other side of Loading."""
    os.chdir(directory)
    warehouse = await ClickHouseWarehouse.open(f"chdb://{directory / 'events'}")
    there = (await warehouse.query(Statement("SELECT count() FROM events"))).rows[0][0]
    year = Year(events)
    done = there // BATCH
    await settled(warehouse)
    print(done, flush=True)
    again = there % BATCH > 0
    for line in sys.stdin:
        first, count = map(int, line.split())
        payloads = [year.batch(number) for number in range(first, first + count)]
        started = time.perf_counter()
        for payload in payloads:
            await warehouse.load(payload, again=again)
            again = False
        print(time.perf_counter() - started, flush=True)
    await warehouse.close()


async def settled(warehouse: ClickHouseWarehouse) -> None:
    """Wait for what an earlier run has left to merge: its months have become old, and each becomes one part."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < SETTLED_SECONDS:
        if (await warehouse.query(Statement("SELECT count() FROM system.merges"))).rows[0][0]:
            quiet_since = time.monotonic()
        await asyncio.sleep(1)


@contextmanager
def loading(directory: Path, events: int) -> Iterator[Loading]:
    """A process that loads into this directory."""
    directory.mkdir(parents=True, exist_ok=True)
    process = Loading(directory, events)
    try:
        yield process
    finally:
        process.close()


def compare(here: Loading, first: int, directory: Path) -> Row:
    """Load the batches from `first` here and into an empty warehouse, in turns."""
    rates = []
    with (
        tempfile.TemporaryDirectory(prefix="empty-", dir=directory) as empty,
        loading(Path(empty), here.events) as other,
    ):
        for at in range(first, first + TURNS * TURN_BATCHES, TURN_BATCHES):
            rates.append([TURN_BATCHES * BATCH / each.load(at, TURN_BATCHES) for each in (here, other)])
    rate, of_empty = (statistics.median(each) for each in zip(*rates, strict=True))
    return Row(first * BATCH, rate, of_empty, gigabytes(directory / "events"))


def grow(directory: Path, events: int) -> list[Row]:
    """Fill the directory, and compare at every step that was not seen yet."""
    seen = directory / "grow.jsonl"
    rows = [Row(**json.loads(line)) for line in seen.read_text().splitlines()] if seen.exists() else []
    last = events // BATCH - TURNS * TURN_BATCHES
    steps = {*range(0, last, STEP // BATCH), last}
    with loading(directory, events) as here:
        at = here.batches
        if at > last and not any(row.events >= last * BATCH for row in rows):
            steps.add(at)  # the last comparison was cut short
        while at * BATCH < events:
            if at not in steps:
                here.load(at, 1)
                at += 1
                continue
            rows.append(compare(here, at, directory))
            with seen.open("a") as file:
                print(json.dumps(asdict(rows[-1])), file=file)
            print(f"{time.strftime('%H:%M:%S')} {rows[-1]}", file=sys.stderr, flush=True)
            at += TURNS * TURN_BATCHES
    return rows


def gigabytes(directory: Path) -> float:
    """What the files of a directory take, those that several parts share once."""
    files = {}
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):  # merged away meanwhile
            status = path.lstat()
            files[status.st_ino] = status.st_blocks * 512
    return sum(files.values()) / 1e9


def main() -> None:
    """The command."""
    if sys.argv[1] == "--load":
        asyncio.run(load_as_told(Path(sys.argv[2]), int(sys.argv[3])))
        return
    directory = Path(sys.argv[1]).resolve()
    rows = grow(directory, int(sys.argv[2]) if len(sys.argv) > 2 else EVENTS)
    print(f"{'events':>14}{'events/s here':>16}{'empty':>12}{'ratio':>8}{'GB':>8}")
    for row in rows:
        ratio = row.here / row.empty
        print(f"{row.events:>14,}{row.here:>16,.0f}{row.empty:>12,.0f}{ratio:>8.2f}{row.gigabytes:>8.1f}")


if __name__ == "__main__":
    main()
