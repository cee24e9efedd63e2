"""What becomes of a seat in the warehouse whose statement nobody waits for, or never began."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from burgee_server.errors import Unavailable
from burgee_server.meters import Work
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse.asking import Asking
from burgee_server.storage.clickhouse.seats import Seats


class Pool:
    """Takes work, and does none of it."""

    def __init__(self) -> None:
        self.work = Work()
        self.taken: list[Future[bytes]] = []

    def submit(self, _work: Callable[[Any], bytes]) -> Future[bytes]:
        future: Future[bytes] = Future()
        future.set_running_or_notify_cancel()
        self.taken.append(future)
        return future


async def begun(asking: Asking, pool: Any, seats: Seats) -> "asyncio.Task[bytes]":
    """A question that waits for its answer, or for its turn."""
    task = asyncio.create_task(asking.ask(pool, Statement("SELECT 1"), "JSON", seats=seats))
    await asyncio.sleep(0)
    return task


async def test_all_who_wait_are_told_when_the_warehouse_is_closed() -> None:
    """One after the other has the seat of whoever is told, however many they are."""
    pool, seats = Pool(), Seats(1)
    asking = Asking(Pool())  # type: ignore[arg-type]
    answered, *waiting = [await begun(asking, pool, seats) for _ in range(5)]

    asking.close()
    pool.taken[0].set_result(b"1")

    assert await answered == b"1"
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert len(pool.taken) == 1


def test_what_ends_after_its_event_loop_has_nobody_to_give_its_seat_to(caplog: pytest.LogCaptureFixture) -> None:
    """And says nothing of it: with the loop, all who could wait have ended."""
    pool, seats = Pool(), Seats(1)

    async def ask() -> None:
        await begun(Asking(Pool()), pool, seats)  # type: ignore[arg-type]

    asyncio.run(ask())
    pool.taken[0].set_result(b"1")

    assert not caplog.records


async def test_what_has_ended_is_not_stopped() -> None:
    """Whoever gives up in the moment of the answer asks nothing of those who stop, who may be closed."""
    pool, kills = Pool(), Pool()
    asked = await begun(Asking(kills), pool, Seats(1))  # type: ignore[arg-type]

    pool.taken[0].set_result(b"1")
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not kills.taken
