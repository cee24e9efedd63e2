"""Parquet: a record a row, read a part of a row group at a time."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from burgee_server.cli.imports.records import CHUNK_BYTES, CHUNK_RECORDS, Unreadable

_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=repr)


@dataclass(frozen=True, slots=True)
class ParquetRow:
    """A record: see the protocol."""

    number: int
    values: dict[str, Any]

    @property
    def raw(self) -> bytes:
        """The row as JSON: in the file it is spread over its columns."""
        return _encoder.encode(self.values)

    def fields(self) -> dict[str, Any]:
        """The values by column."""
        return dict(self.values)


class ParquetRows:
    """A chunk: see the protocol."""

    def __init__(self, first: int, batch: pa.RecordBatch) -> None:
        self._first = first
        self._batch = batch
        digest = hashlib.sha256(b"parquet:%d:" % first)
        digest.update(batch.serialize())
        self.digest = digest.hexdigest()

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def records(self) -> Iterator[ParquetRow]:
        """The rows."""
        names = self._batch.schema.names
        columns = [_values(column) for column in self._batch.columns]
        for number, values in enumerate(zip(*columns, strict=True), self._first):
            yield ParquetRow(number, dict(zip(names, values, strict=True)))


class ParquetReader:
    """A reader: see the protocol. Only what `select` leaves is read. Raises Unreadable."""

    unit = "row"

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"it is not Parquet: {error}") from None
        self.columns: Sequence[str] = self._file.schema_arrow.names
        self.size: int = self._file.metadata.num_rows
        self._read = 0

    def select(self, columns: Sequence[str]) -> None:
        """Read these columns only."""
        self.columns = columns

    def position(self) -> int:
        """Rows read so far."""
        return self._read

    def chunks(self) -> Iterator[ParquetRows]:
        """Up to 5,000 rows or about 2 MB at a time."""
        try:
            for batch in self._file.iter_batches(CHUNK_RECORDS, columns=list(self.columns), use_threads=False):
                for part in _parts(batch):
                    yield ParquetRows(self._read + 1, part)
                    self._read += part.num_rows
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"it cannot be read after row {self._read:,}: {error}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _values(column: pa.Array) -> Sequence[Any]:
    """A column in Python: what to_pylist gives, with maps as dicts, in a tenth of its time."""
    if pa.types.is_timestamp(column.type):
        return _moments(column)
    if pa.types.is_map(column.type):
        return _dicts(column)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [_text_or_bytes(value) for value in column.to_pylist()]
    nested = {"maps_as_pydicts": "strict"} if pa.types.is_nested(column.type) else {}
    values: Sequence[Any] = column.to_pylist(**nested)
    return values


def _text_or_bytes(value: bytes | None) -> str | bytes | None:
    """Text, where it is some: not every program that writes text to Parquet says so."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _moments(column: pa.Array) -> list[datetime | None]:
    """Times with a time zone in UTC, others as they are."""
    zone = UTC if column.type.tz else None
    begin = datetime(1970, 1, 1, tzinfo=zone)
    micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).to_pylist()
    return [None if value is None else begin + timedelta(microseconds=value) for value in micros]


def _dicts(column: pa.Array) -> list[dict[str, Any] | None]:
    ends = column.offsets.to_pylist()
    first, length = ends[0], ends[-1] - ends[0]
    keys = column.keys.slice(first, length).to_pylist()
    items = column.items.slice(first, length).to_pylist()
    return [
        dict(zip(keys[start - first : end - first], items[start - first : end - first], strict=True)) if valid else None
        for start, end, valid in zip(ends, ends[1:], column.is_valid().to_pylist(), strict=False)
    ]


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in parts of about CHUNK_BYTES."""
    rows = max(1, batch.num_rows * CHUNK_BYTES // max(batch.nbytes, CHUNK_BYTES))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)
