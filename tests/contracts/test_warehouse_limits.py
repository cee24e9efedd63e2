"""What a Warehouse promises about time, memory, and who may have it open."""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from burgee_server.errors import Overloaded, TimedOut, Unavailable
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clickhouse.priority import MERGES, PATIENT, merging_threads
from tests.fixtures.nursery import run_python
from tests.fixtures.until import until
from tests.fixtures.warehouse import EMBEDDED, Environment, Fact, batch

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number, {x:UInt8}) = 1"

LOAD_AND_COUNT = """
import asyncio, sys
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import EMBEDDED, Fact, batch
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse

async def main():
    warehouse = await ClickHouseWarehouse.open(sys.argv[1])
    await warehouse.load(batch(1, Fact(uuid="00000000-0000-0000-0000-000000000001")), again=True)
    print((await warehouse.query(Statement("SELECT count() FROM events"))).rows[0][0])
    await warehouse.close()

asyncio.run(main())
"""


DAYS = """
import asyncio, sys
from datetime import UTC, datetime
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Fact, batch
from burgee_server.insights.asked import Terms
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.insights.words import TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock

async def main():
    warehouse = await ClickHouseWarehouse.open(sys.argv[1])
    moments = [datetime(2026, 3, 1, 23, 30, tzinfo=UTC), datetime(2026, 3, 2, 0, 30, tzinfo=UTC)]
    await warehouse.load(batch(1, *(Fact(timestamp=moment) for moment in moments)))
    for time_zone in ("", "Europe/Berlin"):
        query = TrendQuery((Series("seen"),), TimeRange("2026-03-01", "2026-03-03"), time_zone)
        trend = (await insights(warehouse, SystemClock()).ask(plan_trend, query, Terms(1, ()))).answer
        print(*(int(value) for value in trend.rows[0].values))
    print(*(event.timestamp.isoformat() for event in await warehouse.timeline(1, limit=10)))
    await warehouse.close()

asyncio.run(main())
"""


def in_another_process(root: Path, script: str, argument: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a script where the tests are importable."""
    return run_python("-c", script, argument, cwd=root, text=True, env={**os.environ, **settings})


async def test_an_answer_larger_than_it_may_be_is_refused(warehouse: ClickHouseWarehouse) -> None:
    """Though each row is small; the next is answered."""
    sql = "SELECT toString(number) FROM numbers(100000)"
    with pytest.raises(Overloaded, match="too large"):
        await warehouse.query(Statement(sql, largest_bytes=100_000))
    assert len((await warehouse.query(Statement(sql, largest_bytes=10_000_000))).rows) == 100_000


async def running(warehouse: ClickHouseWarehouse) -> int:
    """How many endless queries run now."""
    sql = "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64(number%' AND query NOT LIKE '%processes%'"
    return int((await warehouse.query(Statement(sql, asker="whoever looks"))).rows[0][0])


async def until_running(warehouse: ClickHouseWarehouse, wanted: int) -> None:
    """Return when that many endless queries run; fail after 20 seconds."""

    async def are_running() -> bool:
        return await running(warehouse) == wanted

    await until(are_running)


async def test_a_query_ends_at_its_timeout(warehouse: ClickHouseWarehouse) -> None:
    """The caller gets TimedOut, and the engine stops working on it."""
    with pytest.raises(TimedOut):
        await warehouse.query(Statement(ENDLESS, {"x": 1}), timeout=0.2)
    await until_running(warehouse, 0)


async def test_a_cancelled_query_stops(warehouse: ClickHouseWarehouse) -> None:
    """A caller that hangs up frees the engine at once, although the query had no timeout."""
    task = asyncio.create_task(warehouse.query(Statement(ENDLESS, {"x": 2})))
    await until_running(warehouse, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_running(warehouse, 0)


async def test_whoever_asks_for_much_waits_for_itself(warehouse: ClickHouseWarehouse) -> None:
    """Others are answered meanwhile, also when as many of its statements wait as there are clients, and more."""
    endless = Statement(ENDLESS, {"x": 3}, asker="hungry")
    tasks = [asyncio.create_task(warehouse.query(endless)) for _ in range(6)]
    await until_running(warehouse, 1)
    async with asyncio.timeout(20):
        assert (await warehouse.query(Statement("SELECT 7", asker="modest"))).rows == [[7]]
    with pytest.raises(TimedOut):
        await warehouse.query(endless, timeout=0.1)  # it had not even begun
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await until_running(warehouse, 0)
    assert (await warehouse.query(Statement("SELECT 8", asker="hungry"), timeout=20)).rows == [[8]]


async def test_a_failed_query_leaves_nothing_to_the_next(warehouse: ClickHouseWarehouse) -> None:
    """No part of the answer to a query that was cut short reaches another caller on the same client."""
    for _ in range(4):
        with pytest.raises(TimedOut):
            await warehouse.query(Statement(ENDLESS, {"x": 6}), timeout=0.05)
        answers = await asyncio.gather(*(warehouse.query(Statement(f"SELECT {n}")) for n in range(4)))
        assert [answer.rows for answer in answers] == [[[n]] for n in range(4)]


@EMBEDDED
async def test_closing_stops_what_runs(data_path: Path, warehouse: ClickHouseWarehouse) -> None:
    """A server that stops does not wait for a question without end, and all that wait for their turn are told so."""
    closing = await ClickHouseWarehouse.open(f"chdb://{data_path / 'events'}", query_clients=1)
    asked = asyncio.create_task(closing.query(Statement(ENDLESS, {"x": 7})))
    await until_running(warehouse, 1)
    waiting = [asyncio.create_task(closing.query(Statement(ENDLESS, {"x": 8}))) for _ in range(3)]
    await closing.close()
    with pytest.raises(TimedOut):
        await asked
    for each in waiting:
        with pytest.raises(Unavailable, match="is stopping"):
            await asyncio.wait_for(each, 20)
    assert not await running(warehouse)


async def test_waiting_for_a_client_counts_as_time(warehouse: ClickHouseWarehouse) -> None:
    """With every client busy a query is given up at its timeout too, and never starts."""
    endless = [Statement(ENDLESS, {"x": x}, asker=f"{x}") for x in (3, 4)]
    busy = [asyncio.create_task(warehouse.query(each, timeout=1)) for each in endless]
    await asyncio.sleep(0)
    with pytest.raises(TimedOut):
        await warehouse.query(Statement(ENDLESS, {"x": 5}), timeout=0.2)
    assert all(isinstance(error, TimedOut) for error in await asyncio.gather(*busy, return_exceptions=True))


@EMBEDDED
async def test_a_query_that_needs_too_much_memory_is_refused(data_path: Path, warehouse: ClickHouseWarehouse) -> None:
    """What cannot be sorted or grouped on disk ends with Overloaded, not with the process."""
    small = await ClickHouseWarehouse.open(
        f"chdb://{data_path / 'events'}", query_clients=1, query_memory_bytes=1 << 22
    )
    with pytest.raises(Overloaded):
        await small.query(Statement("SELECT groupArray(number) FROM numbers(100000000)"))
    assert (await small.query(Statement("SELECT 1"))).rows == [[1]]
    await small.close()


@EMBEDDED
async def test_what_can_be_grouped_on_disk_needs_no_more_memory_than_there_is(
    data_path: Path, warehouse: ClickHouseWarehouse
) -> None:
    """A million keys, with more to keep of each than there is room for."""
    keys = "SELECT toString(number) AS key, groupUniqArray(number) FROM numbers(1000000) GROUP BY key"
    small = await ClickHouseWarehouse.open(
        f"chdb://{data_path / 'events'}", query_clients=1, query_memory_bytes=6 << 20
    )
    assert (await small.query(Statement(f"SELECT count() FROM ({keys})"))).rows == [[1_000_000]]
    await small.close()


async def test_a_query_may_not_write(warehouse: ClickHouseWarehouse) -> None:
    """A statement that would change anything fails."""
    with pytest.raises(Exception, match="READONLY"):
        await warehouse.query(Statement("INSERT INTO persons SELECT 1, 'x', '{}', 1"))


@EMBEDDED
async def test_a_directory_is_open_in_one_process(
    data_path: Path, warehouse: ClickHouseWarehouse, request: pytest.FixtureRequest
) -> None:
    """A second process is told so in words, before it can do harm."""
    other = in_another_process(request.config.rootpath, LOAD_AND_COUNT, f"chdb://{data_path / 'events'}")
    assert other.returncode != 0
    assert "another process has it open" in other.stderr


def test_a_batch_is_inserted_once_across_restarts(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A batch that a new process sends again, after a crash before its commit, changes nothing."""
    runs = [in_another_process(request.config.rootpath, LOAD_AND_COUNT, f"chdb://{tmp_path / 'w'}") for _ in range(2)]
    assert [run.stdout.strip() for run in runs] == ["1", "1"], runs


def test_the_time_zone_of_the_machine_changes_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Days are those of UTC, or of the time zone that the question names, wherever the server runs."""
    done = in_another_process(request.config.rootpath, DAYS, f"chdb://{tmp_path / 'w'}", TZ="Pacific/Kiritimati")
    assert done.stdout.splitlines() == [
        "1 1",
        "0 2",
        "2026-03-02T00:30:00+00:00 2026-03-01T23:30:00+00:00",
    ], done


async def test_a_statement_that_cannot_be_right_fails_and_the_next_is_answered(warehouse: ClickHouseWarehouse) -> None:
    """As the engine has it, and not as its own cause: who follows causes would never come to an end."""
    with pytest.raises(Exception, match="right/UTC") as failed:
        await warehouse.query(Statement("SELECT toDate32(now64(), 'right/UTC')"), 10)
    assert failed.value.__cause__ is not failed.value
    assert (await warehouse.query(Statement("SELECT 1"), 10)).rows == [[1]]


@pytest.mark.skipif(sys.platform != "linux", reason="only there has a thread a priority of its own")
@EMBEDDED
async def test_merges_and_patient_inserts_have_the_processor_after_others(environment: Environment) -> None:
    """The threads that merge have the name that chDB gives them, and step back for those that answer; one that inserts
    does if it may.

    Of those others, a few may have merged before, for a warehouse that is closed.
    """
    warehouse = environment.warehouse
    await warehouse.load(batch(environment.environment_id, Fact("seen")), patient=True)
    assert (await warehouse.activity(environment.environment_id, "user", ["ann"])).keys() == {"ann"}
    await warehouse.query(Statement("SELECT sum(number) FROM numbers(10000000)"))
    own, merging, others = os.getpriority(os.PRIO_PROCESS, 0), set(merging_threads()), []
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # it has ended
            niceness = os.getpriority(os.PRIO_PROCESS, int(thread))
            if int(thread) in merging:
                assert niceness == min(own + MERGES, 19)
            else:
                others.append(niceness)
    assert merging
    assert statistics.mode(others) == own
    assert min(own + PATIENT, 19) in others
