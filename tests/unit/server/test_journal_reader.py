"""Reading a journal's file in a thread of its own."""

import asyncio
import sqlite3
import threading

from burgee_server.storage.sqlite.reader import Reader


async def test_what_is_being_read_is_read_to_its_end_before_the_connection_is_closed():
    """Also where nobody waits for it any more: SQLite has no answer, but a crash, for a read on what was closed."""
    reader = Reader(sqlite3.connect(":memory:", check_same_thread=False))
    reading, go_on, found = threading.Event(), threading.Event(), []

    def read(connection):
        reading.set()
        assert go_on.wait(20)
        found.append(connection.execute("SELECT 1").fetchone())

    given_up = asyncio.ensure_future(reader.run(read))
    assert await asyncio.to_thread(reading.wait, 20)
    given_up.cancel()
    closing = asyncio.ensure_future(asyncio.to_thread(reader.close))
    await asyncio.wait([closing], timeout=0.2)
    assert not closing.done()

    go_on.set()
    await closing
    assert found == [(1,)]
