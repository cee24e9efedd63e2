"""Erasures in SQL."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee.evaluation.model import USER
from burgee_server.errors import NotFound
from burgee_server.ports.access import Authorship
from burgee_server.ports.erasures import Begun, Erasure, ErasureState, key_digest
from burgee_server.ports.warehouse import Arrived
from burgee_server.storage.sql.access import record
from burgee_server.storage.sql.cohorts import take_out
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.persons import aliases_of, part, persons_of
from burgee_server.storage.sql.profiles import next_revision
from burgee_server.storage.sql.tables import erasures, profile_versions, profiles


class SqlErasures:
    """The ErasureStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, environment_id: int, group_type: str, key: str, by: Authorship) -> Begun:
        """Remove a profile with its history and memberships, and keep new erasures."""
        async with self._database.writing() as connection:
            begun = [
                await _begin(connection, environment_id, group_type, each, by)
                for each in await _ids(connection, environment_id, group_type, key)
            ]
        return Begun(
            tuple(erasure for erasure, _ in begun), tuple(member for _, members in begun for member in members)
        )

    async def get(self, environment_id: int, erasure_id: str) -> Erasure:
        """One erasure."""
        query = select(erasures).where(erasures.c.environment_id == environment_id, erasures.c.erasure_id == erasure_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"no erasure {erasure_id!r}")
        return _erasure(row)

    async def page(self, environment_id: int, *, before: int | None, limit: int) -> Sequence[Erasure]:
        """Erasures of an environment, newest first."""
        query = select(erasures).where(erasures.c.environment_id == environment_id)
        if before is not None:
            query = query.where(erasures.c.revision < before)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(erasures.c.revision.desc()).limit(limit))
            return [_erasure(row) for row in rows]

    async def unfinished(self) -> Sequence[Erasure]:
        """The erasures that are not DONE, oldest first."""
        states = (ErasureState.WAITING.value, ErasureState.ERASING.value)
        query = select(erasures).where(erasures.c.state.in_(states)).order_by(erasures.c.revision)
        async with self._database.reading() as connection:
            return [_erasure(row) for row in await connection.execute(query)]

    async def since(self, moment: datetime) -> Sequence[Erasure]:
        """Those that were asked for then or later, oldest first."""
        query = select(erasures).where(erasures.c.requested_at >= moment).order_by(erasures.c.revision)
        async with self._database.reading() as connection:
            return [_erasure(row) for row in await connection.execute(query)]

    async def arrived(self, found: Mapping[str, Arrived]) -> None:
        """From WAITING to ERASING."""
        async with self._database.writing() as connection:
            for erasure_id, arrived in found.items():
                statement = update(erasures).where(
                    erasures.c.erasure_id == erasure_id, erasures.c.state == ErasureState.WAITING.value
                )
                await connection.execute(
                    statement.values(
                        state=ErasureState.ERASING.value,
                        events=arrived.events,
                        received_until=arrived.received_until,
                    )
                )

    async def finish(self, erasure_ids: Sequence[str], at: datetime) -> None:
        """DONE: forget the keys."""
        statement = update(erasures).where(
            erasures.c.erasure_id.in_(erasure_ids), erasures.c.state == ErasureState.ERASING.value
        )
        async with self._database.writing() as connection:
            await connection.execute(statement.values(state=ErasureState.DONE.value, key=None, done_at=at))


async def _ids(connection: AsyncConnection, environment_id: int, group_type: str, key: str) -> list[str]:
    """All ids of a person, who is none any more; the one that was asked for comes last."""
    if group_type != USER:
        return [key]
    person = (await persons_of(connection, environment_id, [key])).get(key, key)
    ids = [person, *(await aliases_of(connection, environment_id, [person])).get(person, ())]
    await part(connection, environment_id, ids)
    return sorted(ids, key=lambda each: each == key)


async def _begin(
    connection: AsyncConnection, environment_id: int, group_type: str, key: str, by: Authorship
) -> tuple[Erasure, list[tuple[str, str]]]:
    erasure = Erasure(
        erasure_id=f"era_{secrets.token_hex(8)}",
        environment_id=environment_id,
        group_type=group_type,
        key=key,
        key_sha256=key_digest(key),
        state=ErasureState.WAITING,
        revision=await next_revision(connection),
        requested_at=by.at,
    )
    for table in (profiles, profile_versions):
        await connection.execute(
            delete(table).where(
                table.c.environment_id == environment_id, table.c.group_type == group_type, table.c.key == key
            )
        )
    row = {column.name: getattr(erasure, column.name) for column in erasures.columns}
    await connection.execute(insert(erasures).values(row | {"state": erasure.state.value}))
    left = await take_out(connection, environment_id, group_type, key, by)
    action = "person.delete" if group_type == USER else "group.delete"
    await record(connection, environment_id, action, erasure.erasure_id, by, group_type)
    return erasure, [(cohort_key, key) for cohort_key in left]


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(**(row._asdict() | {"key": row.key or "", "state": ErasureState(row.state)}))
