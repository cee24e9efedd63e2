"""What `burgee export` writes, and that `burgee import` reads it."""

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from burgee.v1.capture_pb2 import Event
from burgee_server.cli.exports import parquet
from burgee_server.cli.exports.ndjson import NdjsonWriter
from burgee_server.cli.exports.parquet import ParquetWriter
from burgee_server.cli.exports.target import open_target
from tests.unit.imports.files import events

NOON = 1_772_366_400_000_000
EVENTS = [
    Event(
        uuid="00000000-0000-4000-8000-000000000001",
        event="report created",
        distinct_id="ann",
        groups={"company": "acme", "team": "a.b"},
        properties_json='{ "b": 1.50, "a": null, "b": 2, "n": 123456789012345678901234567890, "t": "\\n \u2028 🦄" }',
        timestamp_micros=NOON + 1,
    ),
    Event(uuid="00000000-0000-4000-8000-000000000002", event="日本", distinct_id='o"neil', timestamp_micros=NOON),
    Event(uuid="00000000-0000-4000-8000-000000000003", event="e", distinct_id="a", properties_json="{}"),
]


def export(path: Path, *batches: list[Event]) -> Path:
    """These events in a file, whose name says its format."""
    with open_target(path) as target:
        writer = ParquetWriter(target) if path.suffix == ".parquet" else NdjsonWriter(target)
        for batch in batches:
            writer.write(batch)
        writer.close()
    return path


@pytest.mark.parametrize("name", ["e.parquet", "e.ndjson", "e.ndjson.gz", "e.jsonl.zst"])
def test_what_export_writes_import_reads(tmp_path, name):
    """Every field, to the byte and to the microsecond."""
    assert events(export(tmp_path / name, EVENTS[:1], EVENTS[1:])) == EVENTS


def test_a_file_may_have_no_events(tmp_path):
    """And is a file of its format nonetheless."""
    assert events(export(tmp_path / "e.parquet")) == []
    assert events(export(tmp_path / "e.ndjson")) == []


def test_lines_are_for_people_and_leave_out_what_is_not_there(tmp_path):
    """Times in RFC 3339; line breaks in captured JSON do not break the line."""
    broken = Event()
    broken.CopyFrom(EVENTS[1])
    broken.properties_json = '{\r\n  "a": "x\\ny"\n}'
    path = export(tmp_path / "e.ndjson", [broken, EVENTS[2]])

    first, second = path.read_text().splitlines()

    assert first == (
        '{"event":"日本","distinct_id":"o\\"neil","timestamp":"2026-03-01T12:00:00.000000Z",'
        '"uuid":"00000000-0000-4000-8000-000000000002","properties":{    "a": "x\\ny" }}'
    )
    assert json.loads(second) == {
        "event": "e",
        "distinct_id": "a",
        "timestamp": "1970-01-01T00:00:00.000000Z",
        "uuid": "00000000-0000-4000-8000-000000000003",
        "properties": {},
    }


def test_parquet_has_types_that_need_no_explanation(tmp_path):
    """Text, a time in UTC, a map; null for no properties."""
    table = pq.read_table(export(tmp_path / "e.parquet", EVENTS))
    assert [(field.name, str(field.type)) for field in table.schema if field.name != "groups"] == [
        ("uuid", "string"),
        ("event", "string"),
        ("distinct_id", "string"),
        ("timestamp", "timestamp[us, tz=UTC]"),
        ("properties", "string"),
    ]
    assert pa.types.is_map(table.schema.field("groups").type)
    assert table["properties"].to_pylist() == [EVENTS[0].properties_json, None, "{}"]


def test_row_groups_are_bounded_by_rows_and_by_bytes(tmp_path, monkeypatch):
    """However small the parts are in which events arrive."""
    monkeypatch.setattr(parquet, "ROW_GROUP_EVENTS", 10)
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 10_000)
    small = [Event(uuid="u", event="e", distinct_id="a")] * 4
    large = [Event(uuid="u", event="e", distinct_id="a", properties_json="x" * 6_000)] * 2
    metadata = pq.ParquetFile(export(tmp_path / "e.parquet", *[small] * 7, *[large] * 3)).metadata
    rows = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert rows == [12, 12, 6, 2, 2]


def test_a_file_is_seen_when_it_is_whole_and_not_before(tmp_path):
    """An export that fails leaves what was there, and nothing of its own."""
    path = tmp_path / "e.ndjson.gz"
    path.write_bytes(gzip.compress(b"before"))

    def fail() -> None:
        with open_target(path) as target:
            target.write(b"half")
            assert gzip.decompress(path.read_bytes()) == b"before"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert gzip.decompress(path.read_bytes()) == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_is_written_as_it_comes_and_stays_what_it_is(tmp_path):
    """A pipe, as a device: to put a file in its place would take it away from everybody else."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipe.read_bytes)
        export(pipe, EVENTS)
    assert len(read.result().splitlines()) == len(EVENTS)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_link_stays_one_and_the_file_behind_it_is_written(tmp_path):
    """Whoever reads the other name finds the events, too."""
    link, file = tmp_path / "link.ndjson", tmp_path / "elsewhere" / "e.ndjson"
    file.parent.mkdir()
    link.symlink_to(file)
    export(link, EVENTS)
    assert link.is_symlink()
    assert events(file) == EVENTS
