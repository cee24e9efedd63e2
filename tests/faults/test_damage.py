"""A journal's file that is cut off or damaged: what can be read is saved, and what cannot is told, to the event."""

import asyncio
import logging
import random
import re
import sqlite3
import time
from pathlib import Path

import pytest

import burgee
from burgee_server.errors import Damaged
from burgee_server.ports.quarantine import RefusedEvent, Selection
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.faults.test_power_loss import numbers, parts, payload
from tests.fixtures.serving import Serving, wait_for
from tests.fixtures.warehouse import Fact, batch

MAX_BYTES = 1 << 30
BATCHES, ASIDE, REFUSED = 60, 3, 4
EVENTS = 10
"""In each batch."""


async def fill(path: Path) -> None:
    """A journal with batches that wait, parts that are set aside, and events in quarantine."""
    journal = SqliteJournal(path, MAX_BYTES)
    for number in range(ASIDE + 1 + BATCHES):
        await journal.append(1, f"batch-{number}", payload(number), EVENTS)
        if number <= ASIDE:
            await journal.set_aside(await journal.next_range(1))
    part = await journal.quarantine.next_part(0)
    refused = [RefusedEvent(1, payload(1_000 + number), "it is refused") for number in range(REFUSED)]
    await journal.quarantine.divide(part, [], refused)
    await journal.close()


async def saved(path: Path) -> dict[str, int]:
    """How many rows there are of each kind. Fails if one is not whole, or if the journal does not work on."""
    journal = SqliteJournal(path, MAX_BYTES)
    await journal.append(1, "one more", payload(2_000), EVENTS)
    queued: list[int] = []
    while waiting := await journal.next_range(1_000):
        queued += numbers(waiting.payload)
        await journal.commit(waiting)
    assert queued.pop() == 2_000
    assert queued == sorted(set(queued))
    aside = [number async for part in parts(journal) for number in numbers(part.payload)]
    refused = await journal.quarantine.page(1, Selection(), None, 1_000)
    assert all(numbers(event.payload) for event in refused)
    known = [await journal.batch(1, f"batch-{number}") for number in range(ASIDE + 1 + BATCHES)]
    assert set(known) <= {EVENTS, None}
    await journal.close()
    ids = sum(events is not None for events in known)
    return {"batches": len(queued), "parts": len(aside), "events": len(refused), "ids": ids}


def told(words: str) -> dict[str, int]:
    """How many rows are lost, as the log says it."""
    lost = dict.fromkeys(("batches", "parts", "events", "ids"), 0)
    for number, total, kind, of_events in re.findall(
        r"(\d+) of (\d+) (batches|parts|events|ids)(?: that \w+(?: set aside)? with (\d+) of)?", words
    ):
        lost[kind] = int(number)
        if kind != "events" and of_events:
            assert int(of_events) == int(number) * EVENTS
        assert int(total) == {"batches": BATCHES, "parts": ASIDE, "events": REFUSED, "ids": ASIDE + 1 + BATCHES}[kind]
    return lost


def cut_off(content: bytearray, chance: random.Random) -> bytearray:
    """The end is gone, from anywhere behind the first few pages."""
    return content[: chance.randrange(16 * 4096, len(content))]


def scribbled(content: bytearray, chance: random.Random) -> bytearray:
    """A few sectors hold something else."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(16 * 4096, len(content) - 512) & ~511
        content[at : at + 512] = chance.randbytes(512)
    return content


def flipped(content: bytearray, chance: random.Random) -> bytearray:
    """One bit is another."""
    content[chance.randrange(16 * 4096, len(content))] ^= 1 << chance.randrange(8)
    return content


@pytest.mark.parametrize("damage", [cut_off, scribbled, flipped])
async def test_what_can_be_read_is_saved_and_the_rest_is_told(
    tmp_path: Path, chance: random.Random, caplog: pytest.LogCaptureFixture, damage: object
) -> None:
    """Row by row, each whole; what is missing is what the log says; and the damaged file is kept."""
    whole = tmp_path / "whole.db"
    await fill(whole)
    there = {"batches": BATCHES, "parts": ASIDE, "events": REFUSED, "ids": ASIDE + 1 + BATCHES}
    rescued = 0
    for number in range(6):
        path = tmp_path / f"{number}" / "journal.db"
        path.parent.mkdir()
        path.write_bytes(damage(bytearray(whole.read_bytes()), chance))
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            try:
                found = await saved(path)
            except Damaged:  # what says how much there was is gone, too
                continue
        words = " ".join(record.message for record in caplog.records if "was damaged" in record.message)
        lost = told(words)
        assert {kind: found[kind] + lost[kind] for kind in found} == there, words
        assert bool(words) == bool(list(path.parent.glob("journal.db.damaged-*")))
        rescued += bool(words)
    assert rescued > (0 if damage is flipped else 3)


async def test_a_rescue_that_is_cut_short_before_its_end_is_finished_by_the_next_start(tmp_path: Path) -> None:
    """The file that was being made is in its place, and the log of the damaged one is not taken for its own."""
    path = tmp_path / "journal.db"
    await fill(path)
    path.rename(tmp_path / "journal.db.rescued")
    path.write_bytes(b"damaged")
    (tmp_path / "journal.db-wal").write_bytes(b"damaged, too")

    assert (await saved(path))["batches"] == BATCHES


async def test_damage_that_comes_up_while_the_journal_is_open_is_said_and_not_loaded(tmp_path: Path) -> None:
    """The loader stops the server for it; the next start saves the rest."""
    path = tmp_path / "journal.db"
    await fill(path)
    journal = SqliteJournal(path, MAX_BYTES)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE batches SET payload = x'00' WHERE seq = (SELECT max(seq) FROM batches)")
    other.close()

    with pytest.raises(Damaged, match="Start again"):
        await journal.next_range(100_000)

    await journal.close()
    assert (await saved(path))["batches"] == BATCHES - 1


async def test_a_server_says_what_is_lost_of_a_journal_that_was_cut_off_and_goes_on(tmp_path: Path) -> None:
    """What it saved is loaded and counted."""
    data = tmp_path / "data"
    server = Serving(data).ready()
    server.stop()
    journal = SqliteJournal(data / "journal.db", MAX_BYTES)
    for number in range(40):
        facts = [Fact(distinct_id=f"user-{number}", properties={"text": random.randbytes(600).hex()}) for _ in range(5)]
        await journal.append(1, f"batch-{number}", batch(1, *facts), 5)
    await journal.close()
    content = (data / "journal.db").read_bytes()
    (data / "journal.db").write_bytes(content[: len(content) * 3 // 4])

    server = Serving(data).ready()

    try:
        with burgee.Client(server.target, server.key) as client:
            now = time.time()
            await asyncio.to_thread(wait_for, lambda: client.trend("seen").info.complete_until.timestamp() >= now)
            trend = client.trend("seen", start="2026-01-01", end="2026-04-01", interval="month")
            [said] = re.findall(r"lost are (\d+) of 40 batches that waited with (\d+) of 200 events", server.errors)
            assert 0 < int(said[0]) < 40
            assert sum(trend.rows[0].values) == 200 - int(said[1]) == 200 - 5 * int(said[0])
            client.capture("seen", "ann")
            assert client.flush(20)
    finally:
        server.stop()
