"""How a StoredBatch gets into the tables, for the first time and again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from burgee_server.storage.clickhouse.batch_format import BatchFormat, delimited
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.schema import ACTIVITY_ROWS, EVENT_ROWS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

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
