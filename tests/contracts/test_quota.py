"""What every quota promises."""

from datetime import UTC, datetime

import pytest

from burgee_server.storage.memory.quota import LocalQuota


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


@pytest.fixture(params=["memory"])
def quota(request: pytest.FixtureRequest, clock: SetClock) -> LocalQuota:
    """Each kind of quota."""
    assert request.param == "memory"
    return LocalQuota(clock)


async def test_nobody_who_spends_within_the_rate_waits(quota: LocalQuota, clock: SetClock) -> None:
    """Evenly, or all of a second at once."""
    for _ in range(100):
        assert await quota.wait("k", 10) == 0
        await quota.charge("k", 10, 10)
        clock.seconds += 1


async def test_what_was_overdrawn_is_waited_for_and_no_longer(quota: LocalQuota, clock: SetClock) -> None:
    """A debt of 90 at 10 a second is paid in 9 seconds; another key owes nothing."""
    await quota.charge("k", 10, 100)

    assert await quota.wait("k", 10) == pytest.approx(9)
    assert await quota.wait("other", 10) == 0
    clock.seconds += 8.9
    assert 0 < await quota.wait("k", 10) < 0.2
    clock.seconds += 0.2
    assert await quota.wait("k", 10) == 0


async def test_being_quiet_saves_no_more_than_a_second_brings(quota: LocalQuota, clock: SetClock) -> None:
    """Nobody can spend an hour's worth at once."""
    await quota.charge("k", 10, 1)
    clock.seconds += 3_600
    await quota.charge("k", 10, 30)
    assert await quota.wait("k", 10) == pytest.approx(2)
