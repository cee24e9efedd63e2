"""The power goes at any moment of a journal's life: what it had acknowledged is there, whole and once.

The journal and the SQLite under it run as they do in the server, on a real file system, and every write and sync that
leaves SQLite is recorded (recorder.py). Afterwards each sync, and each moment between two, is a power loss: the files
are put together as a disk may hold them then (disk.py, which says what is and what is not modelled), and the journal is
opened on them by the code that opens it in the server. Then it lives on, and the power goes again.

What somebody outside had been told by that moment, no more and no less, is what it must keep.
"""

import asyncio
import copy
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.faults.disk import Disk
from tests.faults.recorder import Recorder, recording

NAME = "journal.db"
MAX_BYTES = 1 << 30
ENVIRONMENT = 1


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
    """What those outside the journal know of it."""

    sent: set[int] = field(default_factory=set)
    kept: list[int] = field(default_factory=list)
    """Acknowledged."""
    handed_out: list[int] = field(default_factory=list)
    """The range that the warehouse may have."""
    given_up: set[int] = field(default_factory=set)
    """Loaded, and the journal was asked to forget them."""
    gone: set[int] = field(default_factory=set)
    """It said that it has."""
    set_aside: set[int] = field(default_factory=set)
    """It said that they are in quarantine."""

    def learn(self, word: str, about: list[int]) -> None:
        """One more thing was told."""
        match word:
            case "sent":
                self.sent.update(about)
            case "kept":
                self.kept += about
            case "handed out":
                self.handed_out = about
            case "given up":
                self.given_up.update(about)
            case "gone":
                self.gone.update(about)
                self.handed_out = []
            case "set aside":
                self.set_aside.update(about)


async def live(journal: SqliteJournal, chance: random.Random, first: int, batches: int, tell: Recorder) -> None:
    """Some batches alone and some together, ranges handed out and forgotten, and some quarantine."""
    coming = iter(range(first, first + batches))

    async def append(number: int) -> None:
        tell.tell(("sent", [number]))
        assert await journal.append(ENVIRONMENT, f"batch-{number}", payload(number), number % 7 + 1) is None
        tell.tell(("kept", [number]))

    while together := list(itertools.islice(coming, chance.choice((1, 1, 2, 6)))):
        await asyncio.gather(*map(append, together))
        if chance.random() < 0.3 and (waiting := await journal.next_range(chance.choice((20, 60, 200)))):
            inside = numbers(waiting.payload)
            tell.tell(("handed out", inside))
            if chance.random() < 0.2:
                await journal.quarantine(f"{inside[0]}", payload(inside[0]), "it is refused")
                tell.tell(("set aside", [inside[0]]))
            if chance.random() < 0.7:
                tell.tell(("given up", inside))
                await journal.commit(waiting)
                tell.tell(("gone", inside))


async def check(directory: Path, known: Known) -> None:
    """Everything that was told is so, and the journal works on."""
    journal = SqliteJournal(directory / NAME, MAX_BYTES)
    try:
        waiting = await journal.next_range(1)
        if known.handed_out and not known.given_up.issuperset(known.handed_out):
            assert waiting is not None
            assert (numbers(waiting.payload), waiting.again) == (known.handed_out, True)
        found: list[int] = []
        while waiting is not None:
            found += numbers(waiting.payload)
            await journal.commit(waiting)
            waiting = await journal.next_range(1_000)

        assert len(found) == len(set(found))
        assert set(known.kept) - known.given_up <= set(found) <= known.sent - known.gone
        assert [number for number in found if number in known.kept] == [n for n in known.kept if n in found]
        unclear = known.given_up - known.gone
        assert unclear.isdisjoint(found) or unclear.issubset(found)

        for number in known.sent:
            events = await journal.append(ENVIRONMENT, f"batch-{number}", payload(number), 1_000)
            assert events == number % 7 + 1 if number in known.kept or number in found else events is None
        set_aside = {numbers(one.payload)[0] for one in await journal.quarantined(1_000)}
        assert known.set_aside <= set_aside <= known.sent
    finally:
        await journal.close()


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
    """A sample of the syncs of two lives that write over each other's log, four ways each."""
    assert await outages(tmp_path, chance, batches=120, lives=2, share=0.15, each=4) > 50


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
async def test_the_journal_survives_a_power_loss_at_every_sync(tmp_path: Path, seed: int) -> None:
    """Every sync of three lives, ten ways each, and every twentieth write."""
    checked = await outages(tmp_path, random.Random(seed), batches=150, lives=3, share=1.0, each=10)
    print(f"seed {seed}: {checked:,} power losses")
