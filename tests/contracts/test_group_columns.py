"""Group types with a column of their own: the same events, the same answers, whenever the column came."""

from dataclasses import dataclass
from datetime import UTC, datetime

from burgee_server.insights.asked import Terms
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, TimeRange
from burgee_server.ports.warehouse import Statement, group_column
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.contracts.warehouses import REWRITTEN, warehouse_in
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import FixedClock

warehouse = warehouse_in(REWRITTEN, "module")
MARCH = TimeRange("2026-03-01", "2026-04-01")
SHOP = "shop `x` \\ %2E; --"


@dataclass(frozen=True)
class As:
    """A warehouse that says of other group types that they have columns."""

    warehouse: ClickHouseWarehouse
    group_columns: frozenset[str]
    property_columns: frozenset[str] = frozenset()

    async def query(self, statement: Statement, timeout: float | None = None) -> object:
        return await self.warehouse.query(statement, timeout)


async def events_by(warehouse: object, environment: Environment, group_type: str) -> dict[str, float]:
    """How many events each group has; of those without a group, under no name."""
    query = TrendQuery(
        (Series(), Series(measure=Measure.UNIQUE_GROUPS, group_type=group_type)),
        MARCH,
        breakdown=Breakdown((f"{group_type}.key",)),
    )
    asking = insights(warehouse, FixedClock())  # type: ignore[arg-type]
    answer = (await asking.ask(plan_trend, query, Terms(environment.environment_id, {group_type}))).answer
    return {row.part.value if row.part else "": row.total for row in answer.rows if row.series == 0}


async def test_a_type_may_get_its_column_while_there_are_events(environment: Environment) -> None:
    """Events from before and from after have it, also once they have been rewritten; the name is just a name."""
    first = environment.warehouse
    before = {SHOP: "north"}
    await environment.load(Fact(groups=before), Fact(groups={"team": "a"}), Fact(groups=before | {"team": "a"}))
    dsn = first._loads._dsn
    second = await ClickHouseWarehouse.open(dsn, query_clients=1, group_columns=("company", SHOP))
    try:
        assert {"company", SHOP} <= set(second.group_columns)
        there = Environment(second, environment.environment_id)
        await there.load(Fact(groups={SHOP: "south"}))
        await environment.load(Fact(groups=before))
        expected = {"north": 3, "south": 1, "": 1}
        assert await events_by(second, there, SHOP) == expected
        assert await events_by(As(second, frozenset()), there, SHOP) == expected
        await second._use(second._loads, lambda client: client.command("OPTIMIZE TABLE events FINAL"))
        assert await events_by(second, there, SHOP) == expected
    finally:
        await second.close()


async def test_a_type_that_is_on_the_list_no_more_keeps_its_column(environment: Environment) -> None:
    """Nothing is taken away, so a node that knows of it is never wrong."""
    again = await ClickHouseWarehouse.open(environment.warehouse._loads._dsn, query_clients=1, group_columns=())
    try:
        assert "company" in again.group_columns
    finally:
        await again.close()


async def test_the_time_and_the_groups_columns_are_those_of_the_event(environment: Environment) -> None:
    """They are never given and never asked for with everything; what has no company has none there, either."""
    late = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    await environment.load(Fact(groups={"company": "acme"}, timestamp=late), Fact(groups={"team": "a"}))
    rows = await environment.warehouse.query(
        Statement(
            f"SELECT countIf(day = toDate(timestamp)), countIf({group_column('company')} = 'acme'),"
            f" countIf(isNull({group_column('company')})), groupUniqArray(quarter_hour)"
            " FROM events WHERE environment_id = {id:UInt32}",
            {"id": environment.environment_id},
        )
    )
    assert [*rows.rows[0][:3], sorted(rows.rows[0][3])] == [2, 1, 1, [48, 95]]
