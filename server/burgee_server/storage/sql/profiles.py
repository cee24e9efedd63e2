"""Profiles and group types in SQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, bindparam, cast, delete, insert, literal, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee.evaluation.model import USER, Properties
from burgee_server.errors import Invalid
from burgee_server.ports.profiles import MAX_ALIASES, GroupType, Profile, PropertyChange, same
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion
from burgee_server.storage.sql.among import among
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.latest import Latest, latest
from burgee_server.storage.sql.persons import aliases_of, become, holder, persons_of
from burgee_server.storage.sql.tables import aliases, counters, erasures, group_types, profile_versions, profiles

_REVISION = "profile_revision"
_LOADED = "profile_revision_loaded"
_LOADED_VERSIONS = "profile_version_loaded"


_ADD = insert(profiles)
_ADD_VERSION = insert(profile_versions)
_OVERWRITE = (
    update(profiles)
    .where(*(profiles.c[name] == bindparam(f"new_{name}") for name in ("environment_id", "group_type", "key")))
    .values({name: bindparam(f"new_{name}") for name in ("properties", "revision")})
)
_NEXT_REVISION = (
    update(counters)
    .where(counters.c.name == _REVISION)
    .values(value=counters.c.value + bindparam("many"))
    .returning(counters.c.value)
)


class SqlProfiles:
    """The ProfileStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(
        self, environment_id: int, group_type: str, key: str, change: PropertyChange, at: datetime
    ) -> Profile:
        """Apply a change to a profile."""
        async with self._database.writing() as connection:
            # Taking the revision first locks the counter: revisions become visible in their own order, so that
            # whoever reads `changed_since` never skips one that is still being written.
            revision = await next_revision(connection)
            before = await latest(connection, environment_id, group_type, key)
            after = Profile(group_type, before.key, change.apply(before.properties or {}), before.aliases)
            await _write(connection, environment_id, after, before, revision, at)
        return after

    async def merge(self, environment_id: int, distinct_id: str, alias: str, at: datetime) -> Profile:
        """Make two persons one."""
        async with self._database.writing() as connection:
            revision = await next_revision(connection)
            became = await persons_of(connection, environment_id, [distinct_id, alias])
            stays, comes = (became.get(each, each) for each in (distinct_id, alias))
            before = await latest(connection, environment_id, USER, stays)
            own = before.properties or {}
            if stays == comes:
                return Profile(USER, stays, own, before.aliases)
            theirs = await latest(connection, environment_id, USER, comes)
            ids = (*theirs.aliases, comes)
            merged = Profile(USER, stays, own, tuple(sorted((*before.aliases, *ids), key=str.encode)))
            if len(merged.aliases) > MAX_ALIASES:
                raise Invalid.of("alias", f"the person would have more than {MAX_ALIASES:,} other ids")
            if theirs.properties is not None:
                merged = replace(merged, properties=PropertyChange(set_once=theirs.properties).apply(own))
                table = profiles.c
                await connection.execute(
                    delete(profiles).where(
                        table.environment_id == environment_id, table.group_type == USER, table.key == comes
                    )
                )
            await _write(connection, environment_id, merged, before, revision, at)
            last = await next_revision(connection, len(ids))
            await become(connection, environment_id, ids, stays, last, at)
        return merged

    async def aliases(self, environment_id: int, distinct_ids: Sequence[str]) -> Mapping[str, str]:
        """The ids that stand for somebody else, of these and of those who have any of them."""
        async with self._database.reading() as connection:
            became = await persons_of(connection, environment_id, distinct_ids)
            persons = {became.get(each, each) for each in distinct_ids}
            known = await aliases_of(connection, environment_id, persons)
        return {alias: person for person, ids in known.items() for alias in ids}

    async def get(self, environment_id: int, group_type: str, key: str) -> Profile | None:
        """One profile."""
        async with self._database.reading() as connection:
            found = await latest(connection, environment_id, group_type, key)
        if found.properties is None:
            return None
        return Profile(group_type, found.key, found.properties, found.aliases)

    async def at(self, environment_id: int, group_type: str, key: str, moment: datetime) -> Profile | None:
        """One profile as it was at a moment."""
        table = profile_versions.c
        query = select(table.key, table.properties).where(
            table.environment_id == environment_id,
            table.group_type == group_type,
            table.key == holder(environment_id, group_type, key, moment),
            table.changed_at <= moment,
        )
        newest = query.order_by(table.changed_at.desc(), table.revision.desc()).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(newest)).one_or_none()
        return None if row is None else Profile(group_type, row.key, row.properties)

    async def page(
        self, environment_id: int, group_type: str, *, after: str, limit: int, having: tuple[str, str] | None = None
    ) -> Sequence[Profile]:
        """Profiles of a type in byte order of their keys."""
        table = profiles.c
        query = select(table.key, table.properties).where(
            table.environment_id == environment_id, table.group_type == group_type
        )
        if having is not None:  # texts with the value in them, of whatever property: few others than those meant
            query = query.where(cast(table.properties, Text).contains(json.dumps(having[1]), autoescape=True))
        async with self._database.reading() as connection:
            rows: list[Row[Any, Any]] = []
            while len(rows) < limit:
                found = (
                    await connection.execute(query.where(table.key > after).order_by(table.key).limit(limit))
                ).all()
                rows += [row for row in found if having is None or row.properties.get(having[0]) == having[1]]
                if len(found) < limit:
                    break
                after = found[-1].key
            rows = rows[:limit]
            persons = [row.key for row in rows] if group_type == USER else []
            known = await aliases_of(connection, environment_id, persons)
            return [Profile(group_type, row.key, row.properties, known.get(row.key, ())) for row in rows]

    async def some(self, environment_id: int, group_type: str, keys: Collection[str]) -> Mapping[str, Properties]:
        """The properties of groups, by key."""
        table = profiles.c
        query = select(table.key, table.properties).where(
            table.environment_id == environment_id, table.group_type == group_type
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(query.where(among(connection, table.key, keys)))
            return {row.key: row.properties for row in rows}

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
        nothing = null()
        sources = (
            (profiles, profiles.c.group_type, profiles.c.key, profiles.c.properties, nothing),
            (erasures, erasures.c.group_type, erasures.c.key, nothing, erasures.c.key),
            (aliases, literal(USER), aliases.c.distinct_id, nothing, aliases.c.person),
        )
        found: list[ProfileRow] = []
        async with self._database.reading() as connection:
            for table, group_type, key, properties, person in sources:
                query = select(
                    table.c.environment_id,
                    group_type.label("group_type"),
                    key.label("key"),
                    properties.label("properties"),
                    table.c.revision,
                    person.label("person"),
                ).where(table.c.revision > revision, key.is_not(None))
                for row in await connection.execute(query.order_by(table.c.revision).limit(limit)):
                    person_id = row.person if row.group_type == USER and row.person else ""
                    found.append(
                        ProfileRow(
                            row.environment_id, row.group_type, row.key, row.properties or {}, row.revision, person_id
                        )
                    )
        return sorted(found, key=lambda row: row.revision)[:limit]

    async def versions_since(self, revision: int, limit: int) -> Sequence[ProfileVersion]:
        """What profiles are and were, with a greater revision, in order of revision."""
        table = profile_versions
        query = select(table).where(table.c.revision > revision).order_by(table.c.revision).limit(limit)
        async with self._database.reading() as connection:
            return [
                ProfileVersion(
                    row.environment_id, row.group_type, row.key, row.changed_at, row.properties, row.revision
                )
                for row in await connection.execute(query)
            ]

    async def loaded_versions(self) -> int:
        """Up to which revision what profiles were is in the warehouse."""
        return await self._counted(_LOADED_VERSIONS)

    async def set_loaded_versions(self, revision: int) -> None:
        """Remember up to which revision what profiles were is in the warehouse."""
        await self._count(_LOADED_VERSIONS, revision)

    async def loaded_revision(self) -> int:
        """Up to which revision profiles are in the warehouse."""
        return await self._counted(_LOADED)

    async def set_loaded_revision(self, revision: int) -> None:
        """Remember up to which revision profiles are in the warehouse."""
        await self._count(_LOADED, revision)

    async def _counted(self, name: str) -> int:
        async with self._database.reading() as connection:
            return int((await connection.execute(select(counters.c.value).where(counters.c.name == name))).scalar_one())

    async def _count(self, name: str, value: int) -> None:
        async with self._database.writing() as connection:
            await connection.execute(update(counters).where(counters.c.name == name).values(value=value))


async def next_revision(connection: AsyncConnection, many: int = 1) -> int:
    """The last of the next so many numbers of the one counter. Locks it until the transaction ends."""
    return int((await connection.execute(_NEXT_REVISION, {"many": many})).scalar_one())


async def _write(
    connection: AsyncConnection,
    environment_id: int,
    after: Profile,
    before: Latest,
    revision: int,
    at: datetime,
) -> None:
    """Keep a profile as it is now, and, if it is new or another, as a version."""
    row = {
        "environment_id": environment_id,
        "group_type": after.group_type,
        "key": after.key,
        "properties": after.properties,
        "revision": revision,
    }
    if before.properties is None:
        await connection.execute(_ADD, row)
        if after.group_type != USER:
            await _add_group_types(connection, environment_id, frozenset({after.group_type}), at)
    else:
        await connection.execute(_OVERWRITE, {f"new_{name}": value for name, value in row.items()})
        if same(after.properties, before.properties):
            return
        # Of changes that come at once, one may be written later and have been made earlier.
        at = at if before.changed_at is None else max(at, before.changed_at)
    await connection.execute(_ADD_VERSION, row | {"changed_at": at})


async def _add_group_types(
    connection: AsyncConnection, environment_id: int, names: frozenset[str], at: datetime
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [{"environment_id": environment_id, "name": name, "created_at": at} for name in sorted(names)]
    await connection.execute(dialect.insert(group_types).on_conflict_do_nothing(), rows)
