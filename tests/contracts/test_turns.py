"""What every kind of turns, and every lease, promises."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from burgee_server.ports.turns import Turns
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.locks import SqlLease, SqlTurns


@pytest.fixture
async def nodes(postgres_database: str) -> AsyncIterator[tuple[Database, Database]]:
    """Two nodes on one PostgreSQL."""
    databases = Database(postgres_database), Database(postgres_database)
    yield databases
    for database in databases:
        await database.close()


@pytest.fixture(params=["memory", "postgresql"])
def both(request: pytest.FixtureRequest) -> tuple[Turns, Turns]:
    """Turns as two see them that must not come in between each other."""
    if request.param == "memory":
        turns = LocalTurns()
        return turns, turns
    one, other = request.getfixturevalue("nodes")
    return SqlTurns(one), SqlTurns(other)


async def test_one_at_a_time_has_the_turn_of_an_environment(both: tuple[Turns, Turns]) -> None:
    """What each reads and then writes is not overtaken by the other."""
    written: list[int] = []

    async def change(turns: Turns) -> None:
        async with turns[1]:
            seen = len(written)
            await asyncio.sleep(0.001)
            written.append(seen)

    await asyncio.gather(*(change(turns) for turns in both * 10))

    assert written == list(range(20))


async def test_another_environment_is_not_waited_for(both: tuple[Turns, Turns]) -> None:
    """Each has turns of its own, on either side."""
    async with both[0][1]:
        for turns in both:
            async with asyncio.timeout(10), turns[2]:
                pass


async def test_a_turn_ends_with_an_error(both: tuple[Turns, Turns]) -> None:
    """Whoever fails makes way."""
    with pytest.raises(ZeroDivisionError):
        async with both[0][1]:
            raise ZeroDivisionError

    async with asyncio.timeout(10), both[1][1]:
        pass


async def test_one_node_has_the_lease_and_another_takes_it_over(nodes: tuple[Database, Database]) -> None:
    """As soon as the first one gives it."""
    one, other = map(SqlLease, nodes)
    await one.take()
    waiting = asyncio.create_task(other.take())
    assert not (await asyncio.wait({waiting}, timeout=0.1))[0]

    await one.give()

    await asyncio.wait_for(waiting, 10)
    await other.give()


async def test_a_node_that_loses_its_connection_knows_that_it_has_lost_the_lease(
    nodes: tuple[Database, Database], postgres_database: str
) -> None:
    """And another one takes it; the first can take it again when that one is done."""
    one, other = map(SqlLease, nodes)
    await one.take()
    lost = asyncio.create_task(one.lost())
    async with nodes[1].apart() as connection:
        holders = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        await connection.execute(holders)

    await asyncio.wait_for(other.take(), 10)
    await asyncio.wait_for(lost, 10)
    await other.give()
    await asyncio.wait_for(one.take(), 10)
    await one.give()
