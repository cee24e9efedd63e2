"""kill -9 at random moments, under load, with clients that try again: nothing acknowledged is lost, nothing doubled.

The server is a process of its own on a real directory, and comes back on the same port. Some kills come upon its start,
the others upon its work. What was acknowledged is remembered by the clients alone, and compared at the end with the
rows as they lie in the warehouse, which was told not to merge any, and with what a query counts.
"""

import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

import burgee
from tests.faults.senders import EVENT, Senders, all_is_loaded
from tests.faults.storage import NO_MERGES, ask, check_stored
from tests.fixtures.serving import Serving, children, free_address, wait_for

DURING_START = 0.25
"""Of all kills."""


def test_a_server_that_is_killed_a_few_times_loses_nothing_and_doubles_nothing(
    tmp_path: Path, chance: random.Random
) -> None:
    """One of the kills comes while it starts."""
    kill_and_check(tmp_path, chance, [False, True, False])


@pytest.mark.soak
def test_a_server_that_is_killed_two_hundred_times_loses_nothing_and_doubles_nothing(
    tmp_path: Path, chance: random.Random
) -> None:
    """A quarter of the kills come while it starts."""
    kill_and_check(tmp_path, chance, [chance.random() < DURING_START for _ in range(200)])


def kill_and_check(tmp_path: Path, chance: random.Random, kills: list[bool]) -> None:
    """Kill it as often as `kills` is long, where true while it starts; then look at what there is."""
    data, listen = tmp_path / "data", free_address()
    server = Serving(data, listen=listen).ready()
    key = server.key
    server.stop()
    ask(data, NO_MERGES)

    elsewhere = tmp_path / "tmp"
    elsewhere.mkdir()
    senders = Senders(listen, key)
    senders.start()
    while_loading = beside = 0
    try:
        for during_start in kills:
            server = Serving(data, listen=listen, TMPDIR=str(elsewhere))
            if not during_start:
                server.ready()
                before = senders.batches
                wait_for(lambda before=before: senders.batches > before)
            time.sleep(chance.uniform(0, 1.5))  # the moment is the test
            companions = children(server.process.pid)
            server.stop(signal.SIGKILL)
            beside += bool(companions)
            while_loading += a_range_is_being_loaded(data, tmp_path / "copy")
        server = Serving(data, listen=listen).ready()
        senders.finish()
        with burgee.Client(listen, key) as client:
            wait_for(lambda: all_is_loaded(client), 120)
            [row] = client.trend(EVENT, start="2026-01-01", end="2026-04-01", interval="month").rows
            assert sum(row.values) == senders.events
        code, _ = server.stop()
        assert code == 0
    finally:
        server.close()
    check_stored(data, senders)
    assert list((data / "tmp").iterdir()) == list(elsewhere.iterdir()) == []  # nobody's events are left lying around
    print(
        f"{len(kills)} kills, {while_loading} of them while a range was being loaded, {beside} with a companion: "
        f"{senders.events:,} events, "
        f"{len(senders.failures):,} calls made again"
    )


def a_range_is_being_loaded(data: Path, scratch: Path) -> bool:
    """Whether the server was killed between taking a range out and letting it go. Looks at a copy."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for file in data.glob("journal.db*"):
        shutil.copy(file, scratch)
    with sqlite3.connect(scratch / "journal.db") as journal:
        return bool(journal.execute("SELECT count(*) FROM loading").fetchone()[0])
