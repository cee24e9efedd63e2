"""How a journalled StoredBatch becomes rows without becoming Python objects: ClickHouse reads the protobuf itself."""

import shutil
from typing import TYPE_CHECKING

from clickhouse_connect.driver.exceptions import Error

from burgee_server.errors import Unavailable
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

_SCHEMA_CACHE = "__cache__"
"""Where chDB keeps format schemas: in the working directory."""

# The sort key of `events`, which makes a row unique, in its own columns and in those of `staging`.
_KEY = "(environment_id, toDate(timestamp), event, uuid)"
_STAGED_KEY = "(environment_id, toDate(fromUnixTimestamp64Micro(timestamp_micros, 'UTC')), event, toUUID(uuid))"


class Landing:
    """Inserts batches, one at a time."""

    def __init__(self) -> None:
        self._schema_edition = 1

    def load(self, client: "Client", payload: bytes) -> None:
        """Insert a serialized StoredBatch of which nothing has been inserted yet."""
        self._insert(client, "landing", payload)

    def load_again(self, client: "Client", payload: bytes) -> None:
        """Insert what is missing of a serialized StoredBatch: any part of it may be there.

        An insert that was cut short has left some tables and months with all of their rows and others with none.
        """
        client.command("CREATE TEMPORARY TABLE IF NOT EXISTS staging AS SELECT * FROM landing")
        client.command("TRUNCATE TABLE staging")
        self._insert(client, "staging", payload)
        client.command(
            f"INSERT INTO events {EVENT_ROWS.format(source='staging')} WHERE {_STAGED_KEY} NOT IN"
            f" (SELECT {_KEY} FROM events WHERE {_KEY} IN (SELECT {_STAGED_KEY} FROM staging))"
        )
        client.command(f"INSERT INTO activity {ACTIVITY_ROWS.format(source='staging')}")
        client.command("TRUNCATE TABLE staging")

    def _insert(self, client: "Client", table: str, payload: bytes) -> None:
        settings = {
            "format_schema_source": "string",
            "format_schema": f"// {self._schema_edition}{_FORMAT_SCHEMA}",
            "format_schema_message_name": "StoredEvent",
        }
        block = _varint(len(payload)) + payload
        try:
            client.raw_insert(table, insert_block=block, settings=settings, fmt="ProtobufList")
        except Error as error:
            if error.name == "CANNOT_PARSE_PROTOBUF_SCHEMA" or f"in the schema file '{_SCHEMA_CACHE}/" in str(error):
                # Not the fault of the events, which must not go to quarantine for it. ClickHouse keeps a schema in a
                # file named after its text, and believes in what it once found there, even what a full disk cut off.
                shutil.rmtree(_SCHEMA_CACHE, ignore_errors=True)
                self._schema_edition += 1
                raise Unavailable(f"the schema of the format could not be kept in {_SCHEMA_CACHE}/: {error}") from error
            raise


def _varint(number: int) -> bytes:
    """The length that goes before a delimited protobuf message."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
