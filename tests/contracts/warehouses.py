"""A warehouse of each kind, for a contract: in the database of all tests, or in that of those which rewrite tables."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import clickhouse_connect
import pytest

from burgee_server.storage.clickhouse import ClickHouseWarehouse

REWRITTEN = "rewritten"
"""Where there is nothing but what contracts that rewrite whole tables leave behind. Elsewhere lie the months of all
tests, each of which such a statement writes anew."""


def warehouse_in(database: str, scope: Literal["session", "module"]) -> Any:
    """A fixture: a warehouse in the directory that a server of this session would use, and one over HTTP."""

    @pytest.fixture(scope=scope, params=["chdb", "clickhouse"])
    async def warehouse(request: pytest.FixtureRequest, data_path: Path) -> AsyncIterator[ClickHouseWarehouse]:
        embedded = f"chdb://{data_path / 'events'}?database="
        base = (
            embedded if request.param == "chdb" else request.getfixturevalue("clickhouse").dsn.removesuffix("default")
        )
        with clickhouse_connect.get_client(dsn=f"{base}default") as client:
            client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        warehouse = await ClickHouseWarehouse.open(f"{base}{database}", query_clients=2)
        yield warehouse
        await warehouse.close()

    return warehouse
