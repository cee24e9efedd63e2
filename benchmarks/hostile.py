"""What honest clients notice of hostile connections: `python -m benchmarks.hostile [grpcio] [native]`.

Honest is one client that checks a flag again and again, 50 times a second. Beside it, one after the other, for ten
seconds each: connections that send the head of a request a byte at a time and never end it (slowloris), ten thousand
connections that do nothing, and ten thousand calls whose callers give up after 5 ms, in waves and all at once (by
h2load). Told are the times of the honest calls, those with nobody else there among them, and the server's memory.

All at once comes three times, in turns with the same storm of an empty method on a bare server of the transport, which
the honest client then calls: what the transport by itself makes of a storm, and so the least that a server on it can.
The last line is the ratio to that, of pairs. Before stands what the honest client notices if it asks a second server,
which has nothing else to do, while the storm is on the first: what the machine, which they all share, makes of a storm.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from pathlib import Path
from time import perf_counter, sleep

import grpc

import burgee
from benchmarks.bare import serving_bare
from benchmarks.serve import EVALUATE, flag, framed
from benchmarks.server import EMPTY, KEY, Measured, serving
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2_grpc import FlagServiceStub

SECONDS = 10.0
EVERY_SECONDS = 0.02
SLOW = 2_000
IDLE = 10_000
STORM = 10_000
STORMS = 3

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
HEADERS = bytes((0, 0x10, 0, 1, 4, 0, 0, 0, 1))
"""The head of a frame of 4,096 bytes, of which a byte comes now and then."""


async def connect(target: str, count: int, begin: bytes) -> list[asyncio.StreamWriter]:
    """So many connections, of which each has sent something."""
    host, _, port = target.rpartition(":")
    writers: list[asyncio.StreamWriter] = []
    while len(writers) < count:
        opened = await asyncio.gather(*(asyncio.open_connection(host, int(port)) for _ in range(100)))
        writers += [writer for _, writer in opened]
        for _, writer in opened:
            writer.write(begin)
    return writers


@asynccontextmanager
async def slowloris(target: str) -> AsyncIterator[None]:
    """Connections whose request never ends."""
    writers = await connect(target, SLOW, PREFACE + HEADERS)

    async def trickle() -> None:
        while True:
            for first in range(0, SLOW, SLOW // 100):
                for writer in writers[first : first + SLOW // 100]:
                    writer.write(b"\0")
                await asyncio.sleep(0.01)

    trickling = asyncio.create_task(trickle())
    yield
    trickling.cancel()
    for writer in writers:
        writer.close()


@asynccontextmanager
async def idle(target: str) -> AsyncIterator[None]:
    """Connections that say hello, and nothing after that."""
    writers = await connect(target, IDLE, PREFACE)
    yield
    for writer in writers:
        writer.close()


@asynccontextmanager
async def waves(target: str) -> AsyncIterator[None]:
    """Calls of gRPC's own client, which gives up by itself: a thousand at once, ten times."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    channels = [grpc.aio.insecure_channel(target, options=options) for _ in range(20)]
    stubs = [FlagServiceStub(channel) for channel in channels]
    metadata = (("authorization", f"Bearer {KEY}"),)

    async def call(number: int) -> None:
        request = flags_pb2.EvaluateRequest(flag_key=f"storm-{number}")
        with suppress(grpc.aio.AioRpcError):
            await stubs[number % len(stubs)].Evaluate(request, metadata=metadata, timeout=0.005)

    async def send() -> None:
        for first in range(0, STORM, STORM // 10):
            await asyncio.gather(*(call(number) for number in range(first, first + STORM // 10)))
            await asyncio.sleep(SECONDS / 15)

    sending = asyncio.create_task(send())
    yield
    await sending
    for channel in channels:
        await channel.close()


@asynccontextmanager
async def storm(target: str, method: str = EVALUATE) -> AsyncIterator[None]:
    """All of them as fast as they are answered, a thousand at a time, by h2load: over in a second or so."""
    with tempfile.TemporaryDirectory() as scratch:
        body = framed(flags_pb2.EvaluateRequest(flag_key="beta").SerializeToString(), Path(scratch) / "body")
        command = ["h2load", "-n", str(STORM), "-c", "10", "-m", "100", "-d", str(body)]
        headers = ("content-type: application/grpc", "te: trailers", f"authorization: Bearer {KEY}", "grpc-timeout: 5m")
        process = await asyncio.create_subprocess_exec(
            *command, *(word for header in headers for word in ("-H", header)), f"http://{target}{method}",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        yield
        await process.wait()


def empty_storm(target: str) -> AbstractAsyncContextManager[None]:
    """The same, of a method that does nothing."""
    return storm(target, EMPTY)


ALL_AT_ONCE = f"{STORM:,} calls of 5 ms at once"
EMPTY_AT_ONCE = f"{STORM:,} empty calls of 5 ms at once"

HOSTILE: dict[str, Callable[[str], AbstractAsyncContextManager[None]]] = {
    f"slowloris, {SLOW:,} connections": slowloris,
    f"{IDLE:,} idle connections": idle,
    f"{STORM:,} calls of 5 ms in waves": waves,
    ALL_AT_ONCE: storm,
    EMPTY_AT_ONCE: empty_storm,
}


def harm(target: str, name: str, pipe: Connection) -> None:
    """Be a process that does this until it is told to stop."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def run() -> None:
        async with HOSTILE[name](target):
            pipe.send(True)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())
    pipe.send(True)


def honest(call: Callable[[], object]) -> list[float]:
    """Milliseconds of each call, from when it was due: one that is slow keeps others waiting."""
    took: list[float] = []
    begins = perf_counter()
    for number in range(int(SECONDS / EVERY_SECONDS)):
        due = begins + number * EVERY_SECONDS
        sleep(max(0.0, due - perf_counter()))
        call()
        took.append((perf_counter() - due) * 1e3)
    return took


def beside(
    target: str, name: str, call: Callable[[], object], measure: Callable[[], float]
) -> tuple[list[float], float]:
    """What the honest calls took while a process did this to a server, and what was measured at the end of it."""
    pipe, theirs = SpawnContext().Pipe()
    process = SpawnContext().Process(target=harm, args=(target, name, theirs), daemon=True)
    process.start()
    pipe.recv()
    took, measured = honest(call), measure()
    pipe.send(True)
    pipe.recv()
    process.join()
    return took, measured


def checking(client: burgee.Client) -> Callable[[], None]:
    """Checks a flag, which is made for it, by a call."""
    created = flag_admin_pb2.CreateFlagRequest(flag=flag("beta", rollout=30_000))
    client.stub(FlagAdminServiceStub).CreateFlag(created)

    def check() -> None:
        resolution = client.resolve("beta", "ann", company="acme")
        assert resolution.reason is not burgee.Reason.ERROR, resolution

    return check


def asked_beside(told: str, harmed: Measured, name: str, call: Callable[[], object], whose: Measured) -> float:
    """Print a row of `whose` server is asked with nobody else there, and one of it while this is done to a server.

    Returns the p99 of the second in milliseconds.
    """
    before = statistics.quantiles(honest(call), n=100)
    nothing = f"{before[49]:.2f} | {before[98]:.2f} | 1.00 | | {whose.resident_mb():.0f} |"
    print(f"| {told}: nothing | {nothing} |")
    whose.forget_peak()
    took, memory = beside(harmed.target, name, call, whose.resident_mb)
    during = statistics.quantiles(took, n=100)
    times = f"{during[49]:.2f} | {during[98]:.2f} | {during[98] / before[98]:.2f} | {max(took):.1f}"
    print(f"| {told}: {name} | {times} | {memory:.0f} | {whose.peak_mb():.0f} |", flush=True)
    return during[98]


def main() -> None:
    """Print the table."""
    chosen = sys.argv[1:] or ["grpcio", "native"]
    columns = ("beside the honest client", "p50 ms", "p99 ms", "to before", "most", "MB", "at most")
    print(f"| {' | '.join(columns)} |\n|---|{'---:|' * (len(columns) - 1)}")
    ratios: dict[str, list[float]] = {}
    for transport in chosen:
        with (
            serving(transport=transport) as server,
            serving(transport=transport) as second,
            serving_bare(transport) as bare,
            burgee.Client(server.target, KEY, local_evaluation=False, flag_timeout=10) as client,
            burgee.Client(second.target, KEY, local_evaluation=False, flag_timeout=10) as elsewhere,
            grpc.insecure_channel(bare.target) as channel,
        ):
            check, check_second = checking(client), checking(elsewhere)
            empty_call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EMPTY)
            empty = partial(empty_call, b"", timeout=10)
            for call in (check, check_second, empty):
                honest(call)
            for name in HOSTILE:
                if name not in (ALL_AT_ONCE, EMPTY_AT_ONCE):
                    asked_beside(transport, server, name, check, server)
            asked_beside(f"{transport}, a second server", server, ALL_AT_ONCE, check_second, second)
            for _ in range(STORMS):
                ours = asked_beside(transport, server, ALL_AT_ONCE, check, server)
                theirs = asked_beside(f"{transport}, bare", bare, EMPTY_AT_ONCE, empty, bare)
                ratios.setdefault(transport, []).append(ours / theirs)
    for transport, pairs in ratios.items():
        told = ", ".join(f"{ratio:.2f}" for ratio in pairs)
        print(f"\n{transport}: p99 beside all at once, to that of the bare server: {told}")


if __name__ == "__main__":
    main()
