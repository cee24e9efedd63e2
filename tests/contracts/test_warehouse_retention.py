"""What every Warehouse promises about events that have grown old, on chDB."""

from datetime import UTC, datetime, timedelta

from tests.contracts.warehouses import REWRITTEN, warehouse_in
from tests.fixtures.warehouse import Environment, Fact, new_environment

warehouse = warehouse_in(REWRITTEN, "module")
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


async def days(environment: Environment) -> list[datetime]:
    """Timestamps of the events that are there, oldest first."""
    events = await environment.warehouse.timeline(environment.environment_id, limit=100)
    return [event.timestamp for event in events][::-1]


async def test_each_environment_keeps_what_is_not_older_than_it_says(environment: Environment) -> None:
    """To the microsecond, whole months included; an environment that is not named keeps everything."""
    longer, other = new_environment(environment.warehouse), new_environment(environment.warehouse)
    moments = [FIRST - timedelta(days=400), FIRST - timedelta(days=40), FIRST - TICK, FIRST, FIRST + timedelta(days=3)]
    for each in (environment, longer, other):
        await each.load(*(Fact(distinct_id=f"{moment:%d}", timestamp=moment) for moment in moments))
    keeps_from = {environment.environment_id: FIRST, longer.environment_id: FIRST - timedelta(days=40)}

    assert await environment.warehouse.expire(keeps_from)

    assert await days(environment) == moments[3:]
    assert await days(longer) == moments[1:]
    assert await days(other) == moments
    seen = await environment.warehouse.seen(environment.environment_id, "user", "", 10)
    assert [each.key for each in seen] == ["01", "04"]
    assert not await environment.warehouse.expire(keeps_from)
