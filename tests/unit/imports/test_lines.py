"""NDJSON: which events come out of lines, and which lines are rejected."""

import gzip
import json

import pytest
from backports import zstd

from burgee.v1.capture_pb2 import Event
from burgee_server.cli.imports import source
from burgee_server.cli.imports.records import Unreadable
from tests.unit.imports.files import batches, events, faults, write

SEEN = '{"event": "seen", "distinct_id": "ann", "timestamp": 1772366400}'


def test_a_line_is_an_event_and_its_properties_stay_as_they_are_written(tmp_path):
    """Every field; numbers, spaces and repeated keys of the properties are not touched."""
    properties = '{ "b": 1.50,\t"a": null, "b": 12345678901234567890123, "text": "\\u00fc" }'
    line = (
        f'{{"uuid": "123e4567-e89b-42d3-a456-426614174000", "event": "seen", "distinct_id": "ann", "timestamp": '
        f'"2026-03-01T12:00:00Z", "groups": {{"company": "acme"}}, "properties": {properties}}}'
    )

    [event] = events(write(tmp_path / "e.ndjson", line))

    assert event == Event(
        uuid="123e4567-e89b-42d3-a456-426614174000",
        event="seen",
        distinct_id="ann",
        groups={"company": "acme"},
        properties_json=properties,
        timestamp_micros=1_772_366_400_000_000,
    )


def test_none_and_nothing_are_the_same(tmp_path):
    """Null groups, properties and uuid, as some programs write them."""
    nothing = SEEN.replace("}", ', "groups": null, "properties": null, "uuid": null}')
    [event] = events(write(tmp_path / "e.ndjson", nothing))
    assert (dict(event.groups), event.properties_json) == ({}, "")
    assert event.uuid


def test_a_line_without_a_uuid_gets_one_of_its_number_and_its_text(tmp_path):
    """Equal lines are different events; the same file has the same ones, with other line ends, too."""
    lines = [SEEN, SEEN, "", SEEN.replace("ann", "bob")]
    first = events(write(tmp_path / "e.ndjson", "\n".join(lines)))
    again = events(write(tmp_path / "again.ndjson", "\r\n".join(lines) + "\r\n"))
    moved = events(write(tmp_path / "moved.ndjson", "\n\n" + "\n".join(lines)))

    assert len({event.uuid for event in first}) == 3
    assert [event.uuid for event in first] == [event.uuid for event in again]
    assert {event.uuid for event in first}.isdisjoint(event.uuid for event in moved)
    ids = [batch.batch_id for name in ("e", "again", "moved") for batch in batches(tmp_path / f"{name}.ndjson")]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("line", "field", "words"),
    [
        ("no json", "line", "must be a JSON object"),
        ("[1]", "line", "Expected `object`"),
        ('{"event": "seen"', "line", "must be a JSON object"),
        ('{"evnt": "seen"}', "evnt", "is not a field of an event"),
        ('{"event": 7, "distinct_id": "ann", "timestamp": 1}', "event", "Expected `str"),
        ('{"event": "seen", "distinct_id": ["ann"], "timestamp": 1}', "distinct_id", "Expected `str"),
        ('{"event": "seen", "distinct_id": "ann"}', "timestamp", "is missing"),
        ('{"event": "seen", "distinct_id": "ann", "timestamp": "soon"}', "timestamp", "RFC 3339"),
        ('{"event": "seen", "distinct_id": "ann", "timestamp": 1e300}', "timestamp", "1970"),
        ('{"event": "seen", "distinct_id": "ann", "timestamp": {}}', "timestamp", "Expected"),
        (SEEN.replace("}", ', "groups": ["acme"]}'), "groups", "Expected `object"),
        (SEEN.replace("}", ', "groups": {"company": 7}}'), "groups", "Expected `str"),
        (SEEN.replace("}", ', "properties": [1]}'), "properties", "must be a JSON object"),
        (SEEN.replace("}", ', "properties": "x"}'), "properties", "must be a JSON object"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "a", "is not a field"),
    ],
)
def test_a_line_that_is_no_event_is_rejected_by_number_and_field(tmp_path, line, field, words):
    """And those before and after it are not."""
    path = write(tmp_path / "e.ndjson", f"{SEEN}\n\n{line}\n{SEEN}\n")
    [(number, found, reason)] = faults(path)
    assert (number, found) == (3, field)
    assert words in reason
    [batch] = batches(path)
    assert [record.number for record in batch.records] == [1, 4]


def test_a_line_that_is_not_utf8_is_rejected(tmp_path):
    """Wherever the byte is."""
    bad = SEEN.replace("ann", "ann\udce9").encode(errors="surrogateescape")
    inside = SEEN.replace("}", ', "properties": {"a": "\udce9"}}').encode(errors="surrogateescape")
    found = faults(write(tmp_path / "e.ndjson", b"\n".join([SEEN.encode(), bad, inside])))
    assert [number for number, _, _ in found] == [2, 3]


def test_batches_begin_and_end_at_the_same_records_and_have_ids_of_their_content(tmp_path):
    """Plain and packed alike; a changed line changes its own batch and no other."""
    lines = [json.dumps({"event": f"e{n}", "distinct_id": "ann", "timestamp": n}) for n in range(12_000)]
    text = "\n".join(lines).encode()
    plain = batches(write(tmp_path / "e.ndjson", text))
    lines[7_000] = lines[7_000].replace("ann", "bob")
    changed = batches(write(tmp_path / "changed.ndjson", "\n".join(lines)))

    assert [len(batch.records) for batch in plain] == [5_000, 5_000, 2_000]
    ids = [batch.request.batch_id for batch in plain]
    assert len(set(ids)) == 3
    assert max(map(len, ids)) <= 200
    for name, packed in (("e.ndjson.gz", gzip.compress(text)), ("e.jsonl.zst", zstd.compress(text))):
        assert [batch.request.batch_id for batch in batches(write(tmp_path / name, packed))] == ids
    assert [batch.request.batch_id == id_ for batch, id_ in zip(changed, ids, strict=True)] == [True, False, True]


def test_long_lines_make_small_batches(tmp_path):
    """A batch has about two megabytes."""
    line = json.dumps({"event": "e", "distinct_id": "a", "timestamp": 1, "properties": {"text": "x" * 60_000}})
    read = batches(write(tmp_path / "e.ndjson", f"{line}\n" * 100))
    assert sum(len(batch.records) for batch in read) == 100
    assert max(batch.request.ByteSize() for batch in read) < 2_300_000


@pytest.mark.parametrize(
    ("name", "pack"), [("e.ndjson.gz", gzip.compress), ("e.ndjson.zst", zstd.compress)], ids=["gzip", "zstd"]
)
@pytest.mark.parametrize("damage", ["cut", "scratched"])
def test_packed_data_that_is_damaged_is_told_apart_from_bad_lines(tmp_path, name, pack, damage):
    """It is the file that cannot be read on."""
    packed = pack("".join(SEEN.replace("ann", f"ann-{n * 7919 % 100_003}") + "\n" for n in range(40_000)).encode())
    middle = len(packed) // 2
    broken = packed[:middle] if damage == "cut" else packed[:middle] + bytes(50) + packed[middle + 50 :]
    with pytest.raises(Unreadable, match="packed data" if damage == "cut" else "damaged"):
        batches(write(tmp_path / name, broken))


def test_a_file_without_line_ends_is_not_read_into_memory(tmp_path, monkeypatch):
    """What is longer than a line may be is no file of lines."""
    monkeypatch.setattr(source, "MAX_LINE_BYTES", 1_000)
    with pytest.raises(Unreadable, match="line 2 is longer than 1,000 bytes"):
        batches(write(tmp_path / "e.ndjson", SEEN + "\n" + "[" * 2_000))


@pytest.mark.parametrize("name", ["e.ndjson", "e.ndjson.gz"])
def test_a_byte_order_mark_is_none_of_the_first_line(tmp_path, name):
    """As some editors and shells write it, also where the file is packed; the event is the same as without."""
    plain = write(tmp_path / "plain.ndjson", SEEN)
    marked = ("\ufeff" + SEEN + "\r\n").encode()
    path = write(tmp_path / name, gzip.compress(marked) if name.endswith(".gz") else marked)
    assert events(path) == events(plain)
