"""The eraser between a real journal, a real store and a warehouse in memory."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from burgee_server.capture import Isolator, Loader
from burgee_server.erasure import Eraser, eraser
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.access import Authorship
from burgee_server.ports.erasures import ErasureState
from burgee_server.ports.quarantine import Selection
from burgee_server.ports.warehouse import Arrived, Refused, to_micros
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.fixtures.until import until

AT = datetime(2026, 3, 1, tzinfo=UTC)
BY = Authorship("tests", AT)


class FakeWarehouse:
    """Keeps (person, event) in the order of their arrival, which is the time of receipt, too; fails when told to."""

    def __init__(self):
        self.events = []
        self.failing = {}
        self.loading = asyncio.Event()
        self.may_load = asyncio.Event()
        self.may_load.set()

    def _fail(self, step):
        if self.failing.get(step, 0):
            self.failing[step] -= 1
            raise OSError(f"{step}: the disk is away")

    async def load(self, payload, *, again=False, patient=False):
        self.loading.set()
        await self.may_load.wait()
        events = [
            (event.distinct_id.decode(), event.event.decode()) for event in StoredBatch.FromString(payload).events
        ]
        if any(name == "bad" for _, name in events):
            raise Refused("INCORRECT_DATA", "bad")
        self.events += [(AT + timedelta(seconds=len(self.events) + n + 1), *event) for n, event in enumerate(events)]

    async def faults(self, payload):
        events = StoredBatch.FromString(payload).events
        return {index: "why" for index, event in enumerate(events) if event.event == b"bad"}

    async def arrived(self, environment_id, group_type, keys):
        self._fail("arrived")
        found = {}
        for at, person, _ in self.events:
            if person in keys:
                found[person] = Arrived(found.get(person, Arrived(0, None)).events + 1, at)
        return found

    async def erase(self, environment_id, removals):
        self._fail("erase before")
        until = {removal.key: removal.received_until for removal in removals if removal.received_until}
        self.events = [each for each in self.events if not (each[1] in until and each[0] <= until[each[1]])]
        self._fail("erase after")


class House:
    """What a process holds open; made again for each process."""

    def __init__(self, path, warehouse, database):
        self.warehouse = warehouse
        self.journal = SqliteJournal(path / "journal.db", 1 << 20)
        self.store = SqlErasures(database)
        self.profiles = SqlProfiles(database)
        self.eraser = Eraser(self.store, self.profiles, self.journal, self.journal.quarantine, warehouse, SystemClock())
        self.isolator = Isolator(self.journal, self.journal.quarantine, warehouse)

    async def capture(self, *events, at=AT):
        """Acknowledge events of (person, name), taken at some time."""
        batch = StoredBatch()
        for person, name in events:
            batch.events.add(
                environment_id=1,
                distinct_id=person.encode(),
                event=name.encode(),
                received_at_micros=to_micros(at),
            )
        await self.journal.append(1, "", batch.SerializeToString(), len(events))

    async def delete(self, person):
        """Ask for an erasure, as the service does."""
        erasure = (await self.store.begin(1, "user", person, BY)).erasures[-1]
        await self.eraser.mark(erasure)
        return erasure

    async def is_done(self, erasure):
        """Whether an erasure is done."""
        return (await self.store.get(1, erasure.erasure_id)).state is ErasureState.DONE

    @contextlib.asynccontextmanager
    async def at_work(self, *more):
        """Loader, eraser, mirror and more; the first stopped in an orderly way, the others cancelled."""
        loader = Loader(self.journal, self.warehouse, self.isolator, self.eraser.reached)
        loading = asyncio.create_task(loader.run())
        others = [asyncio.create_task(self.eraser.run()), asyncio.create_task(self._mirror())]
        others += [asyncio.create_task(each.run()) for each in more]
        yield
        for task in others:
            task.cancel()
        loader.stop()
        await asyncio.wait_for(loading, 20)

    async def _mirror(self):
        while True:
            if rows := await self.profiles.changed_since(0, 100):
                await self.profiles.set_loaded_revision(rows[-1].revision)
            await asyncio.sleep(0.01)


@pytest.fixture
async def open_house(tmp_path, monkeypatch):
    """Opens a house on the same files and the same warehouse, again and again."""
    monkeypatch.setattr(eraser, "RETRY_SECONDS", 0.05)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")
    await database.migrate()
    await SqlAccess(database).create_project("p", "P", BY)
    warehouse, opened = FakeWarehouse(), []

    def open_():
        opened.append(House(tmp_path, warehouse, database))
        return opened[-1]

    yield open_
    for house in opened:
        await house.journal.close()
    await database.close()


async def names(house):
    """What the warehouse has."""
    return [(person, name) for _, person, name in house.warehouse.events]


async def test_what_was_acknowledged_before_goes_and_what_came_after_stays(open_house):
    """By the order of the journal: nothing was loaded yet when it was asked for."""
    house = open_house()
    await house.capture(("ann", "1"), ("bob", "2"))
    erasure = await house.delete("ann")
    await house.capture(("ann", "new life"))
    async with house.at_work():
        await until(lambda: house.is_done(erasure))

    assert await names(house) == [("bob", "2"), ("ann", "new life")]
    assert (await house.store.get(1, erasure.erasure_id)).events == 1


async def quarantined(house):
    """Whose events are in quarantine."""
    events = await house.journal.quarantine.page(1, Selection(), None, 10)
    return [StoredBatch.FromString(event.payload).events[0].distinct_id.decode() for event in events]


async def has_quarantined(house, number):
    """Whether so many events are in quarantine."""
    return len(await quarantined(house)) == number


async def test_what_was_set_aside_before_does_not_come_back(open_house):
    """A refused range that nobody has looked into yet: the others in it are loaded in the end."""
    house = open_house()
    await house.capture(("ann", "1"), ("bob", "2"), ("ann", "bad"), ("bob", "bad"))
    async with house.at_work():
        await until(lambda: some_aside(house))
        erasure = await house.delete("ann")
        await house.capture(("ann", "new life"))
        await until(lambda: house.is_done(erasure))
        assert ("ann", "new life") in await names(house)
    async with house.at_work(house.isolator):
        await until(lambda: has_quarantined(house, 1))
        await until(lambda: all_loaded(house))

    assert sorted(await names(house)) == [("ann", "new life"), ("bob", "2")]
    assert await quarantined(house) == ["bob"]


async def all_loaded(house):
    """Whether nothing is set aside."""
    return await house.journal.quarantine.next_part(0) is None


async def some_aside(house):
    """Whether a range is set aside."""
    return not await all_loaded(house)


async def test_what_is_on_its_way_from_aside_is_waited_for(open_house):
    """What is being loaded when the mark is reached was there before, and is erased with the rest."""
    house = open_house()
    await house.capture(("ann", "1"), ("bob", "2"))
    await house.journal.set_aside(await house.journal.next_range(10))
    house.warehouse.may_load.clear()
    isolating = asyncio.create_task(house.isolator.run())
    await house.warehouse.loading.wait()
    erasure = await house.delete("ann")
    async with house.at_work():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await until(lambda: house.is_done(erasure))
        house.warehouse.may_load.set()
        await until(lambda: house.is_done(erasure))
        await until(lambda: all_loaded(house))
    isolating.cancel()

    assert await names(house) == [("bob", "2")]
    assert (await house.store.get(1, erasure.erasure_id)).events == 1


async def test_the_quarantine_is_gone_through_and_keeps_others_and_a_new_life(open_house):
    """What was refused of ann before; not what was refused of bob, nor of ann afterwards."""
    house = open_house()
    await house.capture(("ann", "bad"), ("bob", "bad"))
    erasure = await house.delete("ann")
    await house.capture(("ann", "bad"), at=AT + timedelta(hours=1))
    async with house.at_work(house.isolator):
        await until(lambda: house.is_done(erasure))
        await until(lambda: has_quarantined(house, 2))

    assert sorted(await quarantined(house)) == ["ann", "bob"]


async def test_trouble_at_any_step_is_tried_again(open_house):
    """The loader's turn and the eraser's: each step fails twice."""
    house = open_house()
    house.warehouse.failing = {"arrived": 2, "erase before": 2, "erase after": 2}
    await house.capture(("ann", "1"), ("bob", "2"))
    erasure = await house.delete("ann")
    await house.capture(("ann", "new life"))
    async with house.at_work():
        await until(lambda: house.is_done(erasure))

    assert await names(house) == [("bob", "2"), ("ann", "new life")]


async def test_a_crash_before_the_mark_is_made_good_by_the_next_start(open_house):
    """The profile was gone, and the caller had no answer."""
    house = open_house()
    await house.capture(("ann", "1"))
    erasure = (await house.store.begin(1, "user", "ann", BY)).erasures[-1]

    house = open_house()
    async with house.at_work():
        await until(lambda: house.is_done(erasure))

    assert await names(house) == []


async def test_a_crash_after_the_mark_repeats_nothing_that_harms(open_house):
    """The next start marks again; the second mark finds the erasure under way, and a new life untouched."""
    house = open_house()
    await house.capture(("ann", "1"))
    erasure = await house.delete("ann")
    await house.capture(("ann", "new life"))

    house = open_house()
    async with house.at_work():
        await until(lambda: house.is_done(erasure))
        await house.capture(("ann", "later"))
    assert await names(house) == [("ann", "new life"), ("ann", "later")]


async def test_many_are_erased_together(open_house):
    """Marks without events in between are reached at once, and the warehouse is written anew once."""
    house = open_house()
    await house.capture(*((f"u{number}", "x") for number in range(50)), ("bob", "2"))
    erasures = [await house.delete(f"u{number}") for number in range(50)]
    async with house.at_work():
        await until(lambda: house.is_done(erasures[-1]))

    assert await names(house) == [("bob", "2")]
    assert all([await house.is_done(erasure) for erasure in erasures])


async def test_a_copy_of_the_profile_that_is_on_its_way_is_waited_for(open_house):
    """What the mirror has in its hands must not arrive after everything was removed."""
    house = open_house()
    asked = 0
    loaded_revision = house.profiles.loaded_revision

    async def count():
        nonlocal asked
        asked += 1
        return await loaded_revision()

    house.profiles.loaded_revision = count
    erasure = await house.delete("ann")
    loader = Loader(house.journal, house.warehouse, house.isolator, house.eraser.reached)
    tasks = [asyncio.create_task(each.run()) for each in (loader, house.eraser)]

    async def is_erasing():
        return (await house.store.get(1, erasure.erasure_id)).state is not ErasureState.WAITING

    async def has_looked_twice_more(before):
        return asked >= before + 2

    await until(is_erasing)
    await until(partial(has_looked_twice_more, asked))
    assert not await house.is_done(erasure)
    await house.profiles.set_loaded_revision(erasure.revision)
    await until(lambda: house.is_done(erasure))
    for task in tasks:
        task.cancel()
