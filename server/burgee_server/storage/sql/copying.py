"""Copies a control store into another one, row by row and all of it or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Integer, Table, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.errors import Damaged
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import counters, metadata, projects

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are of something on either side."""

    here: int
    there: int


async def copy_tables(source: Database, target: Database) -> Mapping[str, Counted]:
    """Copy every table, unless that was done before; the rows of each on both sides.

    Both stores are at the newest schema. Raises Damaged for a target with rows of another origin, or other rows.
    """
    async with source.reading() as here, target.writing() as there:
        if not (await there.execute(select(func.count()).select_from(projects))).scalar_one():
            await there.execute(delete(counters))  # the migrations have made them, at zero
            for table in metadata.sorted_tables:
                await _copy(here, there, table)
        elif await _origin(here) != await _origin(there):
            raise Damaged("the database has projects of another installation: give it an empty one")
        counted = {
            table.name: Counted(await _count(here, table), await _count(there, table))
            for table in metadata.sorted_tables
        }
        if differing := ", ".join(name for name, count in counted.items() if count.here != count.there):
            raise Damaged(f"the database has other {differing} than the directory: one of them was used since")
    return counted


async def _copy(here: AsyncConnection, there: AsyncConnection, table: Table) -> None:
    rows = await here.stream(select(table))
    async for some in rows.mappings().partitions(_AT_ONCE):
        await there.execute(insert(table), [dict(row) for row in some])
    if there.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        sequence = (await there.execute(select(func.pg_get_serial_sequence(table.name, column.name)))).scalar_one()
        if isinstance(column.type, Integer) and sequence is not None:
            # The next one that the database gives out comes after all that were copied.
            newest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            await there.execute(select(func.setval(sequence, newest, False)))


async def _count(connection: AsyncConnection, table: Table) -> int:
    return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def _origin(connection: AsyncConnection) -> object:
    return (await connection.execute(select(func.min(projects.c.created_at)))).scalar_one()
