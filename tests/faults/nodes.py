"""Several nodes on one PostgreSQL, one Redis and one ClickHouse endpoint, and clients that check flags on them."""

import threading
from collections import Counter
from pathlib import Path

import grpc

import burgee
from burgee.v1 import flags_pb2
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from tests.faults.proxy import Proxy
from tests.fixtures.clickhouse import ClickHouse
from tests.fixtures.postgres import Postgres, new_schema
from tests.fixtures.redis import RedisServer
from tests.fixtures.serving import Serving, free_address

KEY = "the-operator-key-of-these-nodes"
FLAG = "beta"
PAUSE_SECONDS = 0.02


class Nodes:
    """Three of them with these settings, ready. The last one reaches Redis by a way that can be cut."""

    def __init__(self, path: Path, **settings: str) -> None:
        self.postgres, self.redis, self.clickhouse = Postgres(), RedisServer(), ClickHouse()
        self.way = Proxy(self.redis.address)
        self._path = path
        self._settings = settings
        self._addresses = [free_address() for _ in range(3)]
        self._database = new_schema(self.postgres.url)
        self.nodes: list[Serving] = []
        for number in range(3):  # the first one to be ready has the lease
            self.nodes.append(self._start(number).ready())

    def restart(self, number: int, **settings: str) -> None:
        """Start a node again that has ended, with its directory and at its address."""
        self.nodes[number] = self._start(number, **settings).ready()

    def target(self, first: int) -> str:
        """All nodes, for a client that begins with this one and moves on when it is gone."""
        ordered = self.nodes[first:] + self.nodes[:first]
        return "ipv4:" + ",".join(node.target for node in ordered)

    def client(self, first: int) -> burgee.Client:
        """A client that has the flags in memory."""
        return burgee.Client(self.target(first), KEY, flag_timeout=20)

    def close(self) -> None:
        """End everything."""
        for node in self.nodes:
            node.close()
        self.way.close()
        for store in (self.clickhouse, self.redis, self.postgres):
            store.close()

    def _start(self, number: int, **settings: str) -> Serving:
        redis = f"redis://{self.way.address}/0" if number == 2 else self.redis.url
        return Serving(
            self._path / f"node-{number}",
            listen=self._addresses[number],
            BURGEE_BOOTSTRAP_KEY=KEY,
            BURGEE_DATABASE=self._database,
            BURGEE_REDIS=redis,
            BURGEE_WAREHOUSE=self.clickhouse.dsn,
            **self._settings,
            **settings,
        )


class Checking:
    """Checks a flag in the memory of a client and, if there is a target to ask, there, fifty times a second.

    There it asks once, or by a service config of gRPC's, as it may be in a user's own channel.
    """

    def __init__(self, client: burgee.Client, target: str | None = None, service_config: str = "{}") -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._client = client
        self._service_config = service_config
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._check_here, daemon=True)]
        if target is not None:
            self._threads.append(threading.Thread(target=self._check_there, args=(target,), daemon=True))
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Stop, and fail if any check did."""
        self._ending.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        assert self.failures == [], self.failures
        assert self.answers["here"] > 0
        assert len(self._threads) == 1 or self.answers["there"] > 0

    def _check_here(self) -> None:
        while not self._ending.wait(PAUSE_SECONDS):
            resolution = self._client.resolve(FLAG, "ann", company="acme")
            if resolution.reason is burgee.Reason.ERROR:
                self.failures.append(str(resolution))
            self.answers["here"] += 1

    def _check_there(self, target: str) -> None:
        context = flags_pb2.EvaluationContext(distinct_id="ann", groups={"company": "acme"})
        request = flags_pb2.EvaluateRequest(flag_key=FLAG, context=context)
        options = (("grpc.default_authority", "nodes"), ("grpc.service_config", self._service_config))
        with grpc.insecure_channel(target, options=options) as channel:
            evaluate = FlagServiceStub(channel).Evaluate
            while not self._ending.wait(PAUSE_SECONDS):
                try:
                    evaluate(request, metadata=(("authorization", f"Bearer {KEY}"),), timeout=10)
                except grpc.RpcError as error:
                    self.failures.append(f"{error.code()}: {error.details()}")
                self.answers["there"] += 1
