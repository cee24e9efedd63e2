"""Questions that need more memory than they may have go to the disk, and give the same answers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.asked import Terms
from burgee_server.insights.features import Feature, FeaturesQuery, plan_features
from burgee_server.insights.funnel import Attribution, FunnelQuery, Step, plan_funnel
from burgee_server.insights.lifecycle import LifecycleQuery, plan_lifecycle
from burgee_server.insights.paths import PathsQuery, plan_paths
from burgee_server.insights.retention import RetentionQuery, Starts, Window, plan_retention
from burgee_server.insights.stickiness import StickinessQuery, plan_stickiness
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Happening, TimeRange
from burgee_server.ports.criteria import Between, Events, InOrder
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.vocabulary import cohort, insights, with_cohorts
from tests.fixtures.warehouse import new_environment
from tests.unit.insights.asking import GROUP_TYPES, FixedClock

pytestmark = pytest.mark.soak

EVENTS, USERS, MEMORY = 1_000_000, 500_000, 48 << 20

# A month that nobody else's events are in: it is dropped at the end.
MAY = TimeRange("2019-05-01", "2019-06-01")
_FILL = """
INSERT INTO events
    (environment_id, event, timestamp, uuid, distinct_id, groups, properties, properties_json, received_at)
SELECT {environment_id:UInt32}, ['a', 'b'][1 + intHash64(number) % 2],
    fromUnixTimestamp64Micro(toInt64(1556668800000000 + intHash64(number + 1) % 2678400000000), 'UTC') AS at,
    generateUUIDv4(), concat('somebody with a long name ', toString(number % {users:UInt32})), '{}',
    CAST(concat('{"x":"', toString(number % 7), '"}'), 'JSON'), '{}', at
FROM numbers({events:UInt64})
"""

_BY_X = Breakdown(("event.x",))
_STEPS = (Step("a"), Step("b"))
_ROUTED = with_cohorts(
    cohort("routed", InOrder((Events("a"), Events("b")), timedelta(days=20), Between(MAY.start, MAY.end))),
)
_IS_ROUTED = Condition("user.key", Operator.IN_COHORT, ("routed",))

QUESTIONS: dict[str, tuple[Any, Any]] = {
    "trend, active in a week": (plan_trend, TrendQuery((Series(measure=Measure.WEEKLY_ACTIVE),), MAY)),
    "trend of a cohort": (plan_trend, TrendQuery((Series(measure=Measure.FIRST_TIME, filter=_IS_ROUTED),), MAY)),
    "funnel, split": (plan_funnel, FunnelQuery(_STEPS, MAY, breakdown=_BY_X)),
    "funnel, split at all steps": (
        plan_funnel,
        FunnelQuery(_STEPS, MAY, breakdown=_BY_X, attribution=Attribution.ALL_STEPS),
    ),
    "retention": (plan_retention, RetentionQuery(range=MAY)),
    "retention, rolling, split": (plan_retention, RetentionQuery(range=MAY, window=Window.ROLLING, breakdown=_BY_X)),
    "retention, rolling, recurring": (
        plan_retention,
        RetentionQuery(range=MAY, window=Window.ROLLING, starts=Starts.RECURRING),
    ),
    "lifecycle": (plan_lifecycle, LifecycleQuery(range=MAY)),
    "stickiness": (plan_stickiness, StickinessQuery(range=MAY)),
    "paths": (plan_paths, PathsQuery(range=MAY)),
    "features": (plan_features, FeaturesQuery((Feature(Happening("a")), Feature(Happening("b"))), MAY)),
}


@pytest.fixture(scope="module")
async def crowd(warehouse: ClickHouseWarehouse, data_path: Path) -> AsyncIterator[int]:
    """The id of an environment of many users."""
    environment = new_environment(warehouse)
    client = clickhouse_connect.get_client(dsn=f"chdb://{data_path / 'events'}")
    parameters = {"environment_id": environment.environment_id, "events": EVENTS, "users": USERS}
    client.command(_FILL, parameters=parameters)
    yield environment.environment_id
    client.command("ALTER TABLE events DROP PARTITION ID '201905'")
    client.close()


@pytest.fixture(scope="module")
async def tight(data_path: Path) -> AsyncIterator[ClickHouseWarehouse]:
    """The same warehouse, with little memory for a question: a tenth of what a server has."""
    tight = await ClickHouseWarehouse.open(f"chdb://{data_path / 'events'}", query_clients=1, query_memory_bytes=MEMORY)
    yield tight
    await tight.close()


async def _written(warehouse: ClickHouseWarehouse) -> int:
    sql = "SELECT sum(value) FROM system.events WHERE event = 'ExternalProcessingUncompressedBytesTotal'"
    return int((await warehouse.query(Statement(sql))).rows[0][0])


@pytest.mark.parametrize("name", QUESTIONS)
async def test_what_does_not_fit_into_memory_goes_to_the_disk(
    warehouse: ClickHouseWarehouse, crowd: int, tight: ClickHouseWarehouse, name: str
) -> None:
    """The answer is that of a warehouse with room, which wrote nothing; this one did, and did not fail."""
    plan, query = QUESTIONS[name]

    async def answer(of: ClickHouseWarehouse) -> tuple[Any, int]:
        before = await _written(warehouse)
        given = await insights(of, FixedClock(), _ROUTED).ask(plan, query, Terms(crowd, GROUP_TYPES))
        return given.answer, await _written(warehouse) - before

    roomy, in_memory = await answer(warehouse)
    narrow, on_disk = await answer(tight)
    assert in_memory == 0 < on_disk
    assert replace(narrow, info=roomy.info) == roomy
