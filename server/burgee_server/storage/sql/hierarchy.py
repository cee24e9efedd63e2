"""Which types groups belong to, in SQL. What it was before stays, so the past can still be asked for."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.ports.access import Authorship
from burgee_server.storage.sql.access import record
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.profiles import next_revision
from burgee_server.storage.sql.tables import parent_types


class SqlHierarchy:
    """The HierarchyStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def parent_types(self, environment_id: int, moment: datetime | None = None) -> Mapping[str, str]:
        """By type, the one that its groups belong to."""
        async with self._database.reading() as connection:
            return await parents_of(connection, environment_id, moment)

    async def set_parent_type(self, environment_id: int, name: str, parent_type: str, by: Authorship) -> None:
        """Keep what a type belongs to from now on."""
        row = {"environment_id": environment_id, "name": name, "parent_type": parent_type, "changed_at": by.at}
        async with self._database.writing() as connection:
            revision = await next_revision(connection)
            await connection.execute(insert(parent_types).values(row | {"revision": revision}))
            detail = f"belongs to {parent_type}" if parent_type else "belongs to none"
            await record(connection, environment_id, "group_type.update", name, by, detail)


async def parents_of(
    connection: AsyncConnection, environment_id: int, moment: datetime | None = None
) -> dict[str, str]:
    """By type, the one that its groups belong to, now or as of a moment."""
    table = parent_types.c
    query = select(table.name, table.parent_type).where(table.environment_id == environment_id)
    if moment is not None:
        query = query.where(table.changed_at <= moment)
    rows = await connection.execute(query.order_by(table.revision))
    latest = {row.name: row.parent_type for row in rows}
    return {name: parent_type for name, parent_type in latest.items() if parent_type}
