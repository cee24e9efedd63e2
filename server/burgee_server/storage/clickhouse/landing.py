"""How a journalled StoredBatch becomes rows without becoming Python objects: ClickHouse reads the protobuf itself."""

from typing import TYPE_CHECKING

from burgee_server.storage.clickhouse.schema import ACTIVITY_ROWS, EVENT_ROWS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# protos/burgee_server/journal/v1/journal.proto in the types that ClickHouse maps to the columns of `landing`.
_FORMAT_SCHEMA = """
syntax = "proto3";
message StoredEvent {
  string uuid = 1;
  string event = 2;
  string distinct_id = 3;
  map<string, string> groups = 4;
  string properties_json = 5;
  int64 timestamp_micros = 6;
  uint32 environment_id = 100;
  int64 received_at_micros = 101;
}
"""

# What is written must be what was captured: a text that looks like a date stays a text, a dot in a key is no path,
# and the last of two equal keys wins, as in every JSON parser.
JSON_SETTINGS: dict[str, str | int] = {
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "json_type_escape_dots_in_keys": 1,
    "type_json_skip_duplicated_paths": 1,
}

INSERT_SETTINGS: dict[str, str | int] = JSON_SETTINGS | {"max_partitions_per_insert_block": 0}

_BATCH_SETTINGS = {
    "format_schema_source": "string",
    "format_schema": _FORMAT_SCHEMA,
    "format_schema_message_name": "StoredEvent",
}


# The sort key of `events`, which makes a row unique, in the columns of `staging`.
_KEY = "(environment_id, toDate(timestamp), event, uuid)"
_STAGED_KEY = "(environment_id, toDate(fromUnixTimestamp64Micro(timestamp_micros, 'UTC')), event, toUUID(uuid))"


def load(client: "Client", payload: bytes) -> None:
    """Insert a serialized StoredBatch of which nothing has been inserted yet."""
    _insert(client, "landing", payload)


def load_again(client: "Client", payload: bytes) -> None:
    """Insert what is missing of a serialized StoredBatch: any part of it may be there. Doing it twice changes nothing.

    An insert that was cut short has left some tables and months with all of their rows and others with none.
    """
    client.command("CREATE TEMPORARY TABLE IF NOT EXISTS staging AS SELECT * FROM landing")
    client.command("TRUNCATE TABLE staging")
    try:
        _insert(client, "staging", payload)
        client.command(
            f"INSERT INTO events {EVENT_ROWS.format(source='staging')} WHERE {_STAGED_KEY} NOT IN"
            f" (SELECT {_KEY} FROM events WHERE {_KEY} IN (SELECT {_STAGED_KEY} FROM staging))"
        )
        client.command(f"INSERT INTO activity {ACTIVITY_ROWS.format(source='staging')}")
    finally:
        client.command("TRUNCATE TABLE staging")


def _insert(client: "Client", table: str, payload: bytes) -> None:
    block = _varint(len(payload)) + payload
    client.raw_insert(table, insert_block=block, settings=_BATCH_SETTINGS, fmt="ProtobufList")


def _varint(number: int) -> bytes:
    """The length that goes before a delimited protobuf message."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
