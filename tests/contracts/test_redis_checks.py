"""What `burgee doctor` finds in a Redis."""

import asyncio

from burgee_server.findings import State
from burgee_server.storage.redis.checks import check_redis


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
    """Nothing listens there."""
    [finding] = await look("redis://:hush-hush@127.0.0.1:9/0")

    assert finding.state is State.WRONG
    assert "hush" not in finding.found + finding.advice
