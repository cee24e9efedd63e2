"""How a journalled StoredBatch becomes rows without becoming Python objects: ClickHouse reads the protobuf itself."""

from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor

from burgee_server.journal.v1.journal_pb2 import StoredEvent

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# How ClickHouse knows a field of StoredEvent: its type in a proto file, where text need not be UTF-8, and the type of
# its column. The one message is StoredGroup, an entry of a map.
_TYPES = {
    FieldDescriptor.TYPE_BYTES: ("string", "String"),
    FieldDescriptor.TYPE_UINT32: ("uint32", "UInt32"),
    FieldDescriptor.TYPE_INT64: ("int64", "Int64"),
    FieldDescriptor.TYPE_MESSAGE: ("map<string, string>", "Map(String, String)"),
}
_FIELDS = [(field.name, field.number, *_TYPES[field.type]) for field in StoredEvent.DESCRIPTOR.fields]

_FORMAT_SCHEMA = "\n".join(
    (
        'syntax = "proto3";',
        "message StoredEvent {",
        *(f"  {type_} {name} = {number};" for name, number, type_, _ in _FIELDS),
        "}",
    )
)
COLUMNS = ", ".join(f"{name} {type_}" for name, _, _, type_ in _FIELDS)
"""The columns of a StoredEvent, as those of `landing`."""

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

BATCH_SETTINGS = {
    "format_schema_source": "string",
    "format_schema": _FORMAT_SCHEMA,
    "format_schema_message_name": "StoredEvent",
}
"""What ClickHouse needs to read a StoredBatch as ProtobufList."""


def insert_batch(client: "Client", payload: bytes, token: str) -> None:
    """Insert a serialized StoredBatch through `landing`. The same token twice is one insert."""
    client.raw_insert(
        "landing",
        insert_block=delimited(payload),
        settings=BATCH_SETTINGS | {"insert_deduplication_token": token},
        fmt="ProtobufList",
    )


def delimited(payload: bytes) -> bytes:
    """A serialized StoredBatch with its length before it: what ProtobufList reads."""
    length = bytearray()
    number = len(payload)
    while number > 0x7F:
        length.append(number & 0x7F | 0x80)
        number >>= 7
    length.append(number)
    return bytes(length) + payload
