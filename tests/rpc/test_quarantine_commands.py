"""`burgee quarantine` against a server in the process."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from burgee.v1 import admin_pb2
from burgee_server.cli import main
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from tests.fixtures.until import until

BAD_JSON = b'{"a": '


@pytest.fixture
def quarantine(server, admin):
    """Runs `burgee quarantine …`; returns the exit code and what was printed."""

    async def run(*arguments):
        environment = {"BURGEE_TARGET": server.target, "BURGEE_API_KEY": admin.secret, "COLUMNS": "160"}
        result = await asyncio.to_thread(
            CliRunner().invoke, main, ["quarantine", *map(str, arguments)], env=environment
        )
        return result.exit_code, result.output

    return run


@pytest.fixture
async def ids(server, admin, quarantine):
    """The ids of three events in quarantine, oldest first."""
    [project] = (await admin.admin.ListProjects(admin_pb2.ListProjectsRequest())).projects
    environment = await server.house.stores.access.environment(project.key, "production")
    events = [
        {
            "uuid": f"00000000-0000-4000-8000-{number:012}".encode(),
            "event": b"e%d" % number,
            "distinct_id": b"ann",
            "properties_json": BAD_JSON,
            "timestamp_micros": 1_700_000_000_123_456,
            "environment_id": environment.environment_id,
        }
        for number in range(3)
    ]
    batch = StoredBatch(events=events).SerializeToString()
    await server.house.stores.journal.append(environment.environment_id, "", batch, 3)

    async def all_three():
        return found if len(found := await listed(quarantine)) >= 3 else None

    found = await until(all_three)
    return [each["quarantine_id"] for each in reversed(found)]


async def listed(quarantine, *arguments):
    """What `burgee quarantine list --json` prints."""
    code, text = await quarantine("list", "--json", *arguments)
    assert code == 0, text
    return json.loads(text)


async def test_the_list_is_a_table_or_json_and_says_when_there_is_more(quarantine, ids):
    """Newest first."""
    code, table = await quarantine("list", "--limit", 2)
    documents = await listed(quarantine)

    assert code == 0
    assert [word in table for word in ("e2", "e1", "e0")] == [True, True, False]
    assert "properties_json: " in table
    assert "and more" in table
    assert [each["event"]["event"] for each in documents] == ["e2", "e1", "e0"]


async def test_the_list_is_filtered(quarantine, ids):
    """By reason and by time."""
    assert len(await listed(quarantine, "--reason", "properties_json", "--since", "2020-01-01")) == 3
    assert await listed(quarantine, "--reason", "uuid") == []
    assert await listed(quarantine, "--until", "2020-01-01") == []


async def test_an_event_is_shown_whole(quarantine, ids):
    """With its text as it came, which is no JSON."""
    code, text = await quarantine("show", ids[0])

    document = json.loads(text)
    assert code == 0
    assert document["event"] == {
        "uuid": "00000000-0000-4000-8000-000000000000",
        "event": "e0",
        "distinct_id": "ann",
        "timestamp": "2023-11-14T22:13:20.123456+00:00",
        "groups": {},
        "properties_json": BAD_JSON.decode(),
    }
    assert document["quarantine_id"] == ids[0]
    assert (await quarantine("show", ids[-1] + 1_000_000))[0] == 1


async def test_a_replay_says_what_was_refused_again_and_fails_for_it(quarantine, ids):
    """In words, and as JSON."""
    assert await quarantine("replay", ids[0], ids[1]) == (1, "0 replayed, 2 refused again\n")
    code, text = await quarantine("replay", "--json")
    assert (code, json.loads(text)) == (1, {"replayed": 0, "refused": 3})
    assert (await quarantine("replay", "--reason", "nothing like it"))[0] == 0


async def test_a_purge_asks_first_and_wants_to_know_what(quarantine, ids):
    """Nothing is deleted by mistake."""
    assert (await quarantine("purge", "--all"))[0] == 1
    code, text = await quarantine("purge", "--yes")
    assert code == 1
    assert "filter" in text
    assert len(await listed(quarantine)) == 3

    assert await quarantine("purge", ids[1], "--yes") == (0, "1 purged\n")
    code, text = await quarantine("purge", "--all", "--yes", "--json")
    assert (code, json.loads(text)) == (0, {"purged": 2})
    assert await listed(quarantine) == []
