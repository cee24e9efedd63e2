"""What becomes of calls when a server stops."""

import asyncio

import pytest

from burgee_server.errors import Stopping
from burgee_server.rpc.running import RunningCalls


async def answer(running: RunningCalls, seconds: float) -> str:
    """A call, as the door runs it, that has this much to do."""
    task = running.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if (stopping := running.why_cancelled(task)) is None:
            raise
        raise stopping from None
    finally:
        running.end(task)
    return "done"


async def test_what_runs_may_finish_and_nothing_new_begins() -> None:
    """As long as the grace goes."""
    running = RunningCalls()
    call = asyncio.create_task(answer(running, 0.05))
    await asyncio.sleep(0)

    stopped = asyncio.create_task(running.stop(20))
    await asyncio.sleep(0)

    with pytest.raises(Stopping):
        await answer(running, 0)
    assert await call == "done"
    await stopped


async def test_what_runs_for_too_long_is_turned_away_and_whoever_gave_up_is_not_answered() -> None:
    """The one with words that say to come back; the other was cancelled by its caller."""
    running = RunningCalls()
    slow, given_up = (asyncio.create_task(answer(running, 60)) for _ in range(2))
    await asyncio.sleep(0)
    given_up.cancel()

    await running.stop(0)

    with pytest.raises(Stopping):
        await slow
    with pytest.raises(asyncio.CancelledError):
        await given_up
