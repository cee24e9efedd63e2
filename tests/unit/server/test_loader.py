"""The loader between a real journal and a warehouse that misbehaves."""

import asyncio
import contextlib

import pytest

from burgee_server.capture import Isolator, Loader, loader
from burgee_server.errors import Unavailable, Unsupported
from burgee_server.ports.quarantine import Selection
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.fixtures.until import until
from tests.unit.server.fakes import FakeWarehouse, batch, names_of, until_done


@pytest.fixture
async def journal(tmp_path):
    """An empty journal."""
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)
    yield journal
    await journal.close()


@contextlib.asynccontextmanager
async def loading(journal, warehouse, kind=Loader):
    """A loader and an isolator at work; stopped, and waited for, at the end. Marks come among the events."""
    isolator = Isolator(journal, journal.quarantine, warehouse)
    loader = kind(journal, warehouse, isolator, warehouse.reached)
    running, isolating = asyncio.create_task(loader.run()), asyncio.create_task(isolator.run())
    yield
    loader.stop()
    await asyncio.wait_for(running, 20)
    isolating.cancel()


async def quarantined(journal, environment_id=1):
    """Names and reasons of what is in quarantine, oldest first."""
    events = await journal.quarantine.page(environment_id, Selection(), None, 1000)
    return [(*names_of(event.payload), event.reason) for event in reversed(events)]


async def test_everything_is_loaded_in_order(journal):
    """Batches come out of the warehouse as they went into the journal."""
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        for name in "abc":
            await journal.append(1, "", batch(name), 1)
        await until_done(journal)

    assert warehouse.events == ["a", "b", "c"]


@pytest.mark.parametrize(("limit", "value"), [("EVENTS", 3), ("BYTES", len(batch(*"abc")))])
async def test_an_insert_is_patient_while_the_loader_keeps_up(journal, monkeypatch, limit, value):
    """A small one lets those who answer calls go first; a large one, of what waits because it is late, does not."""
    monkeypatch.setattr(loader, f"KEEPS_UP_{limit}", value)
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        for count in (3, 4):
            await journal.append(1, "", batch(*"abcd"[:count]), count)
            await until_done(journal)

    assert warehouse.patient == [True, False]


async def test_after_an_insert_that_took_long_none_is_patient(journal, monkeypatch):
    """So that others who want the processor all the time do not hold events up for ever."""
    monkeypatch.setattr(loader, "KEEPS_UP_SECONDS", 0.0)
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        for name in "ab":
            await journal.append(1, "", batch(name), 1)
            await until_done(journal)

    assert warehouse.patient == [True, False]


@pytest.mark.parametrize(("most_events", "second"), [(1, ["b", "c"]), (0, ["b"])])
async def test_what_comes_during_an_insert_waits_for_more_while_the_loader_keeps_up(
    journal, monkeypatch, most_events, second
):
    """`b` comes while `a` is inserted, and `c` in the pause after that, if there is one: not if many wait already."""
    monkeypatch.setattr(loader, "KEEPS_UP_EVENTS", most_events)
    inserted = []

    class Gathering(Loader):
        async def _pause(self, seconds):
            if len(inserted) == 1:
                await journal.append(1, "", batch("c"), 1)

    class Slow(FakeWarehouse):
        async def load(self, payload, **how):
            await super().load(payload, **how)
            inserted.append(names_of(payload))
            if len(inserted) == 1:
                await journal.append(1, "", batch("b"), 1)

    async with loading(journal, Slow(), Gathering):
        await journal.append(1, "", batch("a"), 1)
        await until(lambda: len(inserted) == 2)

    assert inserted == [["a"], second]


async def test_marks_are_told_when_everything_before_is_loaded_and_nothing_after(journal):
    """Also when that fails at first: nothing overtakes a mark."""
    warehouse = FakeWarehouse()
    for name in "ab":
        await journal.append(1, "", batch(name), 1)
        await journal.mark(f"after {name}")
    warehouse.failures = 3
    async with loading(journal, warehouse):
        await until_done(journal)

    assert warehouse.events == ["a", "(after a)", "b", "(after b)"]


async def test_what_marks_have_cut_short_does_not_wait_for_more(journal):
    """Where many persons are erased at a time, there is a mark after every few events: one pause, not one for each."""
    pauses = []

    class Hasty(Loader):
        async def _pause(self, seconds):
            pauses.append(len(warehouse.events))

    warehouse = FakeWarehouse()
    for name in "abcde":
        await journal.append(1, "", batch(name), 1)
        await journal.mark(f"after {name}")
    async with loading(journal, warehouse, Hasty):
        await until_done(journal)
        assert [loaded for loaded in pauses if loaded < 10] == [1]


async def test_what_waits_when_it_is_stopped_is_loaded_first(journal):
    """A clean stop leaves nothing behind."""
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a"), 1)

    assert warehouse.events == ["a"]


async def test_what_other_nodes_send_after_it_is_stopped_is_for_the_next_loader(journal):
    """With every event that is loaded another one comes: a loader that waited for the last one would never end."""
    warehouse = FakeWarehouse()
    load = warehouse.load

    async def load_while_more_comes(payload, **how):
        await load(payload, **how)
        await journal.append(1, "", batch("more"), 1)

    async def some_are_loaded():
        return len(warehouse.events) > 3

    warehouse.load = load_while_more_comes
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a"), 1)
        await until(some_are_loaded)

    assert (await journal.backlog()).events == 1


async def test_a_warehouse_that_fails_is_tried_again_and_nothing_is_lost_or_doubled(journal):
    """Trouble is the warehouse's, not the events'."""
    warehouse = FakeWarehouse()
    warehouse.failures = 3
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b"), 2)
        await until_done(journal)

    assert warehouse.events == ["a", "b"]
    assert await quarantined(journal) == []


async def test_an_insert_whose_answer_was_lost_is_made_again_and_nothing_is_doubled(journal):
    """The warehouse is told that it may have the events."""
    warehouse = FakeWarehouse()
    warehouse.lost_answers = 2
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b"), 2)
        await until_done(journal)

    assert warehouse.events == ["a", "b"]


async def test_refused_events_are_isolated_with_their_reason_and_hold_nothing_up(journal):
    """Two bad ones of nine: seven are loaded, two are kept apart."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad", "worse"})
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b", "bad", "c", "d", "e", "worse"), 7)
        await journal.append(1, "", batch("f", "g"), 2)
        await until_done(journal)

    assert sorted(warehouse.events) == list("abcdefg")
    assert await quarantined(journal) == [("bad", "bad is bad"), ("worse", "worse is bad")]


async def test_a_refused_event_is_in_the_quarantine_of_its_own_environment(journal):
    """A range holds the events of many; what is refused stays whose it is."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad"})
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", environment_id=1), 1)
        await journal.append(2, "", batch("bad", environment_id=2), 1)
        await until_done(journal)

    assert await quarantined(journal, environment_id=1) == []
    assert await quarantined(journal, environment_id=2) == [("bad", "bad is bad")]


async def test_a_warehouse_that_fails_in_the_middle_of_isolating_is_tried_again(journal):
    """The good is loaded and the bad is quarantined, once each."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad"})
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a", "b", "c", "bad"), 4)
        warehouse.failures = 3
        await until_done(journal)

    assert sorted(warehouse.events) == ["a", "b", "c"]
    assert await quarantined(journal) == [("bad", "bad is bad")]


async def test_while_refused_events_are_examined_others_are_loaded(journal):
    """The loader waits for no examination: those behind a refused range are there before it is looked at."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad"})
    examine, examining, go_on = warehouse.faults, asyncio.Event(), asyncio.Event()

    async def hold(payload):
        examining.set()
        await go_on.wait()
        return await examine(payload)

    warehouse.faults = hold
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("bad", "beside"), 2)
        async with asyncio.timeout(20):
            await examining.wait()
        await journal.append(1, "", batch("c", "d"), 2)

        async def loaded():
            return warehouse.events == ["c", "d"]

        await until(loaded)
        go_on.set()
        await until_done(journal)

    assert warehouse.events == ["c", "d", "beside"]


async def test_a_stop_while_the_warehouse_is_away_leaves_the_events_in_the_journal(journal):
    """The next start loads them."""
    warehouse = FakeWarehouse()
    warehouse.failures = 1_000_000
    await journal.append(1, "", batch("a"), 1)
    async with loading(journal, warehouse):
        pass

    assert (await journal.next_range(10)).events == 1


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (Unsupported("set it to noeviction"), "set it to noeviction"),
        (Unavailable("Redis cannot be reached now"), "Redis cannot be reached now"),
    ],
    ids=["unsupported", "unavailable"],
)
async def test_a_journal_that_cannot_be_asked_is_told_of_in_one_line(journal, monkeypatch, caplog, trouble, told):
    """What is known to happen has words of its own: no traceback, and it is tried again."""
    monkeypatch.setattr(loader, "FIRST_RETRY_SECONDS", 0.01)
    asked, troubles = journal.next_range, [trouble, trouble]

    async def next_range(max_events):
        if troubles:
            raise troubles.pop()
        return await asked(max_events)

    monkeypatch.setattr(journal, "next_range", next_range)
    warehouse = FakeWarehouse()
    async with loading(journal, warehouse):
        await journal.append(1, "", batch("a"), 1)
        await until_done(journal)

    assert warehouse.events == ["a"]
    lines = [record for record in caplog.records if record.name == loader.__name__]
    assert [(line.levelname, line.exc_info) for line in lines] == [("WARNING", None)] * 2
    assert all(line.getMessage().endswith(told) for line in lines)
