"""What becomes of events that a node acknowledges while it cannot reach the journal of all nodes."""

import asyncio
import time

import pytest

from burgee_server.capture import Handover
from burgee_server.errors import Damaged, Overloaded, Unavailable, Unsupported
from burgee_server.ports.quarantine import Remainder
from burgee_server.storage.held import ClaimedJournal, HoldingJournal
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.fixtures.until import until

ENVIRONMENT = 1


class Far:
    """A journal at the other end of a line. The line can be cut, for good or after so many more appends."""

    def __init__(self, journal):
        self._journal = journal
        self.is_cut = False
        self.appends_left = 1 << 30
        self.loses_answers = False

    def __getattr__(self, name):
        if self.is_cut and name != "close":
            raise Unavailable("the line is cut")
        return getattr(self._journal, name)

    async def append(self, *batch):
        if self.is_cut or not self.appends_left:
            raise Unavailable("the line is cut")
        self.appends_left -= 1
        known = await self._journal.append(*batch)
        if self.loses_answers:
            raise Unavailable("nobody answers")
        return known


class Node:
    """One that holds what it cannot give away, on a disk that survives it, with its end of the line."""

    def __init__(self, shared, path):
        self._path = path
        self._open = []
        self.line = Far(shared)
        self.starts()

    def starts(self, *, holds=True, max_bytes=1 << 20):
        """Start, as after a kill: of what was before there is only the file."""
        own = SqliteJournal(self._path, max_bytes)
        self._open.append(own)
        self.all_nodes = ClaimedJournal(self.line)
        self.journal = HoldingJournal(self.all_nodes, own, holds=holds)

    async def close(self):
        """Let go of the files."""
        for own in self._open:
            await own.close()


@pytest.fixture
def shared(journals):
    """The journal of all nodes."""
    return journals.open()


@pytest.fixture
async def node(shared, tmp_path):
    """A node that has never been cut off."""
    node = Node(shared, tmp_path / "own.db")
    yield node
    await node.close()


async def keep_all(_acknowledged_at):
    """Nothing was erased meanwhile."""
    return lambda _payload: None


async def taken_out(journal):
    """The payloads of everything in a journal, in order, and their number of events."""
    payload, events = b"", 0
    while (waiting := await journal.next_range(100)) is not None:
        payload, events = payload + waiting.payload, events + waiting.events
        await journal.commit(waiting)
    return payload, events


async def test_what_is_taken_while_the_line_is_cut_is_handed_over_when_it_is_back(node, shared):
    """In order, after what came before, and before what comes then. A restart in between changes nothing."""
    assert await node.journal.append(ENVIRONMENT, "", b"<1>", 1) is None
    node.line.is_cut = True
    assert await node.journal.append(ENVIRONMENT, "b", b"<2>", 2) is None
    assert await node.journal.append(ENVIRONMENT, "", b"<3>", 3) is None
    node.starts()
    with pytest.raises(Unavailable):
        await node.journal.hand_over(keep_all)
    assert (await node.journal.holding()).events == 5

    node.line.is_cut = False
    await node.journal.hand_over(keep_all)
    assert await node.journal.append(ENVIRONMENT, "", b"<4>", 4) is None

    assert await taken_out(shared) == (b"<1><2><3><4>", 10)
    assert (await node.journal.holding()).events == 0
    assert node.journal.handed_over == 5


async def test_a_batch_that_comes_again_is_kept_once_wherever_it_was_kept_first(node, shared):
    """Held here and sent again: here, at another node that is not cut off, and here when the line is back."""
    node.line.is_cut = True
    assert await node.journal.append(ENVIRONMENT, "b", b"x", 7) is None
    assert await node.journal.append(ENVIRONMENT, "b", b"x", 7) == 7
    assert await node.journal.batch(ENVIRONMENT, "b") == 7

    assert await shared.append(ENVIRONMENT, "b", b"x", 7) is None

    node.line.is_cut = False
    await node.journal.hand_over(keep_all)
    assert await node.journal.append(ENVIRONMENT, "b", b"x", 7) == 7
    assert await taken_out(shared) == (b"x", 7)


async def test_a_batch_that_arrived_although_nobody_answered_is_kept_once(node, shared):
    """The line was cut on the way back: it is held, and handed over, and already there."""
    node.line.loses_answers = True
    assert await node.journal.append(ENVIRONMENT, "b", b"x", 7) is None
    node.line.loses_answers = False

    await node.journal.hand_over(keep_all)

    assert await taken_out(shared) == (b"x", 7)


@pytest.mark.parametrize("arrive", range(4))
async def test_a_node_that_is_killed_while_it_hands_over_neither_loses_nor_doubles(node, shared, arrive):
    """After each of its batches, with an id of their callers or without."""
    node.line.is_cut = True
    for number in range(3):
        await node.journal.append(ENVIRONMENT, f"b{number}" if number else "", b"<%d>" % number, 1)
    node.line.is_cut, node.line.appends_left = False, arrive
    if arrive < 3:
        with pytest.raises(Unavailable):
            await node.journal.hand_over(keep_all)
    else:  # all have arrived, and it has not come to noting that down

        async def killed(_done):
            raise OSError("killed")

        node.journal._own.commit = killed
        with pytest.raises(OSError, match="killed"):
            await node.journal.hand_over(keep_all)
    node.line.appends_left = 1 << 30
    await shared.commit(await shared.next_range(100)) if arrive else None

    node.starts()
    await node.journal.hand_over(keep_all)

    payload, events = await taken_out(shared)
    assert (len(payload), events) == (3 * (3 - arrive), 3 - arrive)


async def test_what_a_node_holds_is_bounded_and_refused_beyond(node):
    """Never an acknowledgement for what is not kept."""
    node.starts(max_bytes=200)
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"x" * 120, 1)

    with pytest.raises(Overloaded):
        await node.journal.append(ENVIRONMENT, "", b"x" * 120, 1)


async def test_a_node_that_is_not_to_hold_anything_refuses_and_hands_over_what_it_held_before(node, shared):
    """Whoever takes the setting back loses nothing."""
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"x", 1)
    node.starts(holds=False)
    with pytest.raises(Unavailable):
        await node.journal.append(ENVIRONMENT, "", b"y", 1)

    node.line.is_cut = False
    await node.journal.hand_over(keep_all)

    assert await taken_out(shared) == (b"x", 1)


async def test_a_node_starts_while_the_line_is_cut_and_claims_the_journal_when_it_is_back(node, shared):
    """It takes events meanwhile; nothing is asked of a journal before it is known whose it is."""
    node.line.is_cut = True
    assert await node.journal.claim("ours") == "ours"
    assert await node.journal.append(ENVIRONMENT, "", b"x", 1) is None
    node.line.is_cut = False
    assert await node.journal.next_range(100) is None
    assert await shared.claim("theirs") == "ours"

    await node.journal.hand_over(keep_all)

    assert await taken_out(shared) == (b"x", 1)


async def test_a_journal_of_others_that_was_away_at_the_start_is_given_and_asked_nothing(node, shared):
    """Its numbers of environments mean other people's."""
    assert await shared.claim("theirs") == "theirs"
    node.line.is_cut = True
    assert await node.journal.claim("ours") == "ours"
    assert await node.journal.append(ENVIRONMENT, "", b"x", 1) is None
    node.line.is_cut = False

    for asked in (node.journal.hand_over(keep_all), node.journal.next_range(100), node.journal.mark("m")):
        with pytest.raises(Damaged, match="theirs"):
            await asked
    assert await node.journal.append(ENVIRONMENT, "", b"y", 1) is None
    assert await taken_out(shared) == (b"", 0)
    assert (await node.journal.holding()).events == 2


async def test_a_node_that_is_to_hold_nothing_does_not_start_while_the_line_is_cut(node):
    """It could take nothing."""
    node.starts(holds=False)
    node.line.is_cut = True
    with pytest.raises(Unavailable):
        await node.journal.claim("ours")


async def test_answers_are_complete_only_until_what_is_held_and_what_was_just_handed_over(node, shared):
    """What was acknowledged here is in no answer until it has been handed over and loaded."""
    before = time.time()
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"x", 1)
    acknowledged_by = time.time()
    node.line.is_cut = False
    assert before <= await node.journal.complete_until() <= acknowledged_by

    await node.journal.hand_over(keep_all)
    assert before <= await node.journal.complete_until() <= acknowledged_by

    await taken_out(shared)
    assert await node.journal.complete_until() > acknowledged_by


async def test_what_was_erased_meanwhile_is_not_handed_over(node, shared):
    """Of each batch that is left which is to be left; one of which nothing is left is known all the same."""
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "a", b"ann and ben", 2)
    await node.journal.append(ENVIRONMENT, "b", b"ben", 1)
    node.line.is_cut = False

    async def erased(_acknowledged_at):
        return {b"ann and ben": Remainder(b"ann", 1), b"ben": Remainder(b"", 0)}.get

    await node.journal.hand_over(erased)

    assert await taken_out(shared) == (b"ann", 1)
    assert await shared.append(ENVIRONMENT, "b", b"ben", 1) == 0


async def test_handing_over_goes_on_by_itself_until_it_is_stopped(node, shared):
    """It begins when the line is back; and what is held at the end stays there if it is not."""
    handover = Handover(node.journal, keep_all)
    running = asyncio.create_task(handover.run())
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"x", 1)
    node.line.is_cut = False

    async def handed_over():  # it may have looked for what is held just before there was any
        return not node.journal.away and not (await node.journal.holding()).events

    await until(handed_over)
    assert await taken_out(shared) == (b"x", 1)

    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"y", 1)
    handover.stop()
    await asyncio.wait_for(running, 20)
    assert (await node.journal.holding()).events == 1


async def test_what_somebody_elses_node_holds_is_not_taken(node):
    """A directory that was mounted in the wrong place."""
    assert await node.journal.claim("ours") == "ours"
    assert await node.journal.claim("theirs") == "ours"


async def test_a_journal_that_was_away_is_claimed_anew_before_anything_is_asked_of_it(node, shared):
    """It may have come back as another one; until it is known whose it is, nobody else speaks to it either."""
    assert await node.journal.claim("ours") == "ours"
    assert node.all_nodes.is_claimed()
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"x", 1)
    assert not node.all_nodes.is_claimed()
    node.line.is_cut = False
    node.line.claim = lambda _installation: answer("theirs")
    with pytest.raises(Damaged, match="theirs"):
        await node.journal.hand_over(keep_all)
    assert not node.all_nodes.is_claimed()
    assert await shared.next_range(10) is None

    del node.line.claim
    await node.journal.hand_over(keep_all)
    assert node.all_nodes.is_claimed()
    assert await taken_out(shared) == (b"x", 1)


@pytest.mark.parametrize("holds", [False, True], ids=["refuse", "local"])
@pytest.mark.parametrize("finds", ["batch", "next_range"])
async def test_a_journal_that_anybody_found_away_is_claimed_anew(node, shared, holds, finds):
    """Also by a node that holds nothing, or has had nothing to give: what comes back may not be given anything."""
    node.starts(holds=holds)
    assert await node.journal.claim("ours") == "ours"
    node.line.is_cut = True
    with pytest.raises(Unavailable):
        await (node.all_nodes.batch(ENVIRONMENT, "b") if finds == "batch" else node.all_nodes.next_range(100))
    assert not node.all_nodes.is_claimed()
    node.line.is_cut = False
    node.line.claim = lambda _installation: answer("theirs")
    if holds:
        assert await node.journal.append(ENVIRONMENT, "", b"x", 1) is None
    else:
        with pytest.raises(Unavailable, match="must not have them"):
            await node.journal.append(ENVIRONMENT, "", b"x", 1)
    assert await taken_out(shared) == (b"", 0)

    del node.line.claim
    await node.journal.hand_over(keep_all)
    await node.journal.append(ENVIRONMENT, "", b"y", 1)
    assert node.all_nodes.is_claimed()
    assert await taken_out(shared) == (b"xy" if holds else b"y", 2 if holds else 1)


async def answer(owner):
    """What a journal says whose it is."""
    return owner


async def test_a_redis_that_would_lose_what_it_is_given_is_warned_of_once(node, shared, caplog):
    """And is given nothing until it is set up otherwise."""
    assert await node.journal.claim("ours") == "ours"
    node.line.is_cut = True
    await node.journal.append(ENVIRONMENT, "", b"x", 1)
    node.line.is_cut = False
    asked = asyncio.Semaphore(0)

    async def refuse(_installation):
        asked.release()
        raise Unsupported("set it to noeviction")

    node.line.claim = refuse
    handover = Handover(node.journal, keep_all)
    running = asyncio.create_task(handover.run())
    async with asyncio.timeout(20):
        for _ in range(3):
            await asked.acquire()
    assert await shared.next_range(10) is None
    del node.line.claim
    await until(lambda: not node.journal.away)
    handover.stop()
    await running
    told = [record for record in caplog.records if "noeviction" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING"]
    assert await taken_out(shared) == (b"x", 1)
