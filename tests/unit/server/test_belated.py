"""Which events are left out that come into the journal after an erasure, and were taken before it."""

from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.erasure import Belated
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.access import Authorship
from burgee_server.ports.warehouse import Arrived, to_micros
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.erasures import SqlErasures

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path):
    """A store with one environment, in which ann and the company acme are to be erased, ann's erasure done."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")
    await database.migrate()
    await SqlAccess(database).create_project("p", "P", Authorship("tests", AT))
    store = SqlErasures(database)
    done = await store.begin(1, "user", "ann", Authorship("tests", AT))
    await store.arrived({done.erasures[0].erasure_id: Arrived(0, AT)})
    await store.finish([done.erasures[0].erasure_id], AT)
    await store.begin(1, "company", "acme", Authorship("tests", AT))
    yield store
    await database.close()


def event(person, seconds, environment_id=1, **groups):
    """An event that was taken so many seconds after the erasures."""
    return {
        "distinct_id": person.encode(),
        "environment_id": environment_id,
        "received_at_micros": to_micros(AT + timedelta(seconds=seconds)),
        "groups": [{"key": name.encode(), "value": key.encode()} for name, key in groups.items()],
    }


async def test_what_was_taken_before_the_erasure_is_left_out_and_nothing_else(store):
    """Of the person and of the group; not of others, not in another environment, not what came later."""
    gone = [event("ann", -5), event("ben", -5, company="acme")]
    stay = [event("ben", -5), event("ann", 5), event("ann", -5, environment_id=2), event("ben", -5, team="acme")]
    leave = await Belated(store).since((AT - timedelta(hours=1)).timestamp())

    left = leave(StoredBatch(events=[*gone, *stay]).SerializeToString())

    assert left.events == len(stay)
    assert left.payload == StoredBatch(events=stay).SerializeToString()
    assert leave(StoredBatch(events=stay).SerializeToString()) is None


async def test_erasures_from_before_the_events_are_not_asked_for(store):
    """All of those events are of a life that began later."""
    leave = await Belated(store).since((AT + timedelta(hours=1)).timestamp())

    assert leave(StoredBatch(events=[event("ann", 3_600)]).SerializeToString()) is None
    assert await store.since(AT + timedelta(hours=1)) == []
