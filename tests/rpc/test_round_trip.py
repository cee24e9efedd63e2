"""What leaves one environment by an export and comes into another by an import is the same."""

import asyncio
import json
from pathlib import Path

import pytest

import burgee
from burgee.v1 import admin_pb2, capture_pb2
from burgee.v1 import profiles_pb2 as pb
from burgee_server.cli.exports.ndjson import NdjsonWriter
from burgee_server.cli.exports.parquet import ParquetWriter
from burgee_server.cli.exports.receiving import Receiving
from burgee_server.cli.exports.target import open_target
from burgee_server.cli.imports.importing import Importing
from burgee_server.cli.imports.reading import format_of, open_file
from burgee_server.cli.imports.rejects import Rejects
from burgee_server.exports import parts
from burgee_server.storage.clickhouse import export
from tests.fixtures.server import caller

NOON = 1_772_366_400_000_000
PROPERTIES = [
    "",
    "{}",
    '{"a": 1.50, "b": null, "a": "x", "when": "2026-01-01", "n": 123456789012345678901234567890, "": {"x.y": []}}',
    json.dumps({"text": "\u2028 🦄 \\ ' \" \n \0"}),
    '{"large": "' + "x" * 60_000 + '"}',
]


def history(count: int = 400) -> list[capture_pb2.Event]:
    """Events of many days, names and groups, hostile ones among them."""
    return [
        capture_pb2.Event(
            uuid=f"{number:08x}-0000-4000-8000-{number * 7919 % 1_000_003:012x}",
            event=["seen", "日本", "it's", "a,b\\"][number % 4],
            distinct_id=f"user {number % 17}",
            groups={"company": f"c{number % 5}", "te'am": '"'} if number % 3 else {},
            properties_json=PROPERTIES[number % len(PROPERTIES) if number < 40 else number % 4],
            timestamp_micros=NOON + number % 30 * 86_400_000_000 + number,
        )
        for number in range(count)
    ]


async def timeline(caller):
    """Every event of an environment, newest first."""
    found, token = [], ""
    while True:
        page = await caller.profiles.ListEvents(pb.ListEventsRequest(page_size=1_000, page_token=token))
        found += page.events
        if not (token := page.next_page_token):
            return found


def write(target: str, secret: str, path: Path) -> int:
    """Export everything; return how many events."""
    written = 0
    with burgee.Client(target, secret) as client, open_target(path) as file:
        writer = ParquetWriter(file) if path.suffix == ".parquet" else NdjsonWriter(file)
        for events in Receiving(client, pb.ExportEventsRequest()):
            writer.write(events)
            written += len(events)
        writer.close()
    return written


def read(target: str, secret: str, path: Path) -> tuple[int, int, int]:
    """Import everything; return how many events were accepted, there already, and rejected."""
    reader, reading = open_file(path, format_of(path), None)
    with burgee.Client(target, secret) as client, Rejects(None, reader.unit) as rejects:
        importing = Importing(client, reading, "own", rejects)
        for chunk in reader.chunks():
            importing.take(chunk)
        importing.finish()
        reader.close()
        return importing.accepted, importing.duplicate, rejects.count


@pytest.mark.parametrize("name", ["e.parquet", "e.ndjson.gz"])
async def test_an_export_into_another_environment_gives_the_same_timeline(
    admin, operator, server, loaded, tmp_path, monkeypatch, name
):
    """Uuids, times, groups and properties to the byte; a second import changes nothing."""
    monkeypatch.setattr(export, "PAGE_EVENTS", 70)
    monkeypatch.setattr(parts, "PART_BYTES", 10_000)
    sent = history()
    await admin.send(*sent)
    await loaded()
    environment = name.partition(".")[2].replace(".", "-")
    project = f"round-trip-{environment}"
    await operator.admin.CreateProject(admin_pb2.CreateProjectRequest(key=project))
    created = await operator.admin.CreateApiKey(
        admin_pb2.CreateApiKeyRequest(
            project_key=project, environment_key="production", name="x", role=admin_pb2.KEY_ROLE_ADMIN
        )
    )
    elsewhere = caller(server.target, created.secret)
    path = tmp_path / name

    written = await asyncio.to_thread(write, server.target, admin.secret, path)
    first = await asyncio.to_thread(read, server.target, elsewhere.secret, path)
    second = await asyncio.to_thread(read, server.target, elsewhere.secret, path)
    await loaded()

    assert (written, first, second) == (400, (400, 0, 0), (0, 400, 0))
    before, after = await timeline(admin), await timeline(elsewhere)
    assert len(before) == 400
    assert after == before
    await elsewhere.channel.close()
