"""Profiles and group types in SQL."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.ports.profiles import GroupType, Profile, PropertyChange
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import counters, erasures, group_types, profile_versions, profiles

_REVISION = "profile_revision"
_LOADED = "profile_revision_loaded"


class SqlProfiles:
    """The ProfileStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(
        self, environment_id: int, group_type: str, key: str, change: PropertyChange, at: datetime
    ) -> Profile:
        """Apply a change to a profile."""
        identity = {"environment_id": environment_id, "group_type": group_type, "key": key}
        where = [profiles.c[name] == value for name, value in identity.items()]
        async with self._database.writing() as connection:
            # Taking the revision first locks the counter: revisions become visible in their own order, so that
            # whoever reads `changed_since` never skips one that is still being written.
            revision = await next_revision(connection)
            latest = select(func.max(profile_versions.c.changed_at)).where(
                *(profile_versions.c[name] == value for name, value in identity.items())
            )
            query = select(profiles.c.properties, latest.scalar_subquery().label("changed_at")).where(*where)
            row = (await connection.execute(query)).one_or_none()
            properties = change.apply({} if row is None else row.properties)
            values = {"properties": properties, "revision": revision}
            if row is None:
                await connection.execute(insert(profiles).values(**identity, **values))
                if group_type != "user":
                    await _add_group_types(connection, environment_id, frozenset({group_type}), at)
            else:
                await connection.execute(update(profiles).where(*where).values(**values))
                # Of changes that come at once, one may be written later and have been made earlier.
                at = max(at, row.changed_at)
            # Not by ==: 1 and true are the same to Python.
            if row is None or json.dumps(properties) != json.dumps(row.properties):
                await connection.execute(insert(profile_versions).values(**identity, **values, changed_at=at))
        return Profile(group_type, key, properties)

    async def get(self, environment_id: int, group_type: str, key: str) -> Profile | None:
        """One profile."""
        table = profiles.c
        query = select(table.properties).where(
            table.environment_id == environment_id, table.group_type == group_type, table.key == key
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Profile(group_type, key, row.properties)

    async def at(self, environment_id: int, group_type: str, key: str, moment: datetime) -> Profile | None:
        """One profile as it was at a moment."""
        table = profile_versions.c
        query = select(table.properties).where(
            table.environment_id == environment_id,
            table.group_type == group_type,
            table.key == key,
            table.changed_at <= moment,
        )
        newest = query.order_by(table.changed_at.desc(), table.revision.desc()).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(newest)).one_or_none()
        return None if row is None else Profile(group_type, key, row.properties)

    async def page(self, environment_id: int, group_type: str, *, after: str, limit: int) -> Sequence[Profile]:
        """Profiles of a type in byte order of their keys."""
        table = profiles.c
        query = select(table.key, table.properties).where(
            table.environment_id == environment_id, table.group_type == group_type, table.key > after
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(table.key).limit(limit))
            return [Profile(group_type, row.key, row.properties) for row in rows]

    async def add_group_types(self, environment_id: int, names: frozenset[str], at: datetime) -> None:
        """Remember group types."""
        async with self._database.writing() as connection:
            await _add_group_types(connection, environment_id, names, at)

    async def group_types(self, environment_id: int) -> Sequence[GroupType]:
        """The group types of an environment, by name."""
        query = select(group_types).where(group_types.c.environment_id == environment_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(group_types.c.name))
            return [GroupType(row.name, row.created_at) for row in rows]

    async def changed_since(self, revision: int, limit: int) -> Sequence[ProfileRow]:
        """Profiles with a greater revision, in order of revision."""
        found: list[ProfileRow] = []
        async with self._database.reading() as connection:
            for table, properties in ((profiles, profiles.c.properties), (erasures, null().label("properties"))):
                identity = (table.c.environment_id, table.c.group_type, table.c.key, table.c.revision)
                query = select(*identity, properties).where(table.c.revision > revision, table.c.key.is_not(None))
                rows = await connection.execute(query.order_by(table.c.revision).limit(limit))
                found += [
                    ProfileRow(row.environment_id, row.group_type, row.key, row.properties or {}, row.revision)
                    for row in rows
                ]
        return sorted(found, key=lambda row: row.revision)[:limit]

    async def loaded_revision(self) -> int:
        """Up to which revision profiles are in the warehouse."""
        query = select(counters.c.value).where(counters.c.name == _LOADED)
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def set_loaded_revision(self, revision: int) -> None:
        """Remember up to which revision profiles are in the warehouse."""
        async with self._database.writing() as connection:
            await connection.execute(update(counters).where(counters.c.name == _LOADED).values(value=revision))


async def next_revision(connection: AsyncConnection) -> int:
    """The next number of the one counter. Locks it until the transaction ends."""
    statement = update(counters).where(counters.c.name == _REVISION).values(value=counters.c.value + 1)
    return int((await connection.execute(statement.returning(counters.c.value))).scalar_one())


async def _add_group_types(
    connection: AsyncConnection, environment_id: int, names: frozenset[str], at: datetime
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [{"environment_id": environment_id, "name": name, "created_at": at} for name in sorted(names)]
    await connection.execute(dialect.insert(group_types).on_conflict_do_nothing(), rows)
