"""What every quota promises."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from burgee_server.ports.quota import Quota
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.redis import quota as quota_module
from burgee_server.storage.redis.connection import connect
from burgee_server.storage.redis.quota import RedisQuota
from tests.faults.proxy import Proxy
from tests.fixtures.redis import RedisServer


class SetClock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.seconds = 1_772_366_400.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def unix_seconds(self) -> float:
        return self.seconds


class Counting:
    """A client of which is known how often it was asked for an account."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.gets = 0

    def get(self, key: str) -> Any:
        self.gets += 1
        return self._client.get(key)

    def register_script(self, script: str) -> Any:
        return self._client.register_script(script)


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still."""
    return SetClock()


@pytest.fixture(params=["memory", "redis"])
async def quota(request: pytest.FixtureRequest, clock: SetClock) -> AsyncIterator[Quota]:
    """Each kind of quota."""
    if request.param == "memory":
        yield LocalQuota(clock)
        return
    client = connect(request.getfixturevalue("redis_url"))
    yield RedisQuota(client, clock, lambda: True, request.getfixturevalue("redis_prefix"))
    await client.aclose()


async def test_nobody_who_spends_within_the_rate_waits(quota: Quota, clock: SetClock) -> None:
    """Evenly, or all of a second at once."""
    for _ in range(100):
        assert await quota.wait("k", 10) == 0
        await quota.charge("k", 10, 10)
        clock.seconds += 1


async def test_what_was_overdrawn_is_waited_for_and_no_longer(quota: Quota, clock: SetClock) -> None:
    """A debt of 90 at 10 a second is paid in 9 seconds; another key owes nothing."""
    await quota.charge("k", 10, 100)

    assert await quota.wait("k", 10) == pytest.approx(9)
    assert await quota.wait("other", 10) == 0
    clock.seconds += 8.9
    assert 0 < await quota.wait("k", 10) < 0.2
    clock.seconds += 0.2
    assert await quota.wait("k", 10) == 0


async def test_being_quiet_saves_no_more_than_a_second_brings(quota: Quota, clock: SetClock) -> None:
    """Nobody can spend an hour's worth at once."""
    await quota.charge("k", 10, 1)
    clock.seconds += 3_600
    await quota.charge("k", 10, 30)
    assert await quota.wait("k", 10) == pytest.approx(2)


async def test_nodes_share_an_account_and_keep_their_own_while_redis_is_away(clock: SetClock) -> None:
    """What is spent on one is owed on the other; nobody is turned away for want of a Redis."""
    server = RedisServer()
    clients = [connect(server.url) for _ in range(2)]
    try:
        one, other = (RedisQuota(client, clock, lambda: True) for client in clients)
        await one.charge("k", 10, 100)
        assert await other.wait("k", 10) == pytest.approx(9)

        server.stop()
        assert await one.wait("k", 10) == 0
        await one.charge("k", 10, 30)
        assert await one.wait("k", 10) == pytest.approx(2)
        assert await other.wait("k", 10) == 0
    finally:
        for client in clients:
            await client.aclose()
        server.close()


async def test_a_redis_that_says_nothing_is_asked_now_and_then_and_not_by_every_call(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred calls in a partition one waits for it; when it answers again, the account that all share is used."""
    monkeypatch.setattr(quota_module, "RETRY_SECONDS", 3_600.0)
    server = RedisServer()
    way = Proxy(server.address)
    near, far = connect(server.url), connect(f"redis://{way.address}/0")
    asked = Counting(far)
    try:
        one, other = (RedisQuota(each, clock, lambda: True) for each in (near, asked))
        assert await other.wait("k", 10) == 0
        way.cut()
        before = asked.gets
        async with asyncio.timeout(30):
            assert [await other.wait("k", 10) for _ in range(100)] == [0] * 100
            await other.charge("k", 10, 30)
        assert asked.gets == before + 1
        assert await other.wait("k", 10) == pytest.approx(2)

        await one.charge("k", 10, 100)
        way.mend()
        monkeypatch.setattr(quota_module, "RETRY_SECONDS", 0.0)
        other._ask_at = 0.0  # an hour later
        async with asyncio.timeout(30):
            while await other.wait("k", 10) != pytest.approx(9):
                pass
    finally:
        for client in (near, far):
            await client.aclose()
        way.close()
        server.close()


async def test_a_redis_that_is_not_known_to_be_ours_is_left_alone(
    clock: SetClock, redis_url: str, redis_prefix: str
) -> None:
    """Its accounts may be those of others: until it is, a node counts by itself."""
    client, ours = connect(redis_url), [False]
    asked = Counting(client)
    quota = RedisQuota(asked, clock, lambda: ours[0], redis_prefix)
    await quota.charge("k", 10, 30)
    assert await quota.wait("k", 10) == pytest.approx(2)
    assert (asked.gets, await client.keys(f"{redis_prefix}*")) == (0, [])
    ours[0] = True
    assert await quota.wait("k", 10) == 0
    assert asked.gets == 1
    await client.aclose()
