"""Journal files that another version has written."""

import asyncio
import sqlite3
from itertools import groupby

import pytest

from burgee_server.errors import Unavailable
from burgee_server.storage.sqlite import checkpoints
from burgee_server.storage.sqlite import journal as journal_module
from burgee_server.storage.sqlite.journal import FORGOTTEN_BATCHES, SqliteJournal
from burgee_server.storage.sqlite.schema import MIGRATIONS


async def test_what_an_older_version_had_in_quarantine_is_examined_again(tmp_path):
    """Nothing of it is lost; and what waited, waits."""
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.executescript(MIGRATIONS[0])
        connection.execute("INSERT INTO batches VALUES (7, ?, 1, 1e9)", (b"waiting",))
        connection.execute("INSERT INTO quarantine VALUES (3, 'token', ?, 'bad', 1e9)", (b"refused",))
    connection.close()

    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)

    assert (await journal.next_range(10)).first == 7
    part = await journal.quarantine.next_part(0)
    assert (part.payload, part.events, part.examined) == (b"refused", 1, False)
    await journal.close()


async def test_a_file_of_a_newer_version_is_refused(tmp_path):
    """In words that say what to do."""
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()

    with pytest.raises(Unavailable, match="upgrade"):
        SqliteJournal(tmp_path / "journal.db", 1 << 20)


async def test_the_write_ahead_log_is_begun_anew_while_appending_goes_on(tmp_path, monkeypatch):
    """It is moved into the file while others write, to its end: it does not hold all that ever went through it."""
    monkeypatch.setattr(checkpoints, "EVERY_COMMITS", 16)
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 30)

    for number in range(600):
        await journal.append(1, f"batch-{number}", bytes(20_000), 1)

    assert (tmp_path / "journal.db-wal").stat().st_size < 600 * 20_000 / 2
    await journal.close()


async def test_a_range_that_is_forgotten_in_part_gives_back_the_room_of_that_part_once(tmp_path, monkeypatch):
    """As on a disk that fills up meanwhile: when the rest is forgotten, the journal is as empty as a new one."""
    monkeypatch.setattr(journal_module, "FORGOTTEN_BATCHES", 2)
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)
    for number in range(5):
        await journal.append(1, f"batch-{number}", bytes(1_000), 1)
    with monkeypatch.context() as broken:
        broken.setattr(journal_module, "_delete", _full)
        with pytest.raises(sqlite3.OperationalError):
            await journal.commit(await journal.next_range(10))
    assert (await journal.backlog()).kept_bytes == 1_000

    rest = await journal.next_range(10)
    await journal.commit(rest)

    assert (rest.again, rest.events) == (True, 1)
    assert (await journal.backlog()).kept_bytes == 0
    await journal.close()


def _full(*_given):
    raise sqlite3.OperationalError("database or disk is full")


async def test_what_is_forgotten_is_not_written_once_more(tmp_path, monkeypatch):
    """Of a range of 4 MB, forgetting writes which pages are free, and not zeroes into them."""
    monkeypatch.setattr(checkpoints, "EVERY_COMMITS", 1_000_000)
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 30)
    for number in range(40):
        await journal.append(1, f"batch-{number}", bytes(100_000), 1)
    waiting = await journal.next_range(40)
    written = (tmp_path / "journal.db-wal").stat().st_size

    await journal.commit(waiting)

    assert written > 4_000_000
    assert (tmp_path / "journal.db-wal").stat().st_size - written < 400_000
    await journal.close()


async def test_what_is_to_be_loaded_is_looked_for_without_the_writer(tmp_path):
    """Whoever appends does not wait behind it, nor it behind them: another has the file to write to all the time.

    Only to fix a range that was found is to write.
    """
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)
    await journal.append(1, "batch", b"events", 1)
    fixed = await journal.next_range(10)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert (await journal.next_range(10)).payload == fixed.payload
    other.execute("ROLLBACK")
    await journal.commit(fixed)
    other.execute("BEGIN IMMEDIATE")
    assert await journal.next_range(10) is None

    other.close()
    await journal.close()


async def test_a_batch_that_comes_alone_is_kept_with_one_statement(tmp_path):
    """It is a transaction by itself; those that come together are one, whose beginning and end are statements, too."""
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)
    statements = []
    journal._writer._connection.set_trace_callback(statements.append)

    def kinds():
        """Each statement once: one whose triggers run is told of again."""
        return [text.split()[0] for text, _ in groupby(statements)]

    assert await journal.append(1, "batch", b"events", 7) is None
    assert kinds() == ["INSERT"]

    statements.clear()
    assert await journal.append(1, "batch", b"events", 7) == 7
    assert kinds() == ["INSERT", "SELECT"]

    await journal.append(1, "", b"held up", 1)
    statements.clear()
    with sqlite3.connect(tmp_path / "journal.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(journal.append(1, "", b"first", 1))
        while not statements:  # noqa: ASYNC110 - another thread's doing
            await asyncio.sleep(0.001)
        together = [asyncio.create_task(journal.append(1, str(n), b"together", 1)) for n in range(3)]
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
    other.close()
    await asyncio.gather(first, *together)
    assert kinds() == ["INSERT", "BEGIN", *["INSERT"] * 3, "COMMIT"]
    await journal.close()


async def test_what_a_caller_gave_up_to_wait_for_is_kept_and_counted(tmp_path):
    """Its room is not given back, and whoever loads hears of it."""
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 20)
    given_up = asyncio.create_task(journal.append(1, "batch", b"events", 7))
    await asyncio.sleep(0)
    given_up.cancel()

    async with asyncio.timeout(20):
        await journal._appended.wait()
    assert (await journal.backlog()).kept_bytes == len(b"events")
    assert await journal.append(1, "batch", b"events", 7) == 7
    assert (await journal.backlog()).kept_bytes == len(b"events")
    await journal.close()


async def test_who_appends_comes_in_between_while_many_small_batches_are_forgotten(tmp_path):
    """It is answered before the last of them is forgotten: three transactions, and it is in the first or the second."""
    journal = SqliteJournal(tmp_path / "journal.db", 1 << 30)
    await asyncio.gather(*(journal.append(1, "", b"e", 1) for _ in range(2 * FORGOTTEN_BATCHES + 1)))
    waiting = await journal.next_range(1_000_000)
    assert waiting.events == 2 * FORGOTTEN_BATCHES + 1

    forgetting = asyncio.create_task(journal.commit(waiting))
    await journal.append(1, "", b"another", 1)
    assert not forgetting.done()

    await forgetting
    assert (await journal.next_range(10)).payload == b"another"
    await journal.close()
