"""The isolator: what it does with parts, whatever fails and wherever it is killed."""

import asyncio
import contextlib

import pytest

from burgee_server.capture import Isolator, Loader
from burgee_server.capture.isolator import EXAMINED_BYTES, EXAMINED_EVENTS
from burgee_server.ports.quarantine import Selection
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.fixtures.until import until
from tests.unit.server.fakes import FakeWarehouse, batch, names_of, until_done


@pytest.fixture
async def journal(tmp_path):
    """An empty journal."""
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 30)
    yield journal
    await journal.close()


async def set_aside(journal, *names):
    """Put a range of such events aside, as the loader does."""
    await journal.append(1, "", batch(*names), len(names))
    await journal.set_aside(await journal.next_range(1_000_000))


async def quarantined(journal):
    """Names of what is in quarantine, oldest first."""
    events = await journal.quarantine.page(1, Selection(), None, 1000)
    return [name for event in reversed(events) for name in names_of(event.payload)]


@contextlib.asynccontextmanager
async def isolating(journal, warehouse):
    """An isolator at work."""
    isolator = Isolator(journal, journal.quarantine, warehouse)
    running = asyncio.create_task(isolator.run())
    yield isolator
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_part_is_examined_in_pieces_and_the_rest_of_it_loaded_in_one(journal):
    """Few statements for many events, and few parts for the warehouse to merge."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad"})
    examine, sizes = warehouse.faults, []

    async def note(payload):
        sizes.append((len(names_of(payload)), len(payload)))
        return await examine(payload)

    warehouse.faults = note
    names = ["good" if number % 3 else "bad" for number in range(3 * EXAMINED_EVENTS)]
    await set_aside(journal, *names, *("x" * 200_000 for _ in range(20)))
    async with isolating(journal, warehouse):
        await until_done(journal)

    assert warehouse.loads == 1
    assert len(warehouse.events) == 2 * EXAMINED_EVENTS + 20
    assert len(await journal.quarantine.page(1, Selection(), None, 10_000)) == EXAMINED_EVENTS
    assert all(events <= EXAMINED_EVENTS and size <= EXAMINED_BYTES + 200_100 for events, size in sizes)
    assert 3 < len(sizes) < 20


async def test_a_part_of_nothing_but_refused_events_is_all_in_quarantine(journal):
    """Nothing is left to load."""
    warehouse = FakeWarehouse()
    warehouse.refused = frozenset({"bad"})
    await set_aside(journal, "bad", "bad")
    async with isolating(journal, warehouse):
        await until_done(journal)

    assert (warehouse.loads, await quarantined(journal)) == (0, ["bad", "bad"])


async def test_events_without_a_fault_wait_while_the_warehouse_takes_nothing(journal):
    """Then the fault is the warehouse's: nothing goes into quarantine, and all is loaded when it works again."""
    warehouse = FakeWarehouse()
    warehouse.disliked = frozenset({"a", "b"})
    await set_aside(journal, "a", "b")
    await set_aside(journal, "a")
    async with isolating(journal, warehouse):

        async def tried_again():
            return warehouse.loads > 6

        await until(tried_again)
        assert await quarantined(journal) == []
        warehouse.disliked = frozenset()
        await until_done(journal)

    assert sorted(warehouse.events) == ["a", "a", "b"]


async def test_an_event_that_is_refused_for_no_known_reason_is_found_by_halving_while_others_are_taken(journal):
    """The isolator can tell it from a warehouse that does not work by what that takes otherwise."""
    warehouse = FakeWarehouse()
    warehouse.disliked = frozenset({"odd"})
    await set_aside(journal, "a", "b", "odd", "c", "d", "e", "f")
    async with isolating(journal, warehouse) as isolator:

        async def done():
            isolator.notice_taken()
            return await journal.quarantine.next_part(0) is None

        await until(done)

    assert sorted(warehouse.events) == ["a", "b", "c", "d", "e", "f"]
    [event] = await journal.quarantine.page(1, Selection(), None, 10)
    assert (names_of(event.payload), event.reason) == (["odd"], "cannot take ['odd']")


async def test_a_part_that_must_wait_holds_up_no_other(journal):
    """Those that come later are examined at once."""
    warehouse = FakeWarehouse()
    warehouse.disliked = frozenset({"odd"})
    warehouse.refused = frozenset({"bad"})
    await set_aside(journal, "odd")
    async with isolating(journal, warehouse) as isolator:

        async def refused():
            return warehouse.loads > 0

        await until(refused)
        await journal.append(1, "", batch("bad", "good"), 2)
        await isolator.set_aside(await journal.next_range(10))

        async def good():
            return "good" in warehouse.events

        await until(good)
        assert await quarantined(journal) == ["bad"]


class Killed(BaseException):
    """Stands for kill -9."""


class Fate:
    """How many calls are let through before the one at which everything dies, before or after it had its effect."""

    def __init__(self, calls, before):
        self.left = calls
        self.before = before

    def over(self, target):
        """The object, whose calls now count."""
        return Mortal(target, self)


class Mortal:
    def __init__(self, target, fate):
        self._target = target
        self._fate = fate

    def __getattr__(self, name):
        method = getattr(self._target, name)
        return method if name in ("wait", "alone") else self._counted(method)

    def _counted(self, method):
        fate = self._fate

        async def call(*arguments, **options):
            if fate.left < 0 or (fate.left == 0 and fate.before):
                fate.left = -1
                raise Killed
            fate.left -= 1
            result = await method(*arguments, **options)
            if fate.left < 0:
                raise Killed
            return result

        return call


async def live(journal, warehouse, fate):
    """Load and isolate until all that was acknowledged so far is done with, or until death; whether it was that."""
    isolator = Isolator(fate.over(journal), fate.over(journal.quarantine), fate.over(warehouse))
    loader = Loader(fate.over(journal), fate.over(warehouse), isolator, warehouse.reached)
    tasks = [asyncio.create_task(work) for work in (loader.run(), isolator.run(), until_done(journal))]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return any(isinstance(outcome, Killed) for outcome in ended)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_killed_at_any_call_everything_is_loaded_or_quarantined_once(tmp_path, monkeypatch, before):
    """At each call to journal, quarantine and warehouse in turn, and then started again."""
    monkeypatch.setattr("burgee_server.capture.loader.GATHER_SECONDS", 0.0)
    calls, died = 0, True
    while died:
        warehouse = FakeWarehouse()
        warehouse.refused = frozenset({"bad", "worse"})
        journal = SqliteJournal(tmp_path / f"{calls}.db", 1 << 20)
        for names in (["a", "bad", "b"], ["c", "worse", "d", "e"]):
            await journal.append(1, "", batch(*names), len(names))
        died = await live(journal, warehouse, Fate(calls, before))
        await journal.close()

        journal = SqliteJournal(tmp_path / f"{calls}.db", 1 << 20)
        assert not await live(journal, warehouse, Fate(1_000_000, before))
        assert sorted(warehouse.events) == ["a", "b", "c", "d", "e"], calls
        assert sorted(await quarantined(journal)) == ["bad", "worse"], calls
        await journal.close()
        calls += 1
    assert calls > 8
