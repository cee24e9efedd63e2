"""Nodes that start at once on one PostgreSQL."""

import subprocess

import psycopg

from tests.fixtures.nursery import Python
from tests.fixtures.serving import environment

MIGRATE = """
import asyncio, sys
from burgee_server.storage.sql.engine import Database

async def main():
    database = Database(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    await database.migrate()
    await database.close()

asyncio.run(main())
"""


def test_of_processes_that_start_at_once_one_migrates(postgres_database: str) -> None:
    """The others find it done: none fails, and every table is there once."""
    starting = [
        Python(
            *("-c", MIGRATE, postgres_database),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
        )
        for _ in range(2)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    for process in starting:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    with psycopg.connect(postgres_database.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
        assert connection.execute("SELECT value FROM counters WHERE name = 'profile_revision'").fetchone() == (0,)
