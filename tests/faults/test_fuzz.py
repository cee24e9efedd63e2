"""Messages that no decent client sends: each is answered OK or INVALID_ARGUMENT, and no event that got in gets stuck.

They go over real gRPC to a server that is a process of its own (mutations.py makes them). What goes wrong is printed
with its seed and number, from which the message can be made again; and becomes a case in tests/rpc or tests/contracts.
"""

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from uuid import UUID

import grpc
import pytest

import burgee
from burgee.v1 import capture_pb2
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch
from tests.faults.mutations import message
from tests.faults.storage import ask
from tests.fixtures.serving import Serving, children, wait_for

AT_A_TIME = 64
CONNECTIONS = 4
ALLOWED = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
EVERY = 10_000
"""Messages between two looks at the memory."""
RESTING_LOOKS = 20
"""A tenth of a second apart."""

STOPPED_SECONDS = 900
"""How long whatever is asked may take: test and server may be stopped by signals for minutes, and go on."""

LANDED = (
    "CREATE TABLE landed (environment_id UInt32, day Date, event String, uuid UUID) ENGINE = MergeTree ORDER BY ()",
    "CREATE MATERIALIZED VIEW events_to_landed TO landed AS"
    " SELECT environment_id, toDate(timestamp) AS day, event, uuid FROM events",
)
"""What identifies each row that came into `events`, by whatever way, as often as it did: of two that are the same a
merge makes one."""
LOADED_AGAIN = ("events wait in the journal; trying again", "are set aside")
"""What a server says of events that it will load with an eye to what is there: it leaves out those that are."""
COUNTS = (
    "SELECT count(), uniqExact(environment_id, day, event, uuid) FROM landed",
    "SELECT count(), uniqExact(uuid) FROM events FINAL",
)


class Fuzz:
    """Sends messages to a server, and counts what it answers."""

    def __init__(self, seed: int, server: Serving) -> None:
        self._seed = seed
        self._server = server
        self._metadata = (("authorization", f"Bearer {server.key}"),)
        self.answers: Counter[grpc.StatusCode] = Counter()
        self.accepted = 0
        self.rejected = 0
        self._without_uuid = 0
        self._uuids: set[int] = set()
        self.resident_mb: list[int] = []
        self.resting_mb: list[int] = []
        self.companion_mb: list[int] = []
        """At rest: the process beside the server, in which large messages are checked."""

    @property
    def different(self) -> int:
        """How many uuids the accepted events have: those that came with none were given one each."""
        return self._without_uuid + len(self._uuids)

    async def run(self, numbers: Iterator[int]) -> None:
        """Send the messages of these numbers. Fails at the first answer that may not be."""
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
                answer = await channel.unary_unary(method)(raw, metadata=self._metadata, timeout=STOPPED_SECONDS)
            except grpc.aio.AioRpcError as error:
                code, words = error.code(), error.details()
            else:
                code, words = grpc.StatusCode.OK, ""
                if method.endswith("Capture"):
                    self._note(raw, capture_pb2.CaptureResponse.FromString(answer))
            self.answers[code] += 1
            assert code in ALLOWED, f"seed {self._seed}, message {number}: {method} {code}: {words}: {raw[:500]!r}"
            if number % EVERY == EVERY - 1:
                self.resident_mb.append(resident_mb(self._server.process.pid))
                print(f"{time.strftime('%H:%M:%S')} {number + 1:,} messages, {self.resident_mb[-1]} MB", flush=True)

    async def rest(self) -> None:
        """Wait until the server has nothing to do any more, to load or to merge, and look at its memory then."""
        deadline, asleep = time.monotonic() + 2 * STOPPED_SECONDS, 0
        while asleep < RESTING_LOOKS:
            assert time.monotonic() < deadline, "the server never rests"
            asleep = asleep + 1 if is_asleep(self._server.process.pid) else max(asleep - RESTING_LOOKS // 2, 0)
            await asyncio.sleep(0.1)
        self.resting_mb.append(resident_mb(self._server.process.pid))
        [companion] = children(self._server.process.pid)
        self.companion_mb.append(resident_mb(companion))
        resting = f"{self.resting_mb[-1]} MB, {self.companion_mb[-1]} MB in the process beside it"
        print(f"{time.strftime('%H:%M:%S')} at rest, {resting}", flush=True)

    def _note(self, raw: bytes, response: capture_pb2.CaptureResponse) -> None:
        self.accepted += response.accepted
        self.rejected += len(response.rejected)
        if not response.accepted:  # of a batch whose id was seen before, too
            return
        rejected = {each.index for each in response.rejected}
        events = ArrivingBatch.FromString(raw).events
        uuids = [each.uuid for index, each in enumerate(events) if index not in rejected]
        assert response.accepted == len(uuids)
        self._without_uuid += uuids.count(b"")
        self._uuids.update(UUID(uuid.decode()).int for uuid in uuids if uuid)


def resident_mb(process: int) -> int:
    """The memory that a process has."""
    [kilobytes] = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(kilobytes) >> 10


def is_asleep(process: int) -> bool:
    """Whether no thread of a process has a processor, or wants one: however little it gets of them."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if (thread / "stat").read_text().rpartition(")")[2].split()[0] != "S":
                return False
    return True


async def fuzz(tmp_path: Path, seed: int, messages: int, rests: int = 1) -> Fuzz:
    """Send messages, with so many rests, wait until what was let in is loaded, and count it."""
    data = tmp_path / "data"
    server = Serving(data).ready()
    server.stop()
    ask(data, *LANDED)
    # Whoever sends faster than events are loaded would be told so, which is no answer to a hostile message.
    server = Serving(data, BURGEE_JOURNAL_MAX_MB="20000", BURGEE_CAPTURE_MB="256").ready()
    try:
        fuzz = Fuzz(seed, server)
        numbers = iter(range(messages))
        for left in range(rests, 0, -1):
            await fuzz.run(itertools.islice(numbers, messages // rests if left > 1 else None))
            await fuzz.rest()
        now = time.time()
        await asyncio.to_thread(wait_for, partial(is_complete, server, now), 2 * STOPPED_SECONDS)
        waited = time.time() - now
        code, errors = server.stop(seconds=STOPPED_SECONDS)
        assert (code, "Traceback" in errors) == (0, False), errors
    finally:
        server.close()
        print("the server said:", *server.errors.splitlines()[-100:], sep="\n  ")
    [[[landed, landed_different]], [[stored, uuids]]] = ask(data, *COUNTS, seconds=STOPPED_SECONDS)
    counted = {code.name: count for code, count in fuzz.answers.items()}
    print(f"{messages:,} messages: {counted}; {fuzz.accepted:,} events let in, {fuzz.rejected:,} rejected")
    print(f"{fuzz.different:,} uuids let in, {uuids:,} stored, in {stored:,} events of {landed:,} rows")
    print(f"the last was loaded {waited:.0f} s after the last answer")
    assert uuids == fuzz.different, "events were lost"
    assert stored == landed_different, "what is stored is not what came in"
    assert landed <= fuzz.accepted, "events were doubled"
    if not any(words in errors for words in LOADED_AGAIN):
        assert landed == fuzz.accepted
    return fuzz


def is_complete(server: Serving, moment: float) -> bool:
    """Whether everything that was acknowledged before a moment is loaded; no, if the server had no time to say it."""
    try:
        with burgee.Client(server.target, server.key) as client:
            return client.trend("seen").info.complete_until.timestamp() >= moment
    except grpc.RpcError as error:
        print(f"whether all is loaded is not known: {error}")
        return False


async def test_a_thousand_hostile_messages(tmp_path: Path, chance: random.Random) -> None:
    """Everything that the door lets in, the warehouse takes."""
    done = await fuzz(tmp_path, chance.randrange(1 << 32), 1_000)
    assert min(done.accepted, done.rejected, *(done.answers[code] for code in ALLOWED)) > 100


@pytest.mark.soak
async def test_a_million_hostile_messages_and_memory_stays_flat(tmp_path: Path, chance: random.Random) -> None:
    """At rest after the last third, server and companion are no larger than after the one before, but for a tenth.

    While it works, merges are under way, which have up to 500 MB, and more of them the more is stored and the less
    processor there is: by the middle of its looks, a run was twelve hundredths larger in the last third, and a leak of
    200 bytes a message would have been one more.
    """
    done = await fuzz(tmp_path, chance.randrange(1 << 32), 1_000_000, rests=3)
    print(f"resident, each {EVERY:,} messages: {done.resident_mb} MB")
    assert len(done.resident_mb) == 1_000_000 // EVERY
    for _, before, last in (done.resting_mb, done.companion_mb):
        assert last < 1.1 * before
