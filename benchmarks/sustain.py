"""How much a server takes in for a minute, and how long others wait.

`python -m benchmarks.sustain [SECONDS [TRANSPORT]]`: 60, and grpcio, or native.

Batches of 1,000 events, five properties and two groups each, encoded beforehand and sent as they are under a new
batch_id, by a process that shares the two cores with the server: as many as are answered, and, if those are more than
the aim asks for, as many as it does. Then half that load, or half of the aim if that is less, with batches of 100 and
of one in between: by itself, and beside questions without a pause for whether what was just acknowledged is there. The
floor is what chDB takes of the same bytes, in one process with nothing around it.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import UUID

import grpc
import msgspec

from benchmarks.server import KEY, Call, serving
from burgee.v1 import capture_pb2, common_pb2, trend_pb2
from burgee.v1.insights_pb2_grpc import InsightServiceStub
from burgee_server.capture import TimeWindow
from burgee_server.capture.admission import admit
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch
from burgee_server.storage.clickhouse import ClickHouseWarehouse

SECONDS = 60.0
BATCH = 1_000
DIFFERENT = 100
"""How many batches are encoded; they are sent in turn, each time as new events."""
IN_FLIGHT = 4
AIM = 100_000
"""Events a second. A server that acknowledges more is not given more than half of this, when others wait beside it."""
SENT = 102_000
"""What is sent a second, in a minute of its own, to a server that acknowledges more: it does not have to do better."""
RANGE = 50_000
"""Events, at most, that the loader hands on at a time."""
METADATA = (("authorization", f"Bearer {KEY}"),)
METHOD = "/burgee.v1.CaptureService/Capture"


def batches(count: int, size: int, seed: int = 1) -> list[bytes]:
    """Serialized CaptureRequests without batch_id, of events without uuid."""
    chance = random.Random(seed)
    plans = ("free", "team", "business", "enterprise")
    now = time.time()
    return [
        capture_pb2.CaptureRequest(
            events=[
                capture_pb2.Event(
                    event=f"event_{number % 20}",
                    distinct_id=f"user-{chance.randrange(200_000)}",
                    groups={
                        "company": f"company-{(company := chance.randrange(5_000))}",
                        "team": f"team-{number % 50}",
                    },
                    properties_json=msgspec.json.encode(
                        {
                            "plan": plans[company % 4],
                            "pages": number % 97,
                            "seconds": number * 0.25 % 300,
                            "source": "load",
                            "beta": number % 3 == 0,
                        }
                    ).decode(),
                    timestamp_micros=int((now - chance.random() * 30 * 86_400) * 1e6),
                )
                for number in range(size)
            ]
        ).SerializeToString()
        for _ in range(count)
    ]


@dataclass
class Load:
    """What was sent and answered."""

    acknowledged: int = 0
    turned_away: int = 0
    seconds: list[float] = field(default_factory=list)


class Sender:
    """Sends serialized batches, each time under a new batch_id."""

    def __init__(self, channel: grpc.aio.Channel, encoded: list[bytes], size: int) -> None:
        self._call: Call = channel.unary_unary(METHOD)
        self._encoded = encoded
        self._size = size
        self._number = random.getrandbits(100) << 20

    async def send(self, load: Load) -> None:
        """Send one batch; one that is turned away is not sent again."""
        self._number += 1
        identity = capture_pb2.CaptureRequest(batch_id=str(UUID(int=self._number))).SerializeToString()
        body = self._encoded[self._number % len(self._encoded)] + identity
        began = time.perf_counter()
        try:
            answer = capture_pb2.CaptureResponse.FromString(await self._call(body, metadata=METADATA, timeout=30))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            load.turned_away += self._size
            await asyncio.sleep(0.05)
            return
        load.seconds.append(time.perf_counter() - began)
        load.acknowledged += answer.accepted


async def flood(sender: Sender, seconds: float) -> Load:
    """Keep a few batches on their way for so long."""
    load = Load()
    end = time.perf_counter() + seconds

    async def keep_sending() -> None:
        while time.perf_counter() < end:
            await sender.send(load)

    await asyncio.gather(*(keep_sending() for _ in range(IN_FLIGHT)))
    return load


async def pace(sender: Sender, batches_a_second: float, end: float, load: Load) -> None:
    """Send batches at times fixed beforehand, whatever became of those before."""
    began, tasks, number = time.perf_counter(), set(), 0
    while (due := began + number / batches_a_second) < end:
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        tasks.add(task := asyncio.create_task(sender.send(load)))
        task.add_done_callback(tasks.discard)
        number += 1
    await asyncio.gather(*tasks)


async def counted(stub: Any, event: str = "") -> int:
    """How many events a query counts."""
    request = trend_pb2.QueryTrendRequest(
        series=[trend_pb2.TrendSeries(event=event)], range=common_pb2.TimeRange(start="-60d", end="now")
    )
    return int((await stub.QueryTrend(request, metadata=METADATA)).rows[0].total)


async def loaded(stub: Any) -> None:
    """Wait until what was acknowledged by now is loaded; a count of all would take the processor from the loader."""
    now = time.time()
    request = trend_pb2.QueryTrendRequest(
        series=[trend_pb2.TrendSeries(event="fresh")], range=common_pb2.TimeRange(start="-1d", end="now")
    )
    while (await stub.QueryTrend(request, metadata=METADATA)).info.complete_until.ToDatetime(UTC).timestamp() < now:  # noqa: ASYNC110 - another process's doing
        await asyncio.sleep(0.2)


async def freshness(channel: grpc.aio.Channel, rounds: int) -> list[float]:
    """Seconds from an event's acknowledgement until a query counts it."""
    capture: Call = channel.unary_unary(METHOD)
    stub, waits = InsightServiceStub(channel), []
    for number in range(1, rounds + 1):
        event = capture_pb2.Event(event="fresh", distinct_id="ann")
        await capture(capture_pb2.CaptureRequest(events=[event]).SerializeToString(), metadata=METADATA)
        acknowledged = time.perf_counter()
        while await counted(stub, "fresh") < number:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)
        waits.append(time.perf_counter() - acknowledged)
    return waits


def ranges(encoded: list[bytes], events: int) -> list[bytes]:
    """The same batches as the loader hands them on, so many events each."""
    stored = []
    for raw in encoded:
        batch = ArrivingBatch.FromString(raw)
        stored.append(admit(batch, 1, int(time.time() * 1e6), TimeWindow(24.0, None), frozenset()).payload)
    per_range = events // BATCH
    return [b"".join(stored[first : first + per_range]) for first in range(0, len(stored), per_range)]


async def floor(encoded: list[bytes], seconds: float) -> float:
    """Events a second that chDB takes of the same bytes, in ranges as the loader makes them, and nothing else."""
    payloads = ranges(encoded, RANGE)
    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as directory:
        warehouse = await ClickHouseWarehouse.open(f"chdb://{directory}/events")
        began, loaded = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            await warehouse.load(payloads[loaded % len(payloads)])
            loaded += 1
        took = time.perf_counter() - began
        await warehouse.close()
    return loaded * RANGE / took


def percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1e3


@asynccontextmanager
async def connected(target: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel of its own."""
    async with grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield channel


async def paced(target: str, encoded: list[bytes], rate: float, seconds: float) -> tuple[Load, Load, Load]:
    """What became of batches of a thousand, so many events a second, and of a hundred and of one in between."""
    loads = Load(), Load(), Load()
    async with connected(target) as channel, connected(target) as other:
        end = time.perf_counter() + seconds
        await asyncio.gather(
            pace(Sender(channel, encoded, BATCH), rate / BATCH, end, loads[0]),
            pace(Sender(other, batches(20, 100, 2), 100), 10, end, loads[1]),
            pace(Sender(other, batches(20, 1, 3), 1), 20, end, loads[2]),
        )
    return loads


async def beside(transport: str, encoded: list[bytes], rate: float, seconds: float, *, asking: bool) -> None:
    """Print how long batches of a hundred and of one wait beside so many events a second."""
    with serving(transport=transport) as server:
        async with connected(server.target) as channel:
            waits, (thousand, hundred, single) = await asyncio.gather(
                freshness(channel, round(seconds / 2) if asking else 0),
                paced(server.target, encoded, rate, seconds),
            )
    print("beside questions" if asking else "by itself")
    for name, seen in (
        ("Capture of 1,000 events", thousand.seconds),
        ("Capture of 100 events", hundred.seconds),
        ("Capture of 1 event", single.seconds),
        ("from acknowledged to queryable", waits),
    ):
        if seen:
            print(f"  {name:<32}{percentile(seen, 0.5):>8.0f}{percentile(seen, 0.99):>8.0f}{max(seen) * 1e3:>8.0f}")
    print(f"  turned away: {thousand.turned_away + hundred.turned_away + single.turned_away:,}", flush=True)


async def sustained(transport: str, encoded: list[bytes], seconds: float, rate: float = 0) -> tuple[float, float]:
    """Print what becomes of so many events a second (0: as many as are answered), and return what was a second.

    Acknowledged, and queryable once all of them are.
    """
    with serving(transport=transport) as server:
        async with connected(server.target) as channel:
            stub, sender = InsightServiceStub(channel), Sender(channel, encoded, BATCH)
            began = time.perf_counter()
            if rate:
                load = Load()
                await pace(sender, rate / BATCH, began + seconds, load)
            else:
                load = await flood(sender, seconds)
            took = time.perf_counter() - began
            queryable = await counted(stub)
            peak = server.peak_mb()
            await loaded(stub)
            drained = time.perf_counter() - began
            assert await counted(stub) == load.acknowledged
    print(
        f"{f'{rate:,.0f} a second are sent' if rate else 'as many as are answered':<34}{'events':>12}{'events/s':>12}"
    )
    for name, events, over in (
        (f"acknowledged in {took:.0f} s", load.acknowledged, took),
        ("queryable at the end", queryable, took),
        (f"all queryable after {drained:.0f} s", load.acknowledged, drained),
    ):
        print(f"{name:<34}{events:>12,}{events / over:>12,.0f}")
    print(f"{'turned away':<34}{load.turned_away:>12,}")
    print(f"a batch: p50 {percentile(load.seconds, 0.5):.0f} ms, p99 {percentile(load.seconds, 0.99):.0f} ms")
    print(f"memory of the server: {peak:,.0f} MB at most\n", flush=True)
    return load.acknowledged / took, load.acknowledged / drained


async def measure(seconds: float, transport: str) -> None:
    """Print the tables."""
    encoded = batches(DIFFERENT, BATCH)
    print(f"a batch of {BATCH:,} events is {len(encoded[0]):,} bytes; {IN_FLIGHT} on their way at a time\n")
    rate, all_queryable = await sustained(transport, encoded, seconds)
    if rate > SENT:
        await sustained(transport, encoded, seconds, SENT)
    half = min(rate, AIM) / 2
    print(f"{f'at {half:,.0f} events/s, ms':<34}{'p50':>8}{'p99':>8}{'most':>8}")
    await beside(transport, encoded, half, seconds / 3, asking=False)
    await beside(transport, encoded, half, seconds / 2, asking=True)
    bare = await floor(encoded, seconds / 3)
    print(f"the floor, chDB alone: {bare:,.0f} events/s; all queryable is {all_queryable / bare:.2f} of it")


def main() -> None:
    """The command."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    asyncio.run(measure(seconds, sys.argv[2] if len(sys.argv) > 2 else "grpcio"))


if __name__ == "__main__":
    main()
