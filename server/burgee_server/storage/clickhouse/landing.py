"""How a StoredBatch gets into the tables, for the first time and again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from burgee_server.storage.clickhouse.batch_format import BatchFormat, delimited
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.schema import ACTIVITY_ROWS, EVENT_ROWS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# What is written must be what was captured: a text that looks like a date stays a text, and true beside a text or a
# number in a list stays true; a dot in a key is no path, and two equal keys are no fault: the first of them is kept.
JSON_SETTINGS: dict[str, str | int] = {
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "input_format_json_read_bools_as_strings": 0,
    "input_format_json_read_bools_as_numbers": 0,
    "json_type_escape_dots_in_keys": 1,
    "type_json_skip_duplicated_paths": 1,
    "max_dynamic_subcolumns_in_json_type_parsing": 128,
}

# Rows that replace each other become one when they are merged, and whenever they are read: to look for them in what is
# being inserted, and to copy it row by row, was a quarter of the work (docs/decisions/0076).
INSERT_SETTINGS: dict[str, str | int] = JSON_SETTINGS | {"max_partitions_per_insert_block": 0, "optimize_on_insert": 0}

# The sort key of `events`, which makes a row unique, in its own columns and in those of `staging`.
_KEY = "(environment_id, toDate(timestamp), event, uuid)"
_STAGED_KEY = "(environment_id, toDate(fromUnixTimestamp64Micro(timestamp_micros, 'UTC')), event, toUUID(uuid))"


def load(client: "Client", batch_format: BatchFormat, payload: bytes) -> None:
    """Insert a serialized StoredBatch of which nothing has been inserted yet."""
    _insert(client, batch_format, "landing", payload)


def load_again(client: "Client", layout: Layout, batch_format: BatchFormat, payload: bytes) -> None:
    """Insert what is missing of a serialized StoredBatch: any part of it may be there.

    An insert that was cut short has left some tables and months with all of their rows and others with none.
    """
    client.command("CREATE TEMPORARY TABLE IF NOT EXISTS staging AS SELECT * FROM landing")
    client.command("TRUNCATE TABLE staging")
    _insert(client, batch_format, "staging", payload)
    client.command(
        f"INSERT INTO events {EVENT_ROWS.format(source='staging')} WHERE {_STAGED_KEY} NOT IN"
        f" (SELECT {_KEY} FROM events WHERE {_KEY} {layout.in_} (SELECT {_STAGED_KEY} FROM staging))"
    )
    client.command(f"INSERT INTO activity {ACTIVITY_ROWS.format(source='staging')}")
    client.command("TRUNCATE TABLE staging")


def _insert(client: "Client", batch_format: BatchFormat, table: str, payload: bytes) -> None:
    def insert(settings: Mapping[str, str]) -> None:
        client.raw_insert(table, insert_block=delimited(payload), settings=dict(settings), fmt="ProtobufList")

    batch_format.run(insert)
