"""How ClickHouse is told to read a journalled StoredBatch: the protobuf itself, without a Python object on the way."""

import shutil
from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from clickhouse_connect.driver.exceptions import Error
from google.protobuf.descriptor import FieldDescriptor

from burgee_server.errors import Unavailable
from burgee_server.journal.v1.journal_pb2 import StoredEvent

T = TypeVar("T")

# How ClickHouse knows a field of StoredEvent: its type in a proto file, where text need not be UTF-8, and the type of
# its column. The one message is StoredGroup, an entry of a map.
_TYPES = {
    FieldDescriptor.TYPE_BYTES: ("string", "String"),
    FieldDescriptor.TYPE_UINT32: ("uint32", "UInt32"),
    FieldDescriptor.TYPE_INT64: ("int64", "Int64"),
    FieldDescriptor.TYPE_MESSAGE: ("map<string, string>", "Map(String, String)"),
}
_FIELDS = [(field.name, field.number, *_TYPES[field.type]) for field in StoredEvent.DESCRIPTOR.fields]

_SCHEMA = "\n".join(
    (
        'syntax = "proto3";',
        "message StoredEvent {",
        *(f"  {type_} {name} = {number};" for name, number, type_, _ in _FIELDS),
        "}",
    )
)
_SCHEMA_CACHE = "__cache__"
"""Where chDB keeps format schemas: in the working directory."""

COLUMNS = ", ".join(f"{name} {type_}" for name, _, _, type_ in _FIELDS)
"""The columns of a StoredEvent, as those of `landing`."""


class BatchFormat:
    """The settings with which ClickHouse reads a StoredBatch as ProtobufList.

    It keeps the schema in a file that is named after the schema's text, and believes in what it once found there, even
    what a full disk has cut off. Then the schema gets another text.
    """

    def __init__(self) -> None:
        self._edition = 1

    def run(self, work: Callable[[Mapping[str, str]], T]) -> T:
        """Do something with these settings. Raises Unavailable when the schema is at fault, and not the batch."""
        settings = {
            "format_schema_source": "string",
            "format_schema": f"{_SCHEMA}\n// edition {self._edition}",
            "format_schema_message_name": "StoredEvent",
        }
        try:
            return work(settings)
        except Error as error:
            if not _at_fault(error):
                raise
            shutil.rmtree(_SCHEMA_CACHE, ignore_errors=True)
            self._edition += 1
            raise Unavailable(f"the schema of the format could not be kept in {_SCHEMA_CACHE}/: {error}") from error


def _at_fault(error: Error) -> bool:
    return error.name == "CANNOT_PARSE_PROTOBUF_SCHEMA" or f"in the schema file '{_SCHEMA_CACHE}/" in str(error)


def delimited(payload: bytes) -> Generator[bytes, None, None]:
    """A serialized StoredBatch with its length before it: what ProtobufList reads. In two pieces.

    To make one of them, ten megabytes are copied in one go, and no other thread of Python runs meanwhile.
    """
    length = bytearray()
    number = len(payload)
    while number > 0x7F:
        length.append(number & 0x7F | 0x80)
        number >>= 7
    length.append(number)
    yield bytes(length)
    yield payload
