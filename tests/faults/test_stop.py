"""SIGTERM, and what must not hold it up."""

from pathlib import Path

import grpc

import burgee
from burgee.v1 import trend_pb2
from burgee.v1.insights_pb2_grpc import InsightServiceStub
from tests.faults.proxy import Proxy
from tests.faults.senders import EVENT, Senders
from tests.faults.test_kill import all_is_loaded
from tests.fixtures.clickhouse import ClickHouse
from tests.fixtures.serving import Serving, wait_for


def test_a_server_whose_clickhouse_has_fallen_silent_ends_by_itself_and_loses_nothing(tmp_path: Path) -> None:
    """Under load, an insert and a question on their way: the next start loads what was acknowledged, once."""
    clickhouse = ClickHouse()
    way = Proxy(clickhouse.address)
    settings = {"BURGEE_WAREHOUSE": clickhouse.dsn.replace(clickhouse.address, way.address)}
    server = Serving(tmp_path / "data", BURGEE_DRAIN_SECONDS="1", **settings).ready()
    try:
        senders = Senders(server.target, server.key, 0.02)
        senders.start()
        with burgee.Client(server.target, server.key) as client:
            wait_for(lambda: client.trend(EVENT, start="2026-01-01", end="2026-04-01").rows)
            way.cut()
            sent = senders.batches
            wait_for(lambda: senders.batches > sent + 20)
            senders.finish()
            question = trend_pb2.QueryTrendRequest(series=[trend_pb2.TrendSeries()])
            asked = client.stub(InsightServiceStub).QueryTrend.future(question, timeout=60)
            code, errors = server.stop()
            assert (code, "Thread 0x" in errors) == (0, False), errors
            assert asked.code() is grpc.StatusCode.UNAVAILABLE
        way.mend()
        server = Serving(tmp_path / "data", **settings).ready()
        with burgee.Client(server.target, server.key) as client:
            wait_for(lambda: all_is_loaded(client), 120)
            rows = client.trend(EVENT, start="2026-01-01", end="2026-04-01", interval="month").rows
        assert sum(rows[0].values) == senders.events
    finally:
        server.close()
        way.close()
        clickhouse.close()
