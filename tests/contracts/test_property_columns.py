"""Event properties with columns of their own: the same events, the same answers, whenever the columns came."""

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from burgee.evaluation import Condition, Json, Operator
from burgee_server.errors import Unavailable
from burgee_server.insights.asked import Terms
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, TimeRange
from burgee_server.ports.warehouse import Answer, Refused, Statement, number_column, property_column, text_column
from burgee_server.storage.clickhouse import ClickHouseWarehouse, property_columns
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.property_columns import PropertyColumns, add_property_columns
from tests.contracts.warehouses import REWRITTEN, warehouse_in
from tests.fixtures.until import until
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import EMBEDDED, Environment, Fact, WithoutColumns
from tests.unit.insights.asking import FixedClock

warehouse = warehouse_in(REWRITTEN, "module")
MARCH = TimeRange("2026-03-01", "2026-04-01")
HOSTILE = "it's.`x` \\ {p:String} %s; -- naïve" + 160 * "é"
VALUES: list[Json] = ["pro", "pro", "", "5", 5, 5.5, 2**63 + 2048, True, None, [5, "pro"], {"a": 1}]


@asynccontextmanager
async def opened(environment: Environment, *names: str) -> AsyncIterator[ClickHouseWarehouse]:
    """Another node on the same warehouse, whose settings name these properties."""
    dsn = environment.warehouse._loads._dsn
    warehouse = await ClickHouseWarehouse.open(dsn, query_clients=1, property_columns=names)
    try:
        yield warehouse
    finally:
        await warehouse.close()


async def commanded(warehouse: ClickHouseWarehouse, *statements: str) -> None:
    """Say something to the engine itself."""
    for each in statements:
        await warehouse._use(warehouse._loads, lambda client, sql=each: client.command(sql))


async def answers(warehouse: object, environment_id: int, name: str) -> tuple[dict[str, float], list[float]]:
    """How many events have each value; the sum of the numbers, and how many are "pro", and how many are more than 5."""
    asking = insights(warehouse, FixedClock())  # type: ignore[arg-type]
    ask = partial(asking.ask, terms=Terms(environment_id, ()))
    by_value = TrendQuery((Series(),), MARCH, breakdown=Breakdown((f"event.{name}",), 100))
    numbers = (
        Series(measure=Measure.SUM, property=name),
        Series(filter=Condition(f"event.{name}", Operator.EQUALS, ("pro",))),
        Series(filter=Condition(f"event.{name}", Operator.GT, (5,))),
        Series(filter=Condition(f"event.{name}", Operator.NOT_IN, (5, "5"))),
    )
    rows = (await ask(plan_trend, by_value)).answer.rows
    values = {row.part.value if row.part and row.part.value else str(row.part): row.total for row in rows}
    return values, [row.total for row in (await ask(plan_trend, TrendQuery(numbers, MARCH))).answer.rows]


class Watched(WithoutColumns):
    """A warehouse with columns that keeps what it is asked."""

    def __init__(self, warehouse: ClickHouseWarehouse) -> None:
        super().__init__(warehouse)
        self.property_columns = frozenset(warehouse.property_columns)
        self.said: list[str] = []

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        self.said.append(statement.sql)
        return await self._warehouse.query(statement, timeout)


async def test_a_property_may_get_its_columns_while_there_are_events(environment: Environment) -> None:
    """Events from before and from after answer the same, before they are filled and then, whatever type a value has.

    Columns that are not filled are not read, and a name is just a name.
    """
    mine = environment.environment_id
    await environment.load(*(Fact(properties={HOSTILE: each, "other": 1}) for each in VALUES))
    expected = await answers(environment.warehouse, mine, HOSTILE)
    assert math.isclose(expected[1][0], 5 + 5.5 + 2.0**63 + 2048)
    assert expected[1][1:] == [2, 2, 9]
    await commanded(environment.warehouse, "SYSTEM STOP MERGES events")
    try:
        async with opened(environment, HOSTILE) as node:
            assert HOSTILE not in node.property_columns
            assert await answers(node, mine, HOSTILE) == expected
            await commanded(node, "SYSTEM START MERGES events")
            await until(lambda: HOSTILE in node.property_columns)
            watched = Watched(node)
            assert await answers(watched, mine, HOSTILE) == expected
            # But for whether there is such a property at all, where the first event that has it is enough.
            said = [sql for sql in watched.said if not sql.endswith("LIMIT 1)")]
            assert said
            assert all(text_column(HOSTILE) in sql or number_column(HOSTILE) in sql for sql in said)
            assert await answers(WithoutColumns(node), mine, HOSTILE) == expected
            await Environment(node, mine).load(*(Fact(properties={HOSTILE: each}) for each in VALUES))
            twice = {value: 2 * total for value, total in expected[0].items()}, [2 * total for total in expected[1]]
            assert await answers(node, mine, HOSTILE) == twice
    finally:
        await commanded(environment.warehouse, "SYSTEM START MERGES events")


async def test_a_column_holds_what_the_json_has_of_its_type(environment: Environment) -> None:
    """A number in the text of a value is no number, and a great one is one."""
    async with opened(environment, "size") as node:
        await Environment(node, environment.environment_id).load(*(Fact(properties={"size": each}) for each in VALUES))
        texts, numbers = text_column("size"), number_column("size")
        rows = await node.query(
            Statement(
                f"SELECT arraySort(groupArray({texts})), arraySort(groupArray(toString({numbers}))), count(),"
                f" countIf({texts} IS NOT DISTINCT FROM {property_column('properties', 'size', 'String')})"
                " FROM events WHERE environment_id = {id:UInt32}",
                {"id": environment.environment_id},
            )
        )
    assert rows.rows == [[["", "5", "pro", "pro"], ["5", "5.5", "9223372036854778000"], len(VALUES), len(VALUES)]]


@EMBEDDED
async def test_a_start_while_columns_are_being_filled_does_not_begin_again(environment: Environment) -> None:
    """Whatever the name: one that ClickHouse writes without quotes, and one that needs them."""
    await environment.load(Fact(properties={"tier": "gold"}))
    await commanded(environment.warehouse, "SYSTEM STOP MERGES events")
    of_both = (
        "SELECT count() FROM system.mutations WHERE table = 'events' AND NOT is_done AND position(command, 'tier') > 0"
    )
    try:
        async with opened(environment, "tier", "the.tier"):
            assert (await environment.warehouse.query(Statement(of_both))).rows == [[4]]
        async with opened(environment, "tier", "the.tier") as node:
            assert (await environment.warehouse.query(Statement(of_both))).rows == [[4]]
            await commanded(node, "SYSTEM START MERGES events")
            await until(lambda: {"tier", "the.tier"} <= frozenset(node.property_columns))
    finally:
        await commanded(environment.warehouse, "SYSTEM START MERGES events")


async def test_columns_that_nobody_began_to_fill_are_filled_at_the_next_start(environment: Environment) -> None:
    """Whoever made them was killed in between, and the settings name them no more: they are kept, filled and read."""
    await environment.load(*(Fact(properties={"left": each}) for each in VALUES))
    made = Layout().add_column(
        "events", text_column("left"), "LowCardinality(Nullable(String))", "properties.left.:String"
    )
    more = Layout().add_column("events", number_column("left"), "Nullable(Float64)", "properties.left.:Int64")
    await commanded(environment.warehouse, made[0], more[0])
    async with opened(environment) as node:
        assert "left" not in node.property_columns
        await until(lambda: "left" in node.property_columns)
    async with opened(environment) as another:
        assert "left" in another.property_columns


async def test_a_warehouse_that_is_away_is_asked_again_whether_columns_are_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it calls its trouble. Only columns that a node knows of are read, and all of those are waited for."""
    monkeypatch.setattr(property_columns, "FIRST_LOOK_SECONDS", 0.001)
    looks: Iterator[frozenset[str] | Exception] = iter(
        (
            Unavailable("it is away"),
            Refused("ALL_CONNECTION_TRIED_FAILED", "a replica is away"),
            frozenset({"plan", "not yet"}),
            frozenset({"plan", "amount", "not yet"}),
        )
    )
    columns = PropertyColumns(Layout("three nodes"), frozenset({"plan", "amount"}), frozenset({"plan"}))
    seen = {columns.filled}

    async def look(_: object) -> Any:
        seen.add(columns.filled)
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    columns.follow(look)
    await until(lambda: columns.filled == {"plan", "amount"})
    await columns.close()
    assert seen == {frozenset({"plan"})}


class Halfway:
    """A node of a cluster between the two statements that give a column: the table of rows has it, the other not."""

    def command(self, sql: str) -> None:
        raise AssertionError(sql)

    def query(self, sql: str, **_: Any) -> Any:
        every, parts = ["text_plan", "number_plan"], [["uuid", 1], ["text_plan", 1], ["number_plan", 1]]
        late = [["text_late", 1], ["number_late", 1]]
        return type("Result", (), {"result_rows": [*parts, *late] if "parts_columns" in sql else [[x] for x in every]})


def test_columns_that_only_the_tables_of_rows_have_are_not_read_yet() -> None:
    """Questions go to the table over them."""
    node: Any = Halfway()
    assert add_property_columns(node, Layout("three nodes"), []).filled == {"plan"}
