"""Parquet: which events come out of rows, and how it is read."""

import uuid as uuids
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from burgee_server.cli.imports.mapping import BadMapping, mapping_of
from burgee_server.cli.imports.records import Unreadable
from tests.unit.imports.files import ORDERS, batches, events, faults, write, write_parquet

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MICROS = 1_772_366_400_000_000
WHO = {"event": {"constant": "e"}, "distinct_id": "who", "timestamp": "at"}


def test_burgees_own_names_need_no_mapping(tmp_path):
    """Groups as a map or as JSON text; nulls are none."""
    own = {
        "uuid": [str(uuids.UUID(int=7)), None],
        "event": ["seen", "seen"],
        "distinct_id": ["ann", "bob"],
        "timestamp": pa.array([NOON, NOON], pa.timestamp("us", "UTC")),
        "properties": ['{ "a": 1.50 }', None],
    }
    as_map = own | {"groups": pa.array([[("company", "acme")], None], pa.map_(pa.string(), pa.string()))}
    as_text = own | {"groups": ['{"company": "acme"}', None]}
    for columns in (as_map, as_text):
        ann, bob = events(write_parquet(tmp_path / "e.parquet", columns))
        assert (ann.uuid, dict(ann.groups), ann.properties_json) == (
            own["uuid"][0],
            {"company": "acme"},
            '{ "a": 1.50 }',
        )
        assert (ann.timestamp_micros, bob.timestamp_micros) == (MICROS, MICROS)
        assert (dict(bob.groups), bob.properties_json) == ({}, "")
        assert bob.uuid


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.timestamp("ns", "UTC"), NOON),
        (pa.timestamp("s"), NOON.replace(tzinfo=None)),
        (pa.timestamp("ms", "Europe/Berlin"), NOON),
        (pa.int64(), 1_772_366_400),
        (pa.float64(), 1_772_366_400.0),
        (pa.string(), "2026-03-01T12:00:00Z"),
    ],
    ids=str,
)
def test_a_time_may_have_any_type_that_has_times(tmp_path, kind, value):
    """One without a zone is in UTC."""
    path = write_parquet(tmp_path / "e.parquet", {"who": ["ann"], "at": pa.array([value], kind)})
    [event] = events(path, ORDERS)
    assert event.timestamp_micros == MICROS


def test_properties_may_have_any_type(tmp_path):
    """Numbers, decimals, times, lists, structs, maps, bytes; null is none; keys of numbers are text."""
    columns = {
        "who": [42.0],
        "at": [1_772_366_400],
        "company": [7],
        "amount": [Decimal("12.50")],
        "when": pa.array([NOON], pa.timestamp("us", "UTC")),
        "day": [date(2026, 3, 1)],
        "tags": [["a", "b"]],
        "nested": [{"x": {"y": 1}, "m": None}],
        "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        "none": pa.array([None], pa.int64()),
        "bytes": [b"\xff\x00"],
        "flag": [True],
    }
    mapping = mapping_of(WHO | {"groups": {"columns": {"company": "company"}}, "properties": {"rest": True}})

    [event] = events(write_parquet(tmp_path / "e.parquet", columns), mapping)

    assert (event.distinct_id, dict(event.groups)) == ("42", {"company": "7"})
    assert event.properties_json == (
        '{"amount":12.50,"when":"2026-03-01T12:00:00Z","day":"2026-03-01","tags":["a","b"],'
        '"nested":{"x":{"y":1},"m":null},"map":{"k":1},"bytes":"/wA=","flag":true}'
    )


def test_text_that_is_not_marked_as_text_is_text(tmp_path):
    """As older programs write it: names, times and JSON as bytes."""
    columns = {
        "who": pa.array([b"Ren\xc3\xa9e"], pa.binary()),
        "at": pa.array([b"2026-03-01T12:00:00Z"], pa.large_binary()),
        "props": pa.array([b'{"a":1}'], pa.binary()),
    }
    path = write_parquet(tmp_path / "e.parquet", columns)
    [event] = events(path, mapping_of(WHO | {"properties": {"object": "props"}}))
    assert (event.distinct_id, event.timestamp_micros, event.properties_json) == ("Renée", MICROS, '{"a":1}')


def test_a_path_leads_into_structs_and_into_json_text(tmp_path):
    """A name with a dot that is there is that name."""
    columns = {
        "who": ["ann"],
        "at": [1],
        "context": [{"groups": {"company": "acme"}}],
        "text": ['{"team": {"key": "red"}}'],
        "a.b": ["c"],
    }
    paths = {"company": "context.groups.company", "team": "text.team.key", "unit": "a.b"}
    [event] = events(write_parquet(tmp_path / "e.parquet", columns), mapping_of(WHO | {"groups": {"columns": paths}}))
    assert dict(event.groups) == {"company": "acme", "team": "red", "unit": "c"}


def test_rows_are_numbered_through_all_row_groups_and_make_the_same_batches_each_time(tmp_path):
    """Rows without a uuid are told apart by number and content; small row groups do not make other events."""
    columns = {"who": [f"u{n}" for n in range(12_000)], "at": [n % 7 for n in range(12_000)]}
    path = write_parquet(tmp_path / "e.parquet", columns, row_group_size=4_000)

    first, again = batches(path, ORDERS), batches(path, ORDERS)
    elsewhere = batches(write_parquet(tmp_path / "one.parquet", columns), ORDERS)

    assert [record.number for batch in first for record in batch.records] == list(range(1, 12_001))
    assert [batch.request for batch in first] == [batch.request for batch in again]
    assert len({event.uuid for batch in first for event in batch.request.events}) == 12_000
    assert [event.uuid for batch in first for event in batch.request.events] == [
        event.uuid for batch in elsewhere for event in batch.request.events
    ]


def test_large_rows_make_small_batches(tmp_path):
    """About two megabytes each."""
    columns = {"who": ["ann"] * 300, "at": [1] * 300, "text": ["x" * 30_000] * 300}
    path = write_parquet(tmp_path / "e.parquet", columns)
    read = batches(path, mapping_of(WHO | {"properties": {"rest": True}}))
    assert sum(len(batch.records) for batch in read) == 300
    assert max(batch.request.ByteSize() for batch in read) < 2_300_000


def test_a_row_that_is_no_event_is_rejected_by_its_number(tmp_path):
    """A group that is a list, and a time that is none."""
    columns = {"who": ["ann", "bob", "cid"], "at": [1, None, 3], "company": [["a"], ["b"], None]}
    mapping = mapping_of(WHO | {"groups": {"columns": {"company": "company"}}})
    found = faults(write_parquet(tmp_path / "e.parquet", columns), mapping)
    assert [(number, field) for number, field, _ in found] == [(1, "groups[company]"), (2, "timestamp")]


def test_what_is_not_parquet_cannot_be_read(tmp_path):
    """Also where only its end is missing."""
    whole = write_parquet(tmp_path / "e.parquet", {"who": ["ann"], "at": [1]}).read_bytes()
    for content in (b"", b"who,at\n", whole[:-20]):
        with pytest.raises(Unreadable, match="is not Parquet"):
            batches(write(tmp_path / "e.parquet", content), ORDERS)


def test_a_column_that_is_named_and_not_there_is_an_error(tmp_path):
    """By the key of the mapping."""
    path = write_parquet(tmp_path / "e.parquet", {"who": ["ann"], "at": [1]})
    with pytest.raises(BadMapping, match=r"properties.columns.plan: there is no column 'plan'; there are: who, at"):
        batches(path, mapping_of(WHO | {"properties": {"columns": {"plan": "plan"}}}))
