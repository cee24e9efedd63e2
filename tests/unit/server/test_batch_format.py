"""How ClickHouse is told to read what the journal keeps."""

import re

from burgee.v1.capture_pb2 import CaptureRequest, Event
from burgee_server.journal.v1.journal_pb2 import StoredBatch, StoredEvent, StoredGroup
from burgee_server.storage.clickhouse.batch_format import COLUMNS, BatchFormat
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.schema import MIGRATIONS


def test_the_columns_of_the_journal_are_those_of_the_landing_table():
    """ClickHouse goes by name: a field without a column would be dropped, a column without a field would be empty."""
    [create] = [statement for migration in MIGRATIONS for statement in migration(Layout()) if " landing (" in statement]
    table = [line.strip().rstrip(",") for line in create.split("(\n")[1].split("\n)")[0].splitlines()]

    assert sorted(table) == sorted(re.split(r", (?![^(]*\))", COLUMNS))


def test_the_format_schema_has_every_field_of_the_journal_under_its_number():
    """And reads a group as an entry of a map."""
    schema = BatchFormat().run(lambda settings: settings["format_schema"])
    for field in StoredEvent.DESCRIPTOR.fields:
        assert f" {field.name} = {field.number};" in schema
    assert [(field.name, field.number) for field in StoredGroup.DESCRIPTOR.fields] == [("key", 1), ("value", 2)]


def test_the_journal_reads_what_is_sent():
    """Every field of the wire is in the journal's message, under its name and number; what the server adds is not."""

    def numbers(message):
        return {field.name: field.number for field in message.DESCRIPTOR.fields}

    assert numbers(CaptureRequest) == numbers(StoredBatch)
    assert numbers(Event).items() <= numbers(StoredEvent).items()
    assert all(100 <= number <= 109 for name, number in numbers(StoredEvent).items() if name not in numbers(Event))
