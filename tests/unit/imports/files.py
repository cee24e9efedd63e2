"""Files of events for tests, and what an import would send of them."""

from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from burgee.v1.capture_pb2 import Event
from burgee_server.cli.imports.batches import Batch, batch_id_of, read_batch
from burgee_server.cli.imports.mapping import Mapping, mapping_of
from burgee_server.cli.imports.reading import format_of, open_file

ORDERS = mapping_of({"event": {"constant": "placed"}, "distinct_id": "who", "timestamp": "at"})
"""A table that has no more than who and at."""


def batches(path: Path, mapping: Mapping | None = None) -> list[Batch]:
    """The batches of a file, whose name says its format."""
    reader, reading = open_file(path, format_of(path), mapping)
    try:
        return [read_batch(chunk, reading, batch_id_of(chunk, "salt")) for chunk in reader.chunks()]
    finally:
        reader.close()


def events(path: Path, mapping: Mapping | None = None) -> list[Event]:
    """The events of a file, none of which is rejected."""
    read = batches(path, mapping)
    assert [rejected.fault for batch in read for rejected in batch.rejected] == []
    return [event for batch in read for event in batch.request.events]


def faults(path: Path, mapping: Mapping | None = None) -> list[tuple[int, str, str]]:
    """Number, field and reason of what is rejected of a file."""
    found = [rejected.fault for batch in batches(path, mapping) for rejected in batch.rejected]
    return [(fault.number, fault.field, fault.reason) for fault in found]


def write(path: Path, content: str | bytes) -> Path:
    """The file, written."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_parquet(path: Path, columns: Table[str, Any], row_group_size: int | None = None) -> Path:
    """The same for Parquet."""
    pq.write_table(pa.table(dict(columns)), path, row_group_size=row_group_size)
    return path
