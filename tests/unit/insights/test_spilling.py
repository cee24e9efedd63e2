"""Questions that need more memory than they may have go to the disk, and give the same answers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from burgee_server.insights.features import Feature, FeaturesQuery, plan_features
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.lifecycle import LifecycleQuery, plan_lifecycle
from burgee_server.insights.paths import PathsQuery, plan_paths
from burgee_server.insights.retention import RetentionQuery, Starts, Window, plan_retention
from burgee_server.insights.stickiness import StickinessQuery, plan_stickiness
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Happening
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Environment, new_environment
from tests.unit.insights.asking import GROUP_TYPES, MARCH, FixedClock

EVENTS, USERS, MEMORY = 240_000, 60_000, 8 << 20

_FILL = """
INSERT INTO events
    (environment_id, event, timestamp, uuid, distinct_id, groups, properties, properties_json, received_at)
SELECT {environment_id:UInt32}, ['a', 'b'][1 + intHash64(number) % 2],
    fromUnixTimestamp64Micro(toInt64(1772323200000000 + intHash64(number + 1) % 2678400000000), 'UTC') AS at,
    generateUUIDv4(), concat('somebody with a long name ', toString(number % {users:UInt32})), '{}',
    CAST(concat('{"x":"', toString(number % 7), '"}'), 'JSON'), '{}', at
FROM numbers({events:UInt64})
"""

QUESTIONS: list[tuple[Any, Any]] = [
    (plan_trend, TrendQuery((Series(measure=Measure.WEEKLY_ACTIVE),), MARCH)),
    (plan_funnel, FunnelQuery((Step("a"), Step("b")), MARCH, breakdown=Breakdown(("event.x",)))),
    (plan_retention, RetentionQuery(range=MARCH)),
    (plan_retention, RetentionQuery(range=MARCH, window=Window.ROLLING, breakdown=Breakdown(("event.x",)))),
    (plan_retention, RetentionQuery(range=MARCH, window=Window.ROLLING, starts=Starts.RECURRING)),
    (plan_lifecycle, LifecycleQuery(range=MARCH)),
    (plan_stickiness, StickinessQuery(range=MARCH)),
    (plan_paths, PathsQuery(range=MARCH)),
    (plan_features, FeaturesQuery((Feature(Happening("a")), Feature(Happening("b"))), MARCH)),
]


@pytest.fixture(scope="module")
async def crowd(warehouse: ClickHouseWarehouse, data_path: Path) -> Environment:
    """An environment of many users."""
    environment = new_environment(warehouse)
    client = clickhouse_connect.get_client(dsn=f"chdb://{data_path / 'events'}")
    parameters = {"environment_id": environment.environment_id, "events": EVENTS, "users": USERS}
    client.command(_FILL, parameters=parameters)
    client.close()
    return environment


@pytest.fixture(scope="module")
async def tight(data_path: Path) -> AsyncIterator[ClickHouseWarehouse]:
    """The same warehouse, with little memory for a question."""
    tight = await ClickHouseWarehouse.open(f"chdb://{data_path / 'events'}", query_clients=1, query_memory_bytes=MEMORY)
    yield tight
    await tight.close()


async def _spilled(warehouse: ClickHouseWarehouse) -> int:
    sql = (
        "SELECT sum(value) FROM system.events WHERE event IN ('ExternalAggregationWritePart', 'ExternalSortWritePart')"
    )
    return int((await warehouse.query(Statement(sql))).rows[0][0])


@pytest.mark.parametrize(("plan", "query"), QUESTIONS, ids=lambda each: getattr(each, "__name__", ""))
async def test_what_does_not_fit_into_memory_goes_to_the_disk(
    crowd: Environment, tight: ClickHouseWarehouse, plan: Any, query: Any
) -> None:
    """The answer is that of a warehouse with room, and something was written to the disk for it."""
    roomy = await insights(crowd.warehouse, FixedClock()).ask(plan, query, crowd.environment_id, GROUP_TYPES)
    before = await _spilled(crowd.warehouse)
    narrow = await insights(tight, FixedClock()).ask(plan, query, crowd.environment_id, GROUP_TYPES)
    assert await _spilled(crowd.warehouse) > before
    assert replace(narrow.answer, info=roomy.answer.info) == roomy.answer
