"""Fills a server's data directory before it starts: a call for each of 10,000 flags would take an hour."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from benchmarks.product import company, flags
from burgee.evaluation import flag_to_document
from burgee_server.ports.access import Authorship
from burgee_server.storage.sql import tables
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.engine import Database


def put_product(flag_count: int, company_count: int, data: Path) -> None:
    """Write so many flags and companies of a product, as the server keeps them."""
    now = datetime.now(UTC)
    keep = {"environment_id": 1, "version": 1}
    made = flags(flag_count)
    versions = [
        {
            **keep,
            "key": flag.key,
            "document": flag_to_document(flag) | {"version": 1},
            "changed_at": now,
            "changed_by": "",
            "change_note": "",
        }
        for flag in made
    ]
    heads = [{**keep, "key": flag.key, "archived": False, "created_at": now} for flag in made]
    profiles = [
        {
            "environment_id": 1,
            "group_type": "company",
            "key": f"company-{number}",
            "properties": company(number),
            "revision": number + 1,
        }
        for number in range(company_count)
    ]

    async def put() -> None:
        database = Database(f"sqlite+aiosqlite:///{data / 'control.db'}")
        await database.migrate()
        await SqlAccess(database).create_project("default", "Default", Authorship("bench", now))
        async with database.writing() as connection:
            await connection.execute(insert(tables.flags), heads)
            await connection.execute(insert(tables.flag_versions), versions)
            await connection.execute(insert(tables.profiles), profiles)
        await database.close()

    asyncio.run(put())
