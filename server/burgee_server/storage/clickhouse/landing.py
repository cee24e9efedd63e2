"""How a journalled StoredBatch becomes rows without becoming Python objects: ClickHouse reads the protobuf itself."""

from typing import TYPE_CHECKING

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
# and the last of two equal keys wins, as in every JSON parser. One thread and no size limits make the blocks of a
# batch the same every time, which the deduplication by token goes by.
JSON_SETTINGS: dict[str, str | int] = {
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "json_type_escape_dots_in_keys": 1,
    "type_json_skip_duplicated_paths": 1,
}

INSERT_SETTINGS: dict[str, str | int] = JSON_SETTINGS | {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_insert_threads": 1,
    "max_partitions_per_insert_block": 0,
}

_BATCH_SETTINGS = {
    "format_schema_source": "string",
    "format_schema": _FORMAT_SCHEMA,
    "format_schema_message_name": "StoredEvent",
}


def insert_batch(client: "Client", payload: bytes, token: str) -> None:
    """Insert a serialized StoredBatch through `landing`. The same token twice is one insert."""
    client.raw_insert(
        "landing",
        insert_block=_varint(len(payload)) + payload,
        settings=_BATCH_SETTINGS | {"insert_deduplication_token": token},
        fmt="ProtobufList",
    )


def _varint(number: int) -> bytes:
    """The length that goes before a delimited protobuf message."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
