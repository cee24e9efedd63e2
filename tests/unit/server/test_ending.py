"""What runs beside ends when it is to, whatever loses a cancel."""

import asyncio

from burgee_server.ending import end


async def test_a_task_that_loses_a_cancel_is_cancelled_again(monkeypatch):
    """As one does in Python 3.11 that is sending to Redis at that moment. How others ended is told beside it."""
    monkeypatch.setattr("burgee_server.ending._AGAIN_SECONDS", 0.01)
    began = asyncio.Event()
    lost = []

    async def loses_two():
        began.set()
        while True:
            try:
                await asyncio.Future()
            except asyncio.CancelledError as cancelled:
                if len(lost) == 2:
                    raise
                lost.append(cancelled)

    async def fails():
        raise LookupError

    tasks = asyncio.create_task(loses_two()), asyncio.create_task(fails())
    await began.wait()
    async with asyncio.timeout(20):
        outcomes = await end(*tasks)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, LookupError]
    assert len(lost) == 2
