"""The loader between a real journal and a warehouse that misbehaves."""

import asyncio
import contextlib

import pytest

from burgee_server.capture import Loader
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.warehouse import Refused
from burgee_server.storage.sqlite.journal import SqliteJournal


class FakeWarehouse:
    """Keeps events by token as the real one does; refuses some, and fails when told to."""

    def __init__(self) -> None:
        self.tokens = set()
        self.events = []
        self.refused = frozenset()
        self.failures = 0

    async def load(self, payload, token):
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is away")
        names = [event.event.decode() for event in StoredBatch.FromString(payload).events]
        if bad := self.refused & set(names):
            raise Refused(f"cannot take {sorted(bad)}")
        if token not in self.tokens:
            self.tokens.add(token)
            self.events += names

    async def reached(self, marks):
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is away")
        self.events += [f"({mark})" for mark in marks]


@pytest.fixture
async def journal(tmp_path):
    """An empty journal."""
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)
    yield journal
    await journal.close()


def batch(*names):
    """A serialized StoredBatch of events with these names."""
    return StoredBatch(events=[{"event": name.encode()} for name in names]).SerializeToString()


@contextlib.asynccontextmanager
async def loading(journal, warehouse):
    """A loader at work; stopped, and waited for, at the end."""
    loader = Loader(journal, warehouse, warehouse.reached)
    running = asyncio.create_task(loader.run())
    yield
    loader.stop()
    await asyncio.wait_for(running, 20)


async def until_empty(journal):
    """Wait until nothing waits in the journal."""
    async with asyncio.timeout(20):
        while await journal.next_range(1) is not None:
            await journal.wait(0.05)


async def test_everything_is_loaded_in_order(journal):
    """Batches come out of the warehouse as they went into the journal."""
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        for name in "abc":
            await journal.append(1, "", batch(name), 1)
        await until_empty(journal)

    assert warehouse.events == ["a", "b", "c"]


async def test_marks_are_told_when_everything_before_is_loaded_and_nothing_after(journal):
    """Also when that fails at first: nothing overtakes a mark."""
    warehouse = FakeWarehouse()
    for name in "ab":
        await journal.append(1, "", batch(name), 1)
        await journal.mark(f"after {name}")
    warehouse.failures = 3
    async with loading(journal, warehouse):
        await until_empty(journal)

    assert warehouse.events == ["a", "(after a)", "b", "(after b)"]


async def test_what_waits_when_it_is_stopped_is_loaded_first(journal):
    """A clean stop leaves nothing behind."""
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a"), 1)

    assert warehouse.events == ["a"]


async def test_a_warehouse_that_fails_is_tried_again_and_nothing_is_lost_or_doubled(journal):
    """Trouble is the warehouse's, not the events'."""
    warehouse = FakeWarehouse()
    warehouse.failures = 3
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b"), 2)
        await until_empty(journal)

    assert warehouse.events == ["a", "b"]
    assert await journal.quarantined(10) == []


async def test_refused_events_are_isolated_with_their_reason_and_hold_nothing_up(journal):
    """Two bad ones of nine: seven are loaded, two are kept apart."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad", "worse"})
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b", "bad", "c", "d", "e", "worse"), 7)
        await journal.append(1, "", batch("f", "g"), 2)
        await until_empty(journal)

    kept = await journal.quarantined(10)
    assert sorted(warehouse.events) == list("abcdefg")
    assert [StoredBatch.FromString(one.payload).events[0].event for one in kept] == [b"bad", b"worse"]
    assert "cannot take ['bad']" in kept[0].reason


async def test_a_warehouse_that_fails_in_the_middle_of_isolating_is_tried_again(journal):
    """The loader survives it, loads the good and quarantines the bad, once each."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad"})
    refuse = warehouse.load
    calls = 0

    async def fail_now_and_then(payload, token):
        nonlocal calls
        calls += 1
        if calls in (3, 5):
            raise OSError("the disk is away")
        await refuse(payload, token)

    warehouse.load = fail_now_and_then
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b", "c", "bad"), 4)
        await until_empty(journal)

    assert sorted(warehouse.events) == ["a", "b", "c"]
    assert len(await journal.quarantined(10)) == 1


async def test_a_stop_while_the_warehouse_is_away_leaves_the_events_in_the_journal(journal):
    """The next start loads them."""
    warehouse = FakeWarehouse()
    warehouse.failures = 1_000_000
    await journal.append(1, "", batch("a"), 1)
    async with loading(journal, warehouse):
        pass

    assert (await journal.next_range(10)).events == 1
