"""Nodes that are restarted one after the other, as an upgrade does, under streams of changes, checks and events."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from burgee.v1 import flags_pb2
from burgee.v1.flag_admin_pb2 import CreateFlagRequest, UpdateFlagRequest
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from tests.faults.nodes import FLAG, KEY, Checking, Nodes
from tests.faults.senders import Senders
from tests.faults.test_nodes import clients_of, counted, flag
from tests.fixtures.serving import wait_for

REST_SECONDS = 0.2
STREAMS_A_CONNECTION = 20
AWAY_AND_BACK_SECONDS = 0.05
AGAIN = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
"""What a user's own stubs are told: whoever calls a node in the moment that it stops is answered UNAVAILABLE."""
METADATA = (("authorization", f"Bearer {KEY}"),)


class Watching:
    """Raw streams, on connections of twenty that know all nodes; one that ends is opened again where it was."""

    def __init__(self, nodes: Nodes, streams: int) -> None:
        self.ended: Counter[grpc.StatusCode] = Counter()
        self.on = [False] * streams
        """What each was told last: whether the flag is on for anybody."""
        self.open = [False] * streams
        self._targets = [nodes.target(number % 3) for number in range(-(-streams // STREAMS_A_CONNECTION))]
        self._loop = asyncio.new_event_loop()
        self._task = asyncio.run_coroutine_threadsafe(self._watch_all(), self._loop)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def begin(self) -> None:
        """Open them all."""
        self._thread.start()

    def end(self) -> None:
        """Close them. Raises what ended one of them and is not worth another try."""
        if self._task.done():
            self._task.result()
        self._loop.call_soon_threadsafe(lambda: [each.cancel() for each in asyncio.all_tasks(self._loop)])
        wait_for(self._task.done)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _watch_all(self) -> None:
        channels = [
            grpc.aio.insecure_channel(
                target,
                options=[
                    ("grpc.use_local_subchannel_pool", 1),
                    ("grpc.default_authority", "nodes"),
                    ("grpc.min_reconnect_backoff_ms", 50),
                    ("grpc.max_reconnect_backoff_ms", 200),
                ],
            )
            for target in self._targets
        ]
        stubs = [FlagServiceStub(channel) for channel in channels]
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(len(self.on)):
                    group.create_task(self._watch(stubs[number // STREAMS_A_CONNECTION], number))
        finally:
            for channel in channels:
                await channel.close()

    async def _watch(self, stub: FlagServiceStub, number: int) -> None:
        version = ""
        while True:
            try:
                async for message in stub.Watch(flags_pb2.WatchRequest(version=version), metadata=METADATA):
                    version = message.version or version
                    self.open[number] = True
                    for each in message.flags:
                        if each.key == FLAG:
                            split = each.rules[0].distribution
                            self.on[number] = not split.HasField("rollout") or split.rollout > 0
                self.ended[grpc.StatusCode.OK] += 1
            except grpc.aio.AioRpcError as error:
                self.ended[error.code()] += 1
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            self.open[number] = False
            await asyncio.sleep(AWAY_AND_BACK_SECONDS)


@contextmanager
def watching(nodes: Nodes, streams: int) -> Iterator[Watching]:
    """So many streams, all of which have their snapshot."""
    watching = Watching(nodes, streams)
    watching.begin()
    try:
        wait_for(lambda: all(watching.open), 120)
        yield watching
    finally:
        watching.end()


@pytest.fixture
def nodes(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Three, with a flag that is on for everybody."""
    nodes = Nodes(tmp_path, BURGEE_TRANSPORT=request.param)
    try:
        with nodes.client(0) as client:
            client.group("company", "acme", {"plan": "pro"})
            assert client.flush(30)
            client.stub(FlagAdminServiceStub).CreateFlag(CreateFlagRequest(flag=flag(True)))
        yield nodes
    finally:
        nodes.close()


@pytest.mark.parametrize(
    ("nodes", "streams"),
    [
        ("grpcio", 60),
        pytest.param("native", 60, marks=pytest.mark.soak),
        pytest.param("grpcio", 300, marks=pytest.mark.soak),
        pytest.param("native", 300, marks=pytest.mark.soak),
    ],
    indirect=["nodes"],
)
def test_nodes_are_restarted_one_after_the_other_and_no_check_fails(nodes: Nodes, streams: int) -> None:
    """Streams move on, checks in memory and at a node are answered, each event is there once, all hear what changes."""
    with clients_of(nodes) as clients, watching(nodes, streams) as watchers:
        checking = [Checking(client, nodes.target(first), AGAIN) for first, client in enumerate(clients)]
        senders = [Senders(nodes.target(first), KEY, REST_SECONDS, f"sender-{first}") for first in range(3)]
        for each in senders:
            each.start()
        for number in range(3):
            on = number % 2 == 1
            sent = [each.batches for each in senders]
            code, errors = nodes.nodes[number].stop()
            assert (code, "Traceback" in errors) == (0, False), errors
            wait_for(lambda: all(watchers.open), 60)
            wait_for(lambda sent=sent: all(s.batches > were + 5 for s, were in zip(senders, sent, strict=True)), 60)
            request = UpdateFlagRequest(flag=flag(on))
            clients[0].stub(FlagAdminServiceStub).UpdateFlag(request, wait_for_ready=True, timeout=30)
            wait_for(lambda on=on: watchers.on == [on] * streams, 60)
            for client in clients:
                wait_for(lambda client=client, on=on: client.is_enabled(FLAG, "ann", company="acme") is on, 60)
            nodes.restart(number)
        for each in senders:
            each.finish()
        for each in checking:
            each.finish()
        assert {failure.code for each in senders for failure in each.failures} <= {grpc.StatusCode.UNAVAILABLE}
        assert counted(nodes.nodes[0]) == sum(each.events for each in senders)
        checks = sum(sum(each.answers.values()) for each in checking)
        tried = sum(len(each.failures) for each in senders)
        print(f"{streams} streams, moved on {dict(watchers.ended)}; {checks:,} checks; {tried} batches tried again")
