"""What `burgee doctor` finds in a Redis, and which one no node takes."""

import asyncio
from urllib.parse import urlsplit

import pytest
import redis

from burgee_server.errors import Unsupported
from burgee_server.findings import State
from burgee_server.storage.held import HoldingJournal
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.redis import RedisJournal, connect
from burgee_server.storage.redis.checks import check_redis
from burgee_server.storage.sqlite.journal import SqliteJournal
from tests.fixtures.redis import RedisServer


async def look(url):
    """The findings, read in a thread as a server does."""
    return await asyncio.to_thread(lambda: list(check_redis(url, 1 << 20)))


async def test_a_redis_that_answers_is_told_by_its_version_and_its_journal(redis_url):
    """Nothing about it is wrong."""
    found = await look(redis_url)

    assert State.WRONG not in {each.state for each in found}
    assert any(each.subject == "redis" and "answers" in each.found for each in found)
    assert any(each.subject == "journal" and "0%" in each.found for each in found)


async def test_a_redis_that_does_not_answer_is_wrong_and_its_password_stays_unsaid():
    """Nothing listens there, and it says so."""
    [finding] = await look("redis://:hush-hush@127.0.0.1:9/0")

    assert (finding.state, "refused" in finding.found.lower()) == (State.WRONG, True), finding
    assert "hush" not in finding.found + finding.advice


async def test_a_redis_that_refuses_us_says_why(redis_url):
    """It has no such user, or no database of that number."""
    url = urlsplit(redis_url)
    [password] = await look(url._replace(netloc=f"nobody:hush-hush@{url.netloc.rpartition('@')[2]}").geturl())
    [number] = await look(url._replace(path="/99999").geturl())

    assert (password.state, number.state) == (State.WRONG, State.WRONG)
    assert "password" in password.found
    assert "hush" not in password.found + password.advice
    assert "index" in number.found


@pytest.fixture
def strict():
    """A Redis of this test's own, to be set up as it should not be."""
    server = RedisServer()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("maxmemory-policy", "allkeys-lru", "throws any key away"), ("requirepass", "hush-hush", "user or the password")],
)
async def test_a_redis_that_must_not_have_events_is_not_taken_for_one_that_is_away(strict, tmp_path, name, value, told):
    """A node that may keep events itself would keep them for ever, and nobody would know why."""
    with redis.Redis.from_url(strict.url) as setting:
        setting.config_set(name, value)
    client = connect(strict.url)
    own = SqliteJournal(tmp_path / "held.db", 1 << 20)
    journal = HoldingJournal(RedisJournal(client, 1 << 20, LocalTurns()), own, holds=True)
    with pytest.raises(Unsupported, match=told):
        await journal.claim("ours")
    await journal.close()
    await client.aclose()
