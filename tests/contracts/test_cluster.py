"""The statements for a cluster. The engine checks their syntax; that they do what they should, only a cluster says."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import Error

from burgee_server.ports.warehouse import Removal
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.batch_format import BatchFormat
from burgee_server.storage.clickhouse.erasing import erase
from burgee_server.storage.clickhouse.expiring import expire
from burgee_server.storage.clickhouse.group_columns import add_group_columns
from burgee_server.storage.clickhouse.landing import load_again
from burgee_server.storage.clickhouse.layout import Layout, layout_of
from burgee_server.storage.clickhouse.property_columns import add_property_columns
from burgee_server.storage.clickhouse.schema import migrate
from tests.fixtures.warehouse import EMBEDDED, Fact, batch

LAYOUT = Layout("three nodes")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Recorder:
    """Takes statements down and gives the answers that lead on: there are rows to remove, and none is left."""

    uri = "http://nowhere"

    def __init__(self) -> None:
        self.statements: list[tuple[str, dict[str, Any]]] = []

    def command(self, sql: str, parameters: Any = None, **_: Any) -> None:
        self.statements.append((sql, dict(parameters or {})))

    def query(self, sql: str, parameters: Any = None, **_: Any) -> Any:
        self.statements.append((sql, dict(parameters or {})))
        rows: list[list[Any]] = [[0]]
        if "system.mutations" in sql:
            rows = [[0, ""]]
        elif "system.columns" in sql or "system.parts_columns" in sql:
            rows = []
        elif "DISTINCT type" in sql:
            rows = [["company"], ["user"]]
        return type("Result", (), {"result_rows": rows})

    def raw_insert(self, *_: Any, **__: Any) -> None:
        """Has no syntax of its own."""


async def statements() -> list[tuple[str, dict[str, Any]]]:
    """Whatever is said to a cluster, but for questions, which are the same everywhere."""
    recorder = Recorder()
    client: Any = recorder
    migrate(client, LAYOUT)
    add_group_columns(client, LAYOUT, ["company"])
    add_property_columns(client, LAYOUT, ["plan"])
    load_again(client, LAYOUT, BatchFormat(), batch(1, Fact()))

    async def run(work: Callable[[Any], Any]) -> Any:
        return await asyncio.to_thread(work, client)

    removals = [Removal("company", "acme", NOON, 1, NOON), Removal("user", "ann", NOON, 1, NOON)]
    await erase(1, removals, LAYOUT, run, run)
    await expire({1: NOON}, LAYOUT, run)
    return recorder.statements


@EMBEDDED
async def test_the_engine_can_read_every_statement_for_a_cluster(
    warehouse: ClickHouseWarehouse, data_path: Path
) -> None:
    """Replicated and Distributed tables, views, removals: all of it, as it is sent."""
    said = await statements()
    assert len(said) > 40
    client = clickhouse_connect.get_client(dsn=f"chdb://{data_path / 'events'}")
    for sql, parameters in said:
        assert client.command(f"EXPLAIN AST {sql}", parameters=parameters), sql
    with pytest.raises(Error):
        client.command("EXPLAIN AST CREATE TABLE t ON CLUSTER (a String) ENGINE = Memory")
    client.close()


async def test_every_table_of_rows_is_replicated_and_asked_for_through_a_distributed_one() -> None:
    """What removes or changes rows names the local table, on the cluster; what reads or inserts, the other."""
    said = [sql for sql, _ in await statements()]
    for table in ("events", "persons", "aliases", "groups", "activity"):
        [local] = [sql for sql in said if f" {table}_local ON CLUSTER `three nodes` (" in sql]
        assert "ENGINE = Replicated" in local
        assert f"'/clickhouse/tables/{{shard}}/{{database}}/{table}_local', '{{replica}}'" in local
        [over] = [sql for sql in said if f" {table} ON CLUSTER `three nodes` (" in sql]
        assert f"Distributed(`three nodes`, currentDatabase(), {table}_local, cityHash64(" in over
    altered = [sql for sql in said if sql.startswith("ALTER")]
    assert all(" ON CLUSTER `three nodes` " in sql for sql in altered)
    of_both = [sql for sql in altered if any(f"TABLE {table} " in sql for table in ("events", "activity"))]
    assert all("TABLE events ON" in sql and "ADD COLUMN IF NOT EXISTS" in sql for sql in of_both)
    local = [sql.replace("events_local", "events") for sql in altered if "events_local" in sql]
    assert set(of_both) <= set(local)
    assert len(of_both) == 5


async def test_one_server_is_told_nothing_of_clusters() -> None:
    """The tables that it has had from the beginning."""
    recorder = Recorder()
    client: Any = recorder
    migrate(client, Layout())
    assert not [sql for sql, _ in recorder.statements if "CLUSTER" in sql or "Replicated" in sql or "_local" in sql]


@pytest.mark.parametrize(
    ("url", "dsn", "cluster"),
    [
        ("clickhouse://u:p@h:8123/d?cluster=c&secure=true", "clickhouse://u:p@h:8123/d?secure=true", "c"),
        ("clickhouse://u:p%40@h:8123/d", "clickhouse://u:p%40@h:8123/d", ""),
        ("chdb:///a/b", "chdb:///a/b", ""),
    ],
)
def test_the_cluster_is_named_in_the_url_and_nothing_else_of_it_changes(url: str, dsn: str, cluster: str) -> None:
    """The client is not told of it."""
    assert layout_of(url) == (dsn, Layout(cluster))


def test_a_cluster_may_have_any_name() -> None:
    """It is quoted."""
    assert Layout("a`b").on == " ON CLUSTER `a\\`b`"
