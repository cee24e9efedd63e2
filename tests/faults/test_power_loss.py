"""The power goes at any moment of a journal's life: what it had acknowledged is there, whole and once.

The journal and the SQLite under it run as they do in the server, on a real file system, and every write and sync that
leaves SQLite is recorded (recorder.py). Afterwards each sync, and each moment between two, is a power loss: the files
are put together as a disk may hold them then (disk.py, which says what is and what is not modelled), and the journal is
opened on them by the code that opens it in the server. Then it lives on, and the power goes again.

What somebody outside had been told by that moment, no more and no less, is what it must keep.
"""

import asyncio
import copy
import functools
import itertools
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from burgee_server.ports.quarantine import Part, RefusedEvent, Selection
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.faults.disk import Disk
from tests.faults.recorder import Recorder, recording

NAME = "journal.db"
MAX_BYTES = 1 << 30
ENVIRONMENT = 1


@functools.cache
def payload(number: int) -> bytes:
    """A batch that cannot be mistaken for another, nor a half of it for the whole; up to 60 KB."""
    chance = random.Random(number)
    size = chance.choice((0, 10, 3_000, 30_000, 60_000))
    return b"%08d%08d" % (number, size) + chance.randbytes(size)


def numbers(content: bytes) -> list[int]:
    """The batches that a range is made of. Fails if one of them is not whole."""
    found, position = [], 0
    while position < len(content):
        number, size = int(content[position : position + 8]), int(content[position + 8 : position + 16])
        assert content[position : position + 16 + size] == payload(number)
        found.append(number)
        position += 16 + size
    return found


@dataclass
class Known:
    """What those outside the journal know of its batches."""

    sent: set[int] = field(default_factory=set)
    kept: list[int] = field(default_factory=list)
    """Acknowledged."""
    handed_out: list[int] = field(default_factory=list)
    """The range that the warehouse may have."""
    leaving: set[int] = field(default_factory=set)
    """The journal was asked to take them out of the queue."""
    given_up: set[int] = field(default_factory=set)
    """It was asked to forget them."""
    unclear: list[int] = field(default_factory=list)
    """Those of the last time, until it has said that it did."""
    gone: set[int] = field(default_factory=set)
    """It said that it has."""
    aside: set[int] = field(default_factory=set)
    """It said that they are set aside, or in quarantine."""

    def learn(self, word: str, about: list[int]) -> None:
        """One more thing was told."""
        match word:
            case "sent":
                self.sent.update(about)
            case "kept":
                self.kept += about
            case "handed out":
                self.handed_out = about
            case "leaving":
                self.leaving.update(about)
            case "given up":
                self.given_up.update(about)
                self.unclear = about
            case "gone":
                self.gone.update(about)
                self.unclear = []
            case "aside":
                self.aside.update(about)


async def live(journal: SqliteJournal, chance: random.Random, first: int, batches: int, recorder: Recorder) -> None:
    """Batches alone and together; ranges handed out and forgotten, or set aside, examined, and forgotten in part."""
    tell = recorder.tell
    coming = iter(range(first, first + batches))

    async def append(number: int) -> None:
        tell(("sent", [number]))
        assert await journal.append(ENVIRONMENT, f"batch-{number}", payload(number), number % 7 + 1) is None
        tell(("kept", [number]))

    while together := list(itertools.islice(coming, chance.choice((1, 1, 2, 6)))):
        await asyncio.gather(*map(append, together))
        if chance.random() < 0.3 and (waiting := await journal.next_range(chance.choice((20, 60, 200)))):
            inside = numbers(waiting.payload)
            tell(("handed out", inside))
            what = chance.random()
            if what < 0.5:
                tell(("leaving", inside))
                tell(("given up", inside))
                await journal.commit(waiting)
                tell(("gone", inside))
            elif what < 0.8:
                tell(("leaving", inside))
                await journal.set_aside(waiting)
                tell(("aside", inside))
        if chance.random() < 0.2 and (part := await journal.quarantine.next_part(0)):
            inside = numbers(part.payload)
            if part.examined:
                tell(("given up", inside))
                await journal.quarantine.release(part)
                tell(("gone", inside))
            else:
                bad, *good = inside
                rest = [(b"".join(map(payload, good)), len(good))] if good else []
                await journal.quarantine.divide(part, rest, [RefusedEvent(ENVIRONMENT, payload(bad), "it is refused")])


async def check(directory: Path, known: Known) -> None:
    """Everything that was told is so, and the journal works on."""
    journal = SqliteJournal(directory / NAME, MAX_BYTES)
    try:
        waiting = await journal.next_range(1)
        if known.handed_out and known.leaving.isdisjoint(known.handed_out):
            assert waiting is not None
            assert (numbers(waiting.payload), waiting.again) == (known.handed_out, True)
        queued: list[int] = []
        while waiting is not None:
            queued += numbers(waiting.payload)
            await journal.commit(waiting)
            waiting = await journal.next_range(1_000)
        assert [number for number in queued if number in known.kept] == [n for n in known.kept if n in queued]
        assert known.aside.isdisjoint(queued)
        aside = [number async for part in parts(journal) for number in numbers(part.payload)]
        refused = await journal.quarantine.page(ENVIRONMENT, Selection(), None, 1_000)

        found = [*queued, *aside, *(number for one in refused for number in numbers(one.payload))]
        assert len(found) == len(set(found))
        assert set(known.kept) - known.given_up <= set(found) <= known.sent - known.gone
        left = [number for number in known.unclear if number in found]
        assert left == known.unclear[len(known.unclear) - len(left) :]  # forgotten from the beginning on

        sent = sorted(known.sent)
        again = (journal.append(ENVIRONMENT, f"batch-{number}", payload(number), 1_000) for number in sent)
        for number, events in zip(sent, await asyncio.gather(*again), strict=True):
            assert events == number % 7 + 1 if number in known.kept or number in found else events is None
    finally:
        await journal.close()


async def parts(journal: SqliteJournal) -> AsyncIterator[Part]:
    """What is set aside."""
    after = 0
    while part := await journal.quarantine.next_part(after):
        yield part
        after = part.part_id


def put(directory: Path, files: Mapping[str, bytes]) -> None:
    """The directory, with these files in it and no others."""
    directory.mkdir(exist_ok=True)
    for file in directory.iterdir():
        file.unlink()
    for name, content in files.items():
        (directory / name).write_bytes(content)


async def outages(tmp_path: Path, chance: random.Random, batches: int, lives: int, share: float, each: int) -> int:
    """Check what is left of a journal after a power loss at a share of its syncs, in `each` way; how many those were.

    Then one of them is what the next life begins with.
    """
    checked = 0
    files: dict[str, bytes] = {}
    before = Known()
    for life in range(lives):
        put(tmp_path / "life", files)
        with recording(tmp_path / "life") as recorder:
            journal = SqliteJournal(tmp_path / "life" / NAME, MAX_BYTES)
            await live(journal, chance, life * batches, batches, recorder)
            await journal.close()
        syncs = [number for number, step in enumerate(recorder.steps) if step.done == "sync"]
        last = chance.choice(syncs)
        disk, known = Disk(files), copy.deepcopy(before)
        for number, step in enumerate(recorder.steps):
            # A sync that has not returned is where most is at risk; between two, a write more or less.
            ways = each if step.done == "sync" and chance.random() < share else chance.random() < share / 20
            for how, left in itertools.islice(disk.after_power_loss(chance), ways):
                put(tmp_path / "left", left)
                try:
                    await check(tmp_path / "left", known)
                except BaseException as error:
                    error.add_note(f"life {life}, before step {number} of {len(recorder.steps)}, {how}")
                    raise
                checked += 1
            if number == last:
                then = list(itertools.islice(disk.after_power_loss(chance), 4))[-1][1], copy.deepcopy(known)
            if step.done == "told":
                known.learn(*step.what)
            else:
                disk.apply(step)
        files, before = then
    return checked


async def test_the_journal_survives_a_power_loss_at_any_sync(tmp_path: Path, chance: random.Random) -> None:
    """A sample of the syncs of two lives that write over each other's log, three ways each."""
    assert await outages(tmp_path, chance, batches=70, lives=2, share=0.15, each=3) > 20


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
async def test_the_journal_survives_a_power_loss_at_every_sync(tmp_path: Path, seed: int) -> None:
    """Every sync of three lives, ten ways each, and every twentieth write."""
    checked = await outages(tmp_path, random.Random(seed), batches=150, lives=3, share=1.0, each=10)
    print(f"seed {seed}: {checked:,} power losses")
