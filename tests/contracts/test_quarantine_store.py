"""What every QuarantineStore promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.errors import Overloaded
from burgee_server.ports.quarantine import Held, RefusedEvent, Remainder, Selection

ENVIRONMENT = 1
OTHER = 2
START = datetime(2026, 3, 1, tzinfo=UTC)
EVERYTHING = Selection()


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = START.timestamp()

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """At the start of March."""
    return Clock()


@pytest.fixture
def journal(journals, clock):
    """A journal whose quarantine is empty."""
    return journals.open(unix_seconds=clock)


async def set_aside(journal, payload=b"events", events=3):
    """Append a batch, set it aside, and return the part that it is."""
    await journal.append(ENVIRONMENT, "", payload, events)
    await journal.set_aside(await journal.next_range(100))
    part = None
    while (following := await journal.quarantine.next_part(part.part_id if part else 0)) is not None:
        part = following
    return part


async def quarantine(journal, *reasons, environment_id=ENVIRONMENT):
    """Put an event into quarantine for each reason."""
    part = await set_aside(journal)
    events = [RefusedEvent(environment_id, b"<%s>" % reason.encode(), reason) for reason in reasons]
    await journal.quarantine.divide(part, [], events)


async def ids(journal, selection=EVERYTHING, environment_id=ENVIRONMENT):
    """What is in quarantine, newest first."""
    return [event.quarantine_id for event in await journal.quarantine.page(environment_id, selection, None, 100)]


async def test_parts_come_in_the_order_in_which_they_were_set_aside(journal):
    """And after the last there is none."""
    parts = [await set_aside(journal, payload) for payload in (b"a", b"b", b"c")]

    found = []
    while (part := await journal.quarantine.next_part(found[-1].part_id if found else 0)) is not None:
        found.append(part)

    assert found == parts
    assert [part.payload for part in found] == [b"a", b"b", b"c"]


async def test_a_part_is_divided_in_one_step_that_outlives_the_process(journal, journals):
    """What is left of it has been examined; the refused events have their reasons."""
    part = await set_aside(journal, b"abc")
    refused = [RefusedEvent(ENVIRONMENT, b"b", "a bad b")]

    await journal.quarantine.divide(part, [(b"a", 1), (b"c", 1)], refused)

    reopened = journals.open()
    first = await reopened.quarantine.next_part(0)
    second = await reopened.quarantine.next_part(first.part_id)
    assert [(one.payload, one.events, one.examined) for one in (first, second)] == [(b"a", 1, True), (b"c", 1, True)]
    [event] = await reopened.quarantine.page(ENVIRONMENT, EVERYTHING, None, 100)
    assert (event.payload, event.reason, event.quarantined_at) == (b"b", "a bad b", START)


async def test_what_is_left_of_a_part_holds_back_the_completeness_as_the_part_did(journal, clock):
    """It was received when the part was."""
    part = await set_aside(journal)
    clock.now += 60
    await journal.quarantine.divide(part, [(b"a", 1)], [])

    assert await journal.complete_until() == START.timestamp()


async def test_a_released_part_is_gone(journal):
    """It is in the warehouse."""
    await journal.quarantine.release(await set_aside(journal))

    assert await journal.quarantine.next_part(0) is None


async def test_pages_are_newest_first_and_confined_to_the_environment(journal):
    """Each page begins where the one before ended."""
    await quarantine(journal, "one", "two", "three")
    await quarantine(journal, "not yours", environment_id=OTHER)
    await quarantine(journal, "four")

    newest = await journal.quarantine.page(ENVIRONMENT, EVERYTHING, None, 3)
    rest = await journal.quarantine.page(ENVIRONMENT, EVERYTHING, newest[-1].quarantine_id, 3)

    assert [event.reason for event in newest] == ["four", "three", "two"]
    assert [event.reason for event in rest] == ["one"]


async def test_a_selection_is_by_id_by_reason_and_by_time_and_all_of_it_holds(journal, clock):
    """The reason letter by letter, wildcards being letters; from `start` on, and before `end`."""
    await quarantine(journal, "uuid: 100%", "json_x")
    clock.now += 60
    await quarantine(journal, "json x")
    newest, second, first = await ids(journal)
    later = START + timedelta(seconds=60)

    assert await ids(journal, Selection(reason="json")) == [newest, second]
    assert await ids(journal, Selection(reason="json_")) == [second]
    assert await ids(journal, Selection(reason="%")) == [first]
    assert await ids(journal, Selection(reason="JSON")) == []
    assert await ids(journal, Selection(start=later)) == [newest]
    assert await ids(journal, Selection(end=later)) == [second, first]
    assert await ids(journal, Selection(quarantine_ids=frozenset({first, newest, 10**12}))) == [newest, first]
    assert await ids(journal, Selection(frozenset({first, newest}), "json", START, later)) == []


async def test_an_event_that_is_refused_again_has_the_reason_of_the_last_time(journal):
    """And stays where it is."""
    await quarantine(journal, "before", "other")
    before = await ids(journal)

    await journal.quarantine.refuse([(before[1], "after")])

    page = await journal.quarantine.page(ENVIRONMENT, EVERYTHING, None, 100)
    assert [(event.quarantine_id, event.reason) for event in page] == [(before[0], "other"), (before[1], "after")]


async def test_removing_takes_what_is_selected_in_this_environment_and_says_how_many(journal):
    """Ids of another environment select nothing."""
    await quarantine(journal, "one", "two")
    await quarantine(journal, "not yours", environment_id=OTHER)
    [theirs] = await ids(journal, environment_id=OTHER)

    assert await journal.quarantine.remove(ENVIRONMENT, Selection(quarantine_ids=frozenset({theirs}))) == 0
    assert await journal.quarantine.remove(ENVIRONMENT, Selection(reason="one")) == 1
    assert await journal.quarantine.remove(ENVIRONMENT, EVERYTHING) == 1
    assert await ids(journal, environment_id=OTHER) == [theirs]


async def test_an_id_is_never_used_again(journal, journals):
    """Not even when everything was removed, and the process restarted."""
    await quarantine(journal, "one")
    [first] = await ids(journal)
    await journal.quarantine.remove(ENVIRONMENT, EVERYTHING)

    journal = journals.open()
    await quarantine(journal, "two")

    assert await ids(journal) > [first]


async def test_the_quarantine_takes_up_room_until_it_is_emptied(journals):
    """It is bounded with the journal: nothing of it is dropped, and the door says that there is no room."""
    journal = journals.open(max_bytes=10)
    part = await set_aside(journal, b"12345678", 2)
    await journal.quarantine.divide(part, [(b"1234", 1)], [RefusedEvent(ENVIRONMENT, b"5678", "bad")])
    reopened = journals.open(max_bytes=10)
    for each in (journal, reopened):
        with pytest.raises(Overloaded, match="quarantine"):
            await each.append(ENVIRONMENT, "", b"123", 1)

    journal = reopened
    await journal.quarantine.remove(ENVIRONMENT, EVERYTHING)

    assert await journal.append(ENVIRONMENT, "", b"123456", 1) is None
    with pytest.raises(Overloaded):
        await journal.append(ENVIRONMENT, "", b"1", 1)


@pytest.mark.parametrize("read_bytes", [1, 1 << 20])
async def test_what_is_sifted_out_is_gone_wherever_it_was_and_gives_its_room_back(journals, monkeypatch, read_bytes):
    """From parts, a piece or all of it; from the quarantine; however much is looked through at a time."""
    monkeypatch.setattr("burgee_server.storage.sqlite.sifting.READ_BYTES", read_bytes)
    journal = journals.open(max_bytes=28)
    part = await set_aside(journal, b"<ann><bob><ann>", 3)
    refused = [RefusedEvent(ENVIRONMENT, payload, "bad") for payload in (b"<ann>", b"<bob>", b"<ann>")]
    await journal.quarantine.divide(part, [], refused)
    for payload, events in ((b"ann bob", 2), (b"ann", 1), (b"bob", 1)):
        await set_aside(journal, payload, events)

    def leave(payload):
        rest = payload.replace(b"ann ", b"") if payload == b"ann bob" else b"" if b"ann" in payload else payload
        return None if rest == payload else Remainder(rest, 1 if rest else 0)

    async with journal.quarantine.alone():
        for _ in range(2):
            await journal.quarantine.sift(leave)

    for each in (journal, journals.open(max_bytes=28)):
        assert [event.payload for event in await each.quarantine.page(ENVIRONMENT, EVERYTHING, None, 9)] == [b"<bob>"]
        first = await each.quarantine.next_part(0)
        second = await each.quarantine.next_part(first.part_id)
        assert [(part.payload, part.events) for part in (first, second)] == [(b"bob", 1), (b"bob", 1)]
        assert await each.quarantine.next_part(second.part_id) is None
        with pytest.raises(Overloaded):
            await each.append(ENVIRONMENT, "", b"x" * 18, 1)
    await journal.append(ENVIRONMENT, "", b"x" * 17, 1)


async def test_who_is_alone_is_waited_for(journal):
    """Nobody loads what somebody else is taking out."""
    async with journal.quarantine.alone():
        other = asyncio.create_task(_enter(journal.quarantine))
        await asyncio.sleep(0)
        assert not other.done()
    await asyncio.wait_for(other, 10)


async def _enter(store):
    async with store.alone():
        pass


async def test_it_knows_how_many_events_it_holds(journal):
    """Aside and in quarantine, of all environments."""
    assert await journal.quarantine.held() == Held(0, 0)
    await set_aside(journal, events=3)
    await quarantine(journal, "a", "b")
    await quarantine(journal, "c", environment_id=OTHER)

    assert await journal.quarantine.held() == Held(3, 3)


async def test_a_page_leaves_out_what_is_removed_while_it_is_read(journal):
    """Whoever lists while others replay or purge is shown events that are whole, or none."""
    await quarantine(journal, *("bad" for _ in range(100)))
    everything = await ids(journal)

    async def read():
        while page := await journal.quarantine.page(ENVIRONMENT, EVERYTHING, None, 100):
            assert {event.payload for event in page} == {b"<bad>"}

    async def remove():
        for id_ in everything:
            await journal.quarantine.remove(ENVIRONMENT, Selection(quarantine_ids=frozenset({id_})))

    await asyncio.gather(read(), read(), remove())

    assert await ids(journal) == []
