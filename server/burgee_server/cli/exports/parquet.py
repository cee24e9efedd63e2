"""Parquet: an event a row, in columns that other warehouses read without being told."""

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from burgee.v1.capture_pb2 import Event

ROW_GROUP_EVENTS = 100_000
ROW_GROUP_BYTES = 64 << 20

SCHEMA = pa.schema(
    [
        pa.field("uuid", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("distinct_id", pa.string(), nullable=False),
        pa.field("timestamp", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("groups", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("properties", pa.string()),
    ]
)
"""`properties` is JSON text as it was captured, and null for none."""


class ParquetWriter:
    """Writes to an open file, which stays the caller's, a row group at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(file, SCHEMA, compression="zstd")
        self._batches: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def write(self, events: Sequence[Event]) -> None:
        """Write events."""
        batch = _batch(events)
        self._batches.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= ROW_GROUP_EVENTS or self._bytes >= ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what was held back, and what makes it a Parquet file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches), row_group_size=self._rows)
        self._batches = []
        self._rows = self._bytes = 0


def _batch(events: Sequence[Event]) -> pa.RecordBatch:
    columns = [
        [event.uuid for event in events],
        [event.event for event in events],
        [event.distinct_id for event in events],
        [event.timestamp_micros for event in events],
        [list(event.groups.items()) for event in events],
        [event.properties_json or None for event in events],
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
