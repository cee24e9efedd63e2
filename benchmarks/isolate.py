"""Refused events beside good ones: `python -m benchmarks.isolate [SECONDS]`.

A house in this process. Batches of a thousand events go past the door into the journal, ten a second, some events of
each such as the warehouse refuses. Meanwhile a single good event goes in, again and again, and the time until a
query counts it is taken; the same for the good events beside the refused ones.
"""

import asyncio
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from burgee_server.bootstrap import build
from burgee_server.house import House
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.quarantine import Selection
from burgee_server.ports.warehouse import Statement
from burgee_server.settings import Settings
from burgee_server.storage.directory import DataDirectory

SECONDS = 20.0
BATCH = 1_000
EVERY = 0.1
GOOD, BAD = b'{"plan": "pro", "pages": 3}', b'{"plan": '


def batch(name: str, refused_every: int) -> tuple[bytes, int]:
    """A serialized batch of good events with this name, but for each so many-th; and how many good ones."""
    stored, good = StoredBatch(), 0
    now = time.time_ns() // 1000
    for number in range(BATCH):
        is_bad = bool(refused_every) and number % refused_every == 0
        stored.events.add(
            uuid=str(uuid.uuid4()).encode(),
            event=name.encode(),
            distinct_id=b"ann",
            properties_json=BAD if is_bad else GOOD,
            timestamp_micros=now,
            environment_id=1,
            received_at_micros=now,
        )
        good += not is_bad
    return stored.SerializeToString(), good


async def arrival(house: House, append: Callable[[], Awaitable[tuple[str, int]]]) -> float:
    """Seconds from the acknowledgement of events until a query counts them."""
    name, count = await append()
    acknowledged = time.perf_counter()
    asked = Statement("SELECT count() FROM events FINAL WHERE environment_id = 1 AND event = {n:String}", {"n": name})
    while int((await house.stores.warehouse.query(asked)).rows[0][0]) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return time.perf_counter() - acknowledged


async def measure(house: House, refused_every: int, seconds: float) -> tuple[list[float], list[float]]:
    """Arrivals of single events, and of the good events of the batches."""
    beside: list[asyncio.Task[float]] = []

    async def whole() -> tuple[str, int]:
        name = uuid.uuid4().hex
        payload, good = batch(name, refused_every)
        await house.stores.journal.append(1, "", payload, BATCH)
        return name, good

    async def single() -> tuple[str, int]:
        name = uuid.uuid4().hex
        stored = StoredBatch.FromString(batch(name, 0)[0])
        del stored.events[1:]
        await house.stores.journal.append(1, "", stored.SerializeToString(), 1)
        return name, 1

    async def feed() -> None:
        while True:
            await whole()
            await asyncio.sleep(EVERY)

    feeding = asyncio.create_task(feed())
    alone, ends = [], time.perf_counter() + seconds
    while time.perf_counter() < ends:
        beside.append(asyncio.create_task(arrival(house, whole)))
        alone.append(await arrival(house, single))
        await asyncio.sleep(EVERY)
    feeding.cancel()
    return sorted(alone), sorted(await asyncio.gather(*beside))


async def run(seconds: float) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as data:
        os.chdir(data)
        directory = DataDirectory(Path(data))
        house = await build(directory, Settings(data=Path(data)))
        await house.administration.begin("the-key-of-the-benchmarks")
        work = asyncio.create_task(house.work.run())
        print(f"{'seconds from acknowledged to queryable':<44}{'events':>8}{'median':>8}{'p99':>8}{'most':>8}")
        for refused_every in (0, BATCH, 10, 2):
            told = f"{refused_every and BATCH // refused_every:,} of {BATCH:,} are refused"
            for whose, waits in zip(("single", "beside"), await measure(house, refused_every, seconds), strict=True):
                p99 = waits[int(0.99 * (len(waits) - 1))]
                median = waits[len(waits) // 2]
                print(f"{told + ', ' + whose:<44}{len(waits):>8}{median:>8.2f}{p99:>8.2f}{waits[-1]:>8.2f}", flush=True)
        kept = await house.stores.quarantine.remove(1, Selection())
        print(f"in quarantine: {kept:,}")
        house.work.stop()
        await work
        await house.close()
        directory.release()


def main() -> None:
    """Run it."""
    asyncio.run(run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))


if __name__ == "__main__":
    main()
