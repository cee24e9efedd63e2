"""Messages that no decent client sends: each is answered OK or INVALID_ARGUMENT, and no event that got in gets stuck.

They go over real gRPC to a server that is a process of its own (mutations.py makes them). What goes wrong is printed
with its seed and number, from which the message can be made again; and becomes a case in tests/rpc or tests/contracts.
"""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import grpc
import pytest

import burgee
from burgee.v1 import capture_pb2
from tests.faults.mutations import message
from tests.faults.storage import ask
from tests.fixtures.serving import Serving, wait_for

AT_A_TIME = 64
CONNECTIONS = 4
ALLOWED = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
EVERY = 10_000
"""Messages between two looks at the memory."""

KEYS = "environment_id, toDate(fromUnixTimestamp64Micro(timestamp_micros, 'UTC')) AS day, event, toUUID(uuid) AS uuid"
LANDED = (
    "CREATE TABLE landed (environment_id UInt32, day Date, event String, uuid UUID) ENGINE = MergeTree ORDER BY ()",
    f"CREATE MATERIALIZED VIEW landing_to_landed TO landed AS SELECT {KEYS} FROM landing",
)
"""What identifies each event that was inserted, as often as it was: two that are the same become one in `events`."""
RETRIED = "events wait in the journal; trying again"
COUNT = "SELECT count() FROM events FINAL"


class Fuzz:
    """Sends messages to a server, and counts what it answers."""

    def __init__(self, seed: int, server: Serving) -> None:
        self._seed = seed
        self._server = server
        self._metadata = (("authorization", f"Bearer {server.key}"),)
        self.answers: Counter[grpc.StatusCode] = Counter()
        self.accepted = 0
        self.rejected = 0
        self.resident_mb: list[int] = []

    async def run(self, messages: int) -> None:
        """Send so many. Fails at the first answer that may not be."""
        numbers = iter(range(messages))
        async with AsyncExitStack() as open_, asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                own = [("grpc.use_local_subchannel_pool", 1)]
                channel = await open_.enter_async_context(grpc.aio.insecure_channel(self._server.target, options=own))
                for _ in range(AT_A_TIME // CONNECTIONS):
                    group.create_task(self._send(channel, numbers))

    async def _send(self, channel: grpc.aio.Channel, numbers: Iterator[int]) -> None:
        for number in numbers:
            method, raw = message(random.Random(f"{self._seed} {number}"))
            try:
                answer = await channel.unary_unary(method)(raw, metadata=self._metadata, timeout=60)
            except grpc.aio.AioRpcError as error:
                code, words = error.code(), error.details()
            else:
                code, words = grpc.StatusCode.OK, ""
                if method.endswith("Capture"):
                    response = capture_pb2.CaptureResponse.FromString(answer)
                    self.accepted += response.accepted
                    self.rejected += len(response.rejected)
            self.answers[code] += 1
            assert code in ALLOWED, f"seed {self._seed}, message {number}: {method} {code}: {words}: {raw[:500]!r}"
            if number % EVERY == EVERY - 1:
                self.resident_mb.append(resident_mb(self._server.process.pid))
                print(f"{time.strftime('%H:%M:%S')} {number + 1:,} messages, {self.resident_mb[-1]} MB", flush=True)


def resident_mb(process: int) -> int:
    """The memory that a process has."""
    [kilobytes] = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(kilobytes) >> 10


async def fuzz(tmp_path: Path, seed: int, messages: int) -> Fuzz:
    """Send messages, wait until what was let in is loaded, and count it."""
    data = tmp_path / "data"
    server = Serving(data).ready()
    server.stop()
    ask(data, *LANDED)
    # Whoever sends faster than events are loaded would be told so, which is no answer to a hostile message.
    server = Serving(data, BURGEE_JOURNAL_MAX_MB="20000", BURGEE_CAPTURE_MB="256").ready()
    try:
        fuzz = Fuzz(seed, server)
        await fuzz.run(messages)
        with burgee.Client(server.target, server.key) as client:
            now = time.time()
            await asyncio.to_thread(
                wait_for, lambda: client.trend("seen").info.complete_until.timestamp() >= now, 1_800
            )
            waited = time.time() - now
        code, errors = server.stop()
        assert (code, "Traceback" in errors) == (0, False), errors
    finally:
        server.close()
    asked = ask(data, "SELECT count(), uniqExact(environment_id, day, event, uuid) FROM landed", COUNT)
    [[[landed, different]], [[stored]]] = asked
    assert different <= stored <= fuzz.accepted
    if RETRIED not in errors:  # what is loaded again goes another way, and is not noted again
        assert (landed, stored) == (fuzz.accepted, different)
    counted = {code.name: count for code, count in fuzz.answers.items()}
    print(f"{messages:,} messages: {counted}; {fuzz.accepted:,} events let in, {stored:,} different ones, all stored")
    print(f"{fuzz.rejected:,} events rejected; the last was loaded {waited:.0f} s after the last answer")
    return fuzz


async def test_a_thousand_hostile_messages(tmp_path: Path, chance: random.Random) -> None:
    """Everything that the door lets in, the warehouse takes."""
    done = await fuzz(tmp_path, chance.randrange(1 << 32), 1_000)
    assert min(done.accepted, done.rejected, *(done.answers[code] for code in ALLOWED)) > 100


@pytest.mark.soak
async def test_a_million_hostile_messages_and_memory_stays_flat(tmp_path: Path, chance: random.Random) -> None:
    """The process is no larger in the last third than in the one before, but for a tenth.

    By the middle of the looks: a merge that is under way at one may have some 200 MB, early or late.
    """
    done = await fuzz(tmp_path, chance.randrange(1 << 32), 1_000_000)
    print(f"resident, each {EVERY:,} messages: {done.resident_mb} MB")
    assert len(done.resident_mb) == 1_000_000 // EVERY
    third = len(done.resident_mb) // 3
    assert median(done.resident_mb[-third:]) < 1.1 * median(done.resident_mb[third:-third])
