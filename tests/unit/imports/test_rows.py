"""CSV: which events come out of rows, and which rows are rejected."""

import pytest

from burgee_server.cli.imports.mapping import BadMapping, mapping_of
from burgee_server.cli.imports.records import Unreadable
from tests.unit.imports.files import ORDERS, batches, events, faults, write

OWN = "event,distinct_id,timestamp,uuid,groups,properties\n"


def test_burgees_own_names_need_no_mapping(tmp_path):
    """Groups and properties are JSON text; what is empty is none."""
    path = write(
        tmp_path / "e.csv",
        OWN + "seen,ann,2026-03-01T12:00:00Z,123e4567-e89b-42d3-a456-426614174000,"
        '"{""company"": ""acme""}","{ ""a"": 1.50 }"\n'
        "seen,bob,2026-03-01T12:00:00Z,,,\n",
    )

    ann, bob = events(path)

    assert (ann.uuid, dict(ann.groups)) == ("123e4567-e89b-42d3-a456-426614174000", {"company": "acme"})
    assert ann.properties_json == '{ "a": 1.50 }'
    assert (bob.distinct_id, dict(bob.groups), bob.properties_json) == ("bob", {}, "")
    assert bob.uuid


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r\n\r\n"])
def test_cells_may_hold_quotes_delimiters_and_line_breaks(tmp_path, ending):
    """As RFC 4180 has it; a row's number is that of the line on which it begins."""
    rows = ["who,at,note", 'ann,2026-03-01,"a ""b"", c"', f'bob,2026-03-01,"two{ending}lines"', 'cid,soon,"x"']
    mapping = mapping_of(
        {"event": {"constant": "e"}, "distinct_id": "who", "timestamp": "at", "properties": {"rest": True}}
    )
    path = write(tmp_path / "e.csv", ending.join(rows))

    [batch] = batches(path, mapping)

    notes = [event.properties_json for event in batch.request.events]
    assert notes[0] == r'{"note":"a \"b\", c"}'
    assert notes[1] == '{"note":"two' + ending.replace("\r", r"\r").replace("\n", r"\n") + 'lines"}'
    lines = ending.count("\n")
    assert [rejected.fault.number for rejected in batch.rejected] == [1 + 4 * lines]


def test_a_byte_order_mark_and_spaces_are_not_part_of_a_name(tmp_path):
    """Spreadsheets write both."""
    [event] = events(write(tmp_path / "e.csv", "\ufeffwho, at\nann,2026-03-01\n"), ORDERS)
    assert event.distinct_id == "ann"


@pytest.mark.parametrize(
    ("name", "text", "delimiter"),
    [("e.tsv", "who\tat\nann\t2026-03-01\n", ""), ("e.csv", "who;at\nann;2026-03-01\n", ";")],
)
def test_the_delimiter_is_that_of_the_name_or_of_the_mapping(tmp_path, name, text, delimiter):
    """A tab in .tsv, else a comma, unless the mapping has another."""
    mapping = mapping_of(
        {"event": {"constant": "e"}, "distinct_id": "who", "timestamp": "at", "csv": {"delimiter": delimiter}}
    )
    assert len(events(write(tmp_path / name, text), mapping)) == 1


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (b"ann", "row", "has 1 cells where the header has 2"),
        (b"ann,2026-03-01,x", "row", "has 3 cells"),
        (b"Ren\xe9,2026-03-01", "row", "is not UTF-8"),
        (b'"ann" x,2026-03-01', "row", "is not CSV"),
        (b"ann,soon", "timestamp", "RFC 3339"),
    ],
)
def test_a_row_that_is_no_event_is_rejected_and_the_next_is_read(tmp_path, row, field, words):
    """By the number of its line."""
    path = write(tmp_path / "e.csv", b"who,at\n\nann,2026-03-01\n" + row + b"\nbob,2026-03-01\n")
    [(number, found, reason)] = faults(path, ORDERS)
    assert (number, found) == (4, field)
    assert words in reason
    [batch] = batches(path, ORDERS)
    assert [event.distinct_id for event in batch.request.events] == ["ann", "bob"]


def test_a_quote_that_is_never_closed_is_told_with_the_lines_that_it_swallowed(tmp_path):
    """What comes after them is read."""
    rows = [f"u{number},2026-03-01" for number in range(40_000)]
    rows[10] = f'"{rows[10]}'
    [batch, *more] = batches(write(tmp_path / "e.csv", "who,at\n" + "\n".join(rows)), ORDERS)
    [rejected] = batch.rejected
    assert rejected.fault.number == 12
    assert "is a quote not closed?" in rejected.fault.reason
    assert "read up to line " in rejected.fault.reason
    assert more[-1].request.events[-1].distinct_id == "u39999"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: there is no header"),
        (b"\n\n", "there is no header"),
        (b"who,at,who\n", "more than once"),
        (b"wh\xff,at\n", "line 1: the header is not UTF-8"),
        ("who,at\n".encode("utf-16"), "line 1: the header is not UTF-8"),
    ],
)
def test_a_file_without_a_header_that_can_be_used_cannot_be_read(tmp_path, content, words):
    """Nothing of it is sent."""
    with pytest.raises(Unreadable, match=words):
        batches(write(tmp_path / "e.csv", content), ORDERS)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("event,distinct_id", "timestamp: there is no column 'timestamp'; there are: event, distinct_id"),
        ("event,distinct_id,timestamp,plan", "the column 'plan' is none of event"),
    ],
)
def test_without_a_mapping_other_names_are_an_error(tmp_path, header, words):
    """And nothing is lost without a word."""
    with pytest.raises(BadMapping, match=words) as caught:
        batches(write(tmp_path / "e.csv", header + "\n"))
    assert "--mapping" in str(caught.value)


def test_wide_rows_make_small_batches(tmp_path):
    """The names of the columns are written beside each cell, which a row does not show."""
    names = [f"a_property_with_a_rather_long_name_{number}" for number in range(100)]
    mapping = mapping_of(
        {"event": {"constant": "e"}, "distinct_id": "who", "timestamp": "at", "properties": {"rest": True}}
    )
    rows = f"{','.join(['who', 'at', *names])}\n" + f"ann,2026-03-01{',1' * 100}\n" * 3_000
    read = batches(write(tmp_path / "e.csv", rows), mapping)
    assert sum(len(batch.records) for batch in read) == 3_000
    assert max(batch.request.ByteSize() for batch in read) < 3_900_000


def test_a_byte_order_mark_before_a_quoted_header_is_none_of_it(tmp_path):
    """PowerShell writes both."""
    content = '\ufeff"event","distinct_id","timestamp"\r\n"seen","ann","2026-03-01T12:00:00Z"\r\n'
    assert [event.event for event in events(write(tmp_path / "e.csv", content))] == ["seen"]
