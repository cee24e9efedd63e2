"""How the transactions of a process share a control store in a file."""

import asyncio

from burgee_server.storage.sql.engine import Database


async def test_writers_have_their_turn_in_the_order_in_which_they_come(tmp_path):
    """However many wait: none asks again and again until it gives up."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'control.db'}")
    begun = []

    async def write(number):
        async with database.writing() as connection:
            begun.append(number)
            await connection.exec_driver_sql(f"CREATE TABLE t{number} (a)")

    await asyncio.gather(*map(write, range(30)))

    assert begun == list(range(30))
    await database.close()
