"""What `burgee doctor` finds in every kind of control store."""

import asyncio

import pytest
from sqlalchemy import make_url

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
    """Nothing listens there, and it says so."""
    [finding] = await look("postgresql+psycopg://burgee:hush-hush@127.0.0.1:9/burgee")

    assert (finding.state, finding.found) == (State.WRONG, "cannot be reached: Connection refused")
    assert "hush" not in finding.found + finding.advice


@pytest.mark.parametrize(
    ("part", "wrong", "told"),
    [("username", "nobody", 'role "nobody" does not exist'), ("database", "none", 'database "none" does not exist')],
)
async def test_a_postgresql_that_refuses_us_says_why(postgres_database, part, wrong, told):
    """In its own words: a user, a password, a database."""
    url = make_url(postgres_database).set(**{part: wrong})
    [finding] = await look(url.render_as_string(hide_password=False))

    assert (finding.state, finding.found) == (State.WRONG, f"refuses us: {told}")
    assert "BURGEE_DATABASE" in finding.advice
