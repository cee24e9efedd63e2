"""What every journal promises."""

import asyncio
import time
from dataclasses import replace

import pytest

from burgee_server.errors import Overloaded
from burgee_server.ports.journal import Backlog

ENVIRONMENT = 1
OTHER = 2


async def test_what_was_appended_comes_out_in_order_as_one_payload(journals):
    """A range is the batches in the order of their acknowledgement, laid end to end."""
    journal = journals.open()
    for number in range(3):
        assert await journal.append(ENVIRONMENT, "", b"<%d>" % number, 1) is None

    waiting = await journal.next_range(100)

    assert waiting.payload == b"<0><1><2>"
    assert waiting.events == 3


async def test_an_empty_journal_has_no_range(journals):
    """Nothing waits, so there is nothing to load."""
    assert await journals.open().next_range(100) is None


async def test_a_range_holds_no_more_events_than_asked_for_but_at_least_one_batch(journals):
    """Ranges are bounded, and a batch larger than the bound still gets through."""
    journal = journals.open()
    for payload, events in ((b"a", 60), (b"b", 60), (b"c", 500)):
        await journal.append(ENVIRONMENT, "", payload, events)

    payloads = []
    while (waiting := await journal.next_range(100)) is not None:
        payloads.append(waiting.payload)
        await journal.commit(waiting)

    assert payloads == [b"a", b"b", b"c"]


async def test_a_range_is_bounded_in_bytes_too(journals):
    """Few large events must not take the memory of many small ones."""
    journal = journals.open(max_bytes=1 << 30)
    for _ in range(20):
        await journal.append(ENVIRONMENT, "", b"x" * (4 << 20), 1)

    waiting = await journal.next_range(50_000)

    assert 4 << 20 <= len(waiting.payload) <= 32 << 20


async def test_a_range_that_was_not_committed_is_the_same_after_a_restart_though_more_was_appended(journals):
    """A crash between insert and commit must lead to the same insert, known as one that was tried."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "", b"first", 1)
    before = await journal.next_range(100)
    await journal.append(ENVIRONMENT, "", b"second", 1)

    after = await journals.open().next_range(100)

    assert not before.again
    assert after == replace(before, again=True)


async def test_a_batch_id_is_kept_once_even_after_a_restart_and_a_commit(journals):
    """A client that did not hear the acknowledgement sends again: nothing is kept twice."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "batch-1", b"events", 7)
    await journal.commit(await journal.next_range(100))

    journal = journals.open()

    assert await journal.append(ENVIRONMENT, "batch-1", b"events", 7) == 7
    assert await journal.next_range(100) is None


async def test_the_same_batch_id_sent_twice_at_once_is_kept_once(journals):
    """Two copies of one batch in one group commit."""
    journal = journals.open()

    answers = await asyncio.gather(*(journal.append(ENVIRONMENT, "batch-1", b"x", 1) for _ in range(20)))

    assert sorted(answers, key=lambda known: known is not None) == [None, *[1] * 19]
    assert (await journal.next_range(100)).events == 1


async def test_a_batch_id_of_one_environment_says_nothing_of_another(journals):
    """Environments do not see each other's batch ids."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "batch-1", b"a", 1)

    assert await journal.append(OTHER, "batch-1", b"b", 1) is None


async def test_batches_without_an_id_are_never_the_same(journals):
    """No id, no deduplication."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "", b"a", 1)

    assert await journal.append(ENVIRONMENT, "", b"a", 1) is None
    assert (await journal.next_range(100)).events == 2


async def test_a_full_journal_refuses_honestly_and_takes_again_when_there_is_room(journals):
    """Never an acknowledgement for what is not kept; room comes back with a commit."""
    journal = journals.open(max_bytes=10)
    await journal.append(ENVIRONMENT, "", b"12345678", 1)

    with pytest.raises(Overloaded) as refusal:
        await journal.append(ENVIRONMENT, "batch-1", b"123", 1)
    assert refusal.value.retry_after > 0

    await journal.commit(await journal.next_range(100))
    assert await journal.append(ENVIRONMENT, "batch-1", b"123", 1) is None


async def test_an_empty_journal_takes_a_batch_that_is_larger_than_its_bound(journals):
    """Or it would be refused for ever, with a time to come back; then the journal is full until that is loaded."""
    journal = journals.open(max_bytes=10)

    assert await journal.append(ENVIRONMENT, "large", bytes(11), 1) is None
    with pytest.raises(Overloaded):
        await journal.append(ENVIRONMENT, "small", b"1", 1)

    await journal.commit(await journal.next_range(100))
    assert await journal.append(ENVIRONMENT, "small", b"1", 1) is None
    with pytest.raises(Overloaded):
        await journal.append(ENVIRONMENT, "large again", bytes(11), 1)


async def test_a_reopened_journal_knows_how_full_it_is(journals):
    """The bound holds across restarts."""
    await journals.open().append(ENVIRONMENT, "", b"12345678", 1)

    with pytest.raises(Overloaded):
        await journals.open(max_bytes=10).append(ENVIRONMENT, "", b"123", 1)


async def test_waiting_ends_with_an_append(journals):
    """The loader need not poll."""
    journal = journals.open()
    waiting = asyncio.create_task(journal.wait(60.0))
    await journal.append(ENVIRONMENT, "", b"a", 1)

    await asyncio.wait_for(waiting, 10)


async def test_it_is_complete_until_now_when_nothing_waits_and_else_until_the_oldest_batch(journals):
    """What was acknowledged before that moment can be queried."""
    journal = journals.open()
    before = time.time()
    assert await journal.complete_until() >= before

    await journal.append(ENVIRONMENT, "", b"a", 1)
    appended_by = time.time()
    assert before <= await journal.complete_until() <= appended_by


async def test_a_caller_that_gives_up_leaves_the_journal_whole(journals):
    """The batch of a cancelled call is kept or not, but the next one is always kept."""
    journal = journals.open()
    given_up = asyncio.create_task(journal.append(ENVIRONMENT, "batch-1", b"a", 1))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)

    assert await journal.append(ENVIRONMENT, "batch-2", b"b", 1) is None
    assert await journal.append(ENVIRONMENT, "batch-1", b"a", 1) in (None, 1)
    assert (await journal.next_range(100)).events == 2


async def test_a_batch_id_is_known_for_a_day_whatever_is_loaded_meanwhile_and_then_forgotten(journals):
    """Ids do not pile up, and none is forgotten early; across a restart in between."""
    now = 1_800_000_000.0
    journal = journals.open(unix_seconds=lambda: now)
    await journal.append(ENVIRONMENT, "batch-1", b"a", 1)
    await journal.commit(await journal.next_range(100))

    async def load_another():
        await journal.append(ENVIRONMENT, "", b"b", 1)
        await journal.commit(await journal.next_range(100))

    now += 24 * 3600
    await load_another()
    journal = journals.open(unix_seconds=lambda: now)
    assert await journal.append(ENVIRONMENT, "batch-1", b"a", 1) == 1

    now += 1
    await load_another()
    assert await journal.append(ENVIRONMENT, "batch-1", b"a", 1) is None


async def test_a_full_journal_still_knows_what_it_has(journals):
    """Whoever sends a batch again because its acknowledgement was lost is told the truth."""
    journal = journals.open(max_bytes=8)
    await journal.append(ENVIRONMENT, "batch-1", b"12345678", 1)

    assert await journal.append(ENVIRONMENT, "batch-1", b"12345678", 1) == 1


async def test_a_range_that_is_set_aside_makes_way_for_the_next_and_is_still_there_after_a_restart(journals):
    """One refused range holds up nobody, and is not lost."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "", b"bad", 2)
    refused = await journal.next_range(100)
    await journal.append(ENVIRONMENT, "", b"good", 1)

    await journal.set_aside(refused)

    assert (await journal.next_range(100)).payload == b"good"
    part = await journals.open().quarantine.next_part(0)
    assert (part.payload, part.events, part.examined) == (b"bad", 2, False)


async def test_what_is_set_aside_takes_up_room_until_it_is_in_the_warehouse(journals):
    """The bound holds for everything that was acknowledged and is not there yet, across restarts, too."""
    journal = journals.open(max_bytes=10)
    await journal.append(ENVIRONMENT, "", b"12345678", 1)
    await journal.set_aside(await journal.next_range(100))

    for each in (journal, journals.open(max_bytes=10)):
        with pytest.raises(Overloaded):
            await each.append(ENVIRONMENT, "", b"123", 1)

    await journal.quarantine.release(await journal.quarantine.next_part(0))
    assert await journal.append(ENVIRONMENT, "", b"123", 1) is None


async def test_it_is_not_complete_beyond_what_is_set_aside(journals):
    """Events that wait to be examined are not in any answer."""
    now = 1_800_000_000.0
    journal = journals.open(unix_seconds=lambda: now)
    await journal.append(ENVIRONMENT, "", b"a", 1)
    await journal.set_aside(await journal.next_range(100))
    now += 60
    await journal.append(ENVIRONMENT, "", b"b", 1)
    await journal.commit(await journal.next_range(100))

    assert await journal.complete_until() == 1_800_000_000.0
    await journal.quarantine.release(await journal.quarantine.next_part(0))
    assert await journal.complete_until() == now


async def test_a_batch_can_be_asked_for_by_its_id(journals):
    """As soon as it is acknowledged, after it is loaded, and after a restart; in its own environment only."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "b", b"payload", 7)
    await journal.append(ENVIRONMENT, "empty", b"", 0)
    assert await journal.batch(ENVIRONMENT, "b") == 7
    await journal.commit(await journal.next_range(100))
    for each in (journal, journals.open()):
        assert await each.batch(ENVIRONMENT, "b") == 7
        assert await each.batch(ENVIRONMENT, "empty") == 0
        assert await each.batch(OTHER, "b") is None
        assert await each.batch(ENVIRONMENT, "another") is None


async def test_marks_come_out_between_what_was_before_and_what_was_after(journals):
    """Those with nothing in between come together, and after a restart they are the same."""
    journal = journals.open()
    await journal.append(ENVIRONMENT, "", b"a", 1)
    await journal.append(ENVIRONMENT, "", b"b", 1)
    for text in ("one", "two"):
        await journal.mark(text)
    await journal.append(ENVIRONMENT, "", b"c", 1)
    await journal.mark("three")

    found = []
    while (waiting := await journal.next_range(100)) is not None:
        found.append((waiting.payload, waiting.events, waiting.marks))
        await journal.close()
        journal = journals.open()
        assert await journal.next_range(100) == replace(waiting, again=True)
        await journal.commit(waiting)

    assert found == [(b"ab", 2, ()), (b"", 0, ("one", "two")), (b"c", 1, ()), (b"", 0, ("three",))]


async def test_a_mark_takes_no_room(journals):
    """Whatever is to be erased can be, in a journal that is full; and the room is counted right afterwards."""
    journal = journals.open(max_bytes=10)
    await journal.append(ENVIRONMENT, "", b"x" * 10, 1)
    await journal.mark("a mark longer than the journal may be")
    await journal.close()
    journal = journals.open(max_bytes=10)
    while (waiting := await journal.next_range(100)) is not None:
        await journal.commit(waiting)

    await journal.append(ENVIRONMENT, "", b"x" * 10, 1)
    with pytest.raises(Overloaded):
        await journal.append(ENVIRONMENT, "", b"x", 1)


async def test_the_backlog_is_what_waits_and_what_room_it_takes(journals):
    """Marks are no events; what was set aside waits no more, and takes up room all the same."""
    journal = journals.open(max_bytes=1_000, unix_seconds=lambda: 100.0)
    assert await journal.backlog() == Backlog(0, 0, 0, None, 0, 1_000)
    await journal.append(ENVIRONMENT, "", b"four", 2)
    await journal.append(OTHER, "", b"eleven more", 3)
    await journal.mark("1/erasure")

    assert await journal.backlog() == Backlog(2, 5, 15, 100.0, 15, 1_000)

    await journal.set_aside(await journal.next_range(2))
    assert await journal.backlog() == Backlog(1, 3, 11, 100.0, 15, 1_000)


async def test_a_journal_is_of_the_installation_that_claimed_it_first(journals):
    """Whoever comes later is told whose it is, after a restart, too."""
    assert await journals.open().claim("ours") == "ours"
    assert await journals.open().claim("theirs") == "ours"
