"""What every quota promises."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from burgee_server.ports.quota import Quota
from burgee_server.storage.memory.quota import LocalQuota
from burgee_server.storage.redis.connection import connect
from burgee_server.storage.redis.quota import RedisQuota
from tests.fixtures.redis import RedisServer


class SetClock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.seconds = 1_772_366_400.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def unix_seconds(self) -> float:
        return self.seconds


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
    yield RedisQuota(client, clock, request.getfixturevalue("redis_prefix"))
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
        one, other = (RedisQuota(client, clock) for client in clients)
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
