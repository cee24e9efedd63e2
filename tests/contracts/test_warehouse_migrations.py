"""What a warehouse directory of an earlier Burgee becomes, with what is in it."""

import json
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from burgee_server.storage.clickhouse.batch_format import BatchFormat
from burgee_server.storage.clickhouse.landing import load
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.nesting import FLAT_PROPERTIES
from burgee_server.storage.clickhouse.schema import MIGRATIONS, migrate, versions_table
from burgee_server.storage.clickhouse.settings import INSERT_SETTINGS
from tests.fixtures.warehouse import Fact, batch

AS_CAPTURED = "if(properties_json = '', '{}', properties_json)"
"""What version 9 asked for, and what a step that brings the view of now has to replace."""


@pytest.fixture
def client(data_path: Path) -> Iterator[Client]:
    """Of a database of its own, in the engine that the session has."""
    dsn = f"chdb://{data_path / 'events'}"
    with clickhouse_connect.get_client(dsn=dsn) as session:
        session.command("CREATE DATABASE earlier")
        with clickhouse_connect.get_client(dsn=dsn, database="earlier") as client:
            for name, value in INSERT_SETTINGS.items():
                client.set_client_setting(name, value)
            yield client
        session.command("DROP DATABASE earlier")


def begin(client: Client, version: int) -> None:
    """Make the tables as that version had them, with the view of version 9."""
    layout, replaced = Layout(), 0
    client.command(versions_table(layout))
    for number, statements in enumerate(MIGRATIONS[:version], 1):
        for statement in statements(layout):
            replaced += FLAT_PROPERTIES.format() in statement
            client.command(statement.replace(FLAT_PROPERTIES.format(), AS_CAPTURED))
        client.command(f"INSERT INTO schema_versions (version) SELECT {number}")
    assert replaced == (1 if version < 12 else 2)


def tables(client: Client) -> dict[str, str]:
    """What each table and view was made by, as if now."""
    sql = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    return dict(client.query(sql).result_rows)


@pytest.mark.parametrize("version", [9, 12])
def test_an_earlier_directory_has_what_was_in_it_and_takes_what_comes_in_the_form_of_now(
    client: Client, version: int
) -> None:
    """Events keep their form, also when they are merged with later ones; a second time nothing changes."""
    properties = {"x": 1e20, "l": [[1], "a", True]}
    begin(client, version)
    load(client, BatchFormat(), batch(1, Fact("before", "ann", groups={"company": "a"}, properties=properties)))

    migrate(client, Layout())
    load(client, BatchFormat(), batch(1, Fact("since", "ben", groups={"company": "b"}, properties=properties)))

    client.command("OPTIMIZE TABLE events FINAL")
    sql = "SELECT event, toJSONString(properties), properties_json FROM events ORDER BY event"
    found = {event: (json.loads(kept), json.loads(text)) for event, kept, text in client.query(sql).result_rows}
    assert found == {
        "before": (properties, properties),
        "since": ({"x": 1e20, "l": ["[1]", "a", True]}, properties),
    }
    sql = "SELECT type, key FROM activity GROUP BY ALL ORDER BY ALL"
    assert client.query(sql).result_rows == [("company", "a"), ("company", "b"), ("user", "ann"), ("user", "ben")]

    made = tables(client)
    merged = {name for name, query in made.items() if "min_rows_to_fsync_after_merge = 1" in query}
    few = {name for name, query in made.items() if "merge_max_dynamic_subcolumns_in_wide_part = 128" in query}
    assert few == {"events", "persons", "groups", "profile_versions"}
    assert merged == few | {"activity", "aliases", "cohort_members"}
    assert "vertical_merge_algorithm_min_columns_to_activate = 1" in made["events"]

    versions = "SELECT version FROM schema_versions ORDER BY version"
    assert [number for (number,) in client.query(versions).result_rows] == list(range(1, len(MIGRATIONS) + 1))
    migrate(client, Layout())
    assert (tables(client), len(client.query(versions).result_rows)) == (made, len(MIGRATIONS))
    for statements in MIGRATIONS[version:]:  # as after a step that was cut short
        for statement in statements(Layout()):
            client.command(statement)
    assert tables(client) == made
