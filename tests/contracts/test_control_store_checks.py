"""What `burgee doctor` finds in every kind of control store."""

import asyncio

from burgee_server.findings import State
from burgee_server.storage.sql.checks import check_database


async def look(url):
    """The findings, read in a thread as a server does."""
    return await asyncio.to_thread(lambda: list(check_database(url)))


async def test_a_store_is_found_empty_then_at_the_newest_migration(empty_database):
    """Looking makes no table: the first start does."""
    url = empty_database._engine.url.render_as_string(hide_password=False).replace("+aiosqlite", "")
    for _ in range(2):
        [empty] = await look(url)
        assert (empty.state, "empty" in empty.found) == (State.OK, True)
    await empty_database.migrate()

    [newest] = await look(url)

    assert (newest.state, "newest migration" in newest.found) == (State.OK, True)


async def test_a_store_that_does_not_answer_is_wrong_and_its_password_stays_unsaid():
    """Nothing listens there."""
    [finding] = await look("postgresql+psycopg://burgee:hush-hush@127.0.0.1:9/burgee")

    assert finding.state is State.WRONG
    assert "hush" not in finding.found + finding.advice
