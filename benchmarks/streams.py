"""Two thousand open Watch streams, each on a connection of its own: `python -m benchmarks.streams [STREAMS]`.

All are opened at once. Told are how they began, what memory the server took for each, and how soon one change of a flag
was at all of them, from the answer to UpdateFlag on. The clients are raw stubs in processes beside the server.
"""

import asyncio
import resource
import statistics
import sys
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from time import perf_counter

import grpc

import burgee
from benchmarks.serve import flag
from benchmarks.server import KEY, serving
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2_grpc import FlagServiceStub

STREAMS = 2_000
CHANGES = 10
CLIENTS = 2
"""Processes that hold the streams: one would be the slowest part."""

METADATA = (("authorization", f"Bearer {KEY}"),)
OPTIONS = (("grpc.use_local_subchannel_pool", 1),)


class Watchers:
    """The streams of one process."""

    def __init__(self, target: str, streams: int) -> None:
        self._target = target
        self._streams = streams
        self.began: list[float] = []
        self.ended: list[str] = []
        self._at: list[float] = []
        self._turned = asyncio.Event()

    async def watch(self) -> None:
        """Hold a stream; note when its snapshot came, when changes came, and how it ended."""
        async with grpc.aio.insecure_channel(self._target, options=OPTIONS) as channel:
            opened = perf_counter()
            try:
                async for message in FlagServiceStub(channel).Watch(flags_pb2.WatchRequest(), metadata=METADATA):
                    if message.snapshot:
                        self.began.append(perf_counter() - opened)
                    elif message.flags:
                        self._at.append(perf_counter())
                    self._turned.set()
            except grpc.aio.AioRpcError as error:
                self.ended.append(error.code().name)
                self._turned.set()

    async def all_began(self) -> None:
        """Wait until each has its snapshot, or has ended."""
        await self._until(lambda: len(self.began) + len(self.ended) >= self._streams)

    async def all_heard(self) -> list[float]:
        """Wait until each has a change. When each had it."""
        await self._until(lambda: len(self._at) + len(self.ended) >= self._streams)
        at, self._at = self._at, []
        return at

    async def _until(self, condition: object) -> None:
        assert callable(condition)
        while not condition():
            self._turned.clear()
            await self._turned.wait()


async def _hold(target: str, streams: int, pipe: Connection) -> None:
    watchers = Watchers(target, streams)
    tasks = [asyncio.create_task(watchers.watch()) for _ in range(streams)]
    await watchers.all_began()
    pipe.send((watchers.began, watchers.ended))
    while await asyncio.to_thread(pipe.recv):
        pipe.send(await watchers.all_heard())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def hold(target: str, streams: int, pipe: Connection) -> None:
    """Be a process that has streams."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_hold(target, streams, pipe))


def main() -> None:
    """Print the table."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    spawn = SpawnContext()
    with serving() as server, burgee.Client(server.target, KEY, local_evaluation=False) as client:
        admin = client.stub(FlagAdminServiceStub)
        admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag("beta")))
        before = server.resident_mb()
        pipes = []
        opened = perf_counter()
        for _ in range(CLIENTS):
            ours, theirs = spawn.Pipe()
            spawn.Process(target=hold, args=(server.target, streams // CLIENTS, theirs), daemon=True).start()
            pipes.append(ours)
        told = [pipe.recv() for pipe in pipes]
        seconds = perf_counter() - opened
        began = [each for times, _ in told for each in times]
        ended = [each for _, codes in told for each in codes]
        after = server.resident_mb()
        last = []
        for number in range(CHANGES):
            for pipe in pipes:
                pipe.send(True)
            changed = flag("beta")
            changed.rules[0].distribution.rollout = number
            admin.UpdateFlag(flag_admin_pb2.UpdateFlagRequest(flag=changed))
            answered = perf_counter()
            last.append(max(at for pipe in pipes for at in pipe.recv()) - answered)
        settled = server.resident_mb()
        for pipe in pipes:
            pipe.send(False)
    print(f"{streams:,} streams opened at once: {len(began):,} began, {len(ended)} ended {sorted(set(ended))}")
    slow, slowest = statistics.median(began), max(began)
    print(f"all began after {seconds:.1f} s; a stream in {slow:.2f} s (p50), {slowest:.2f} s (most)")
    first, later = ((each - before) / streams * 1e3 for each in (after, settled))
    print(f"memory a stream: {first:.1f} KB when open, {later:.1f} KB after the changes")
    print(f"a change was at all of them after {statistics.median(last):.3f} s (p50), {max(last):.3f} s (most)")


if __name__ == "__main__":
    main()
