"""What a file holds, whatever its format: records, gathered into chunks that come out the same whenever it is read."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

CHUNK_RECORDS = 5_000
CHUNK_BYTES = 2 << 20

_READING = b"burgee-import-1"
"""Another number wherever the same record begins to give another event: what was imported is then sent once more."""


class NotAnEvent(Exception):
    """A record that cannot be sent: the column or field at fault, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


class Record(Protocol):
    """A line of JSON, a row of a table."""

    @property
    def number(self) -> int:
        """Its line in the file, or its row; the first is 1."""

    @property
    def raw(self) -> bytes:
        """As it is in the file: what tells it from another, and what is shown of one that was rejected."""

    def fields(self) -> dict[str, Any]:
        """Its values by name; the caller's to change. Raises NotAnEvent if it cannot be read."""


class Chunk(Protocol):
    """Some records that follow one another."""

    @property
    def digest(self) -> str:
        """Made of the records and their numbers: the same for the same, and for no others."""

    def __len__(self) -> int:
        """How many records."""

    def records(self) -> Iterable[Record]:
        """The records."""


class Reader(Protocol):
    """An open file."""

    @property
    def unit(self) -> str:
        """What a record's number counts: "line" or "row"."""

    @property
    def columns(self) -> Sequence[str] | None:
        """The names that every record has; None where each has its own."""

    @property
    def size(self) -> int | None:
        """How much there is to read; None if nobody knows."""

    def position(self) -> int:
        """How much of `size` has been read."""

    def chunks(self) -> Iterable[Chunk]:
        """The records, once. Raises Unreadable where the file is not what it should be."""

    def close(self) -> None:
        """Let go of the file."""


class Unreadable(Exception):
    """A file that cannot be read on. The message says where and why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that is not an event, or that the server did not take."""

    number: int
    field: str
    reason: str


def digest_of(format_name: str, numbered: Iterable[tuple[int, bytes]]) -> str:
    """A digest of records of a format, by their numbers and what they hold."""
    digest = hashlib.sha256(b"%b:%b:" % (_READING, format_name.encode()))
    for number, raw in numbered:
        digest.update(b"%d:%d:" % (number, len(raw)))
        digest.update(raw)
    return digest.hexdigest()


def uuid_of(record: Record) -> str:
    """A uuid for a record that has none, made of its number and its text: the same whenever the file is read."""
    return as_uuid(hashlib.sha256(b"%d:%b" % (record.number, record.raw)).hexdigest())


def as_uuid(digest: str) -> str:
    """A digest of 32 hexadecimal digits or more as a uuid of version 8, which is what people make of what they like."""
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
