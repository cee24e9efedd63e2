"""How soon a change is everywhere, what a check costs: `python -m benchmarks.propagate [STREAMS [nodes [TRANSPORT]]]`.

With `nodes`, the streams are spread over three nodes on one PostgreSQL, one Redis and one ClickHouse endpoint, as the
tests start them, with this transport, and the changes are made on the first.

Streams are those of raw stubs in one process, 20 a connection; server and streams share the machine. The time runs from
the answer to UpdateFlag, or to IdentifyGroup, to the arrival of the change at each stream.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import grpc

import burgee
from benchmarks.evaluate import microseconds
from benchmarks.serve import flag
from benchmarks.server import KEY, serving
from burgee.v1 import flag_admin_pb2, flags_pb2, profiles_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub

STREAMS = 200
CHANGES = 50
STREAMS_A_CONNECTION = 20
OPENING = 100


class Arrivals:
    """When each stream had the change that is awaited."""

    def __init__(self, streams: int, key: str) -> None:
        self._streams = streams
        self._metadata = (("authorization", f"Bearer {key}"),)
        self._at: list[float] = []
        self._all = asyncio.Event()

    async def listen(self, stub: Any, ready: asyncio.Semaphore) -> None:
        """Read a stream for ever; the snapshot, and no heartbeat, counts as arrival."""
        async for message in stub.Watch(flags_pb2.WatchRequest(), metadata=self._metadata):
            if message.snapshot:
                ready.release()
            elif message.flags or message.stored:
                self._at.append(perf_counter())
                if len(self._at) == self._streams:
                    self._all.set()

    async def after(self, call: Any, request: Any) -> list[float]:
        """Milliseconds from the answer to a call until each stream has the change; 0 if it was there before."""
        self._at, self._all = [], asyncio.Event()
        await call(request, metadata=self._metadata)
        answered = perf_counter()
        await asyncio.wait_for(self._all.wait(), 30)
        return [max(at - answered, 0.0) * 1e3 for at in self._at]


async def propagate(targets: Sequence[str], streams: int, key: str) -> dict[str, list[float]]:
    """Change a flag, and a property that it mentions, again and again."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    channels = [
        grpc.aio.insecure_channel(targets[number % len(targets)], options=options)
        for number in range(-(-streams // STREAMS_A_CONNECTION))
    ]
    admin, profiles = FlagAdminServiceStub(channels[0]), ProfileServiceStub(channels[0])
    arrivals, ready = Arrivals(streams, key), asyncio.Semaphore(0)
    listening = []
    for number in range(streams):
        stub = FlagServiceStub(channels[number // STREAMS_A_CONNECTION])
        listening.append(asyncio.create_task(arrivals.listen(stub, ready)))
        if number >= OPENING:  # gRPC turns calls away when a thousand of them are waiting to be let in
            await asyncio.wait_for(ready.acquire(), 60)
    for _ in range(min(streams, OPENING)):
        await asyncio.wait_for(ready.acquire(), 60)
    times: dict[str, list[float]] = {"a flag": [], "a property": []}
    for number in range(CHANGES):
        changed = flag("beta")
        changed.rules[0].distribution.rollout = number
        times["a flag"] += await arrivals.after(admin.UpdateFlag, flag_admin_pb2.UpdateFlagRequest(flag=changed))
        request = profiles_pb2.IdentifyGroupRequest(group_type="company", group_key="acme")
        request.change.set.update({"seats": number})
        times["a property"] += await arrivals.after(profiles.IdentifyGroup, request)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    for channel in channels:
        await channel.close()
    return times


def checks(client: burgee.Client) -> dict[str, float]:
    """Microseconds of a check, by what is passed."""
    passed: dict[str, Any] = {"company": {"plan": "enterprise", "seats": 250}}
    assert client.resolve("beta", "ann", company="acme").reason is not burgee.Reason.ERROR
    return {
        "is_enabled, properties stored": microseconds(lambda: client.is_enabled("beta", "ann", company="acme")),
        "is_enabled, properties passed": microseconds(
            lambda: client.is_enabled("beta", "ann", company="acme", group_properties=passed)
        ),
        "value": microseconds(lambda: client.value("beta", "ann", False, company="acme")),
        "resolve": microseconds(lambda: client.resolve("beta", "ann", company="acme")),
        "variant": microseconds(lambda: client.variant("beta", "ann", company="acme")),
    }


def over_nodes(streams: int, transport: str) -> dict[str, list[float]]:
    """The same over three nodes."""
    from tests.faults import nodes

    with tempfile.TemporaryDirectory(prefix="burgee-bench-") as path:
        three = nodes.Nodes(Path(path), BURGEE_TRANSPORT=transport)
        try:
            with three.client(0) as client:
                prepare(client)
            return asyncio.run(propagate([node.target for node in three.nodes], streams, nodes.KEY))
        finally:
            three.close()


def prepare(client: burgee.Client) -> None:
    """A company, and the flag that asks for its plan."""
    client.group("company", "acme", {"plan": "enterprise", "seats": 250})
    client.flush()
    client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag("beta", rollout=30_000)))


def main() -> None:
    """Print the tables."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    costs: dict[str, float] = {}
    if sys.argv[2:3] == ["nodes"]:
        transport = sys.argv[3] if len(sys.argv) > 3 else "grpcio"
        where, times = f"three nodes, {transport}", over_nodes(streams, transport)
    else:
        with serving() as server, burgee.Client(server.target, KEY, flag_timeout=20) as client:
            prepare(client)
            costs = checks(client)
            where, times = "one node", asyncio.run(propagate([server.target], streams, KEY))
    print(f"{CHANGES} changes, {streams} streams, {where}")
    print(f"{'a change of':<16}{'p50 ms':>10}{'p99 ms':>10}{'most':>10}")
    for name, seen in times.items():
        quantiles = statistics.quantiles(seen, n=100)
        print(f"{name:<16}{quantiles[49]:>10.2f}{quantiles[98]:>10.2f}{max(seen):>10.2f}")
    if costs:
        print("\nA check through burgee.Client, from memory: two company conditions and a rollout by company")
    for name, cost in costs.items():
        print(f"{name:<32}{cost:>8.2f} µs")


if __name__ == "__main__":
    main()
