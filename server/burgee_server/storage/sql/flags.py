"""Flags and their versions in SQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee.evaluation.document import flag_from_document, flag_to_document
from burgee.evaluation.model import Flag
from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.flags import FlagVersion
from burgee_server.storage.sql.access import record
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import flag_versions, flags


class SqlFlags:
    """The FlagStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, environment_id: int, flag: Flag, by: Authorship) -> FlagVersion:
        """Keep a new flag as version 1."""
        flag = replace(flag, version=1)
        row = {"environment_id": environment_id, "key": flag.key, "archived": flag.archived}
        async with self._database.writing() as connection:
            try:
                await connection.execute(insert(flags).values(**row, version=1, created_at=by.at))
            except IntegrityError as error:
                raise AlreadyExists(f"flag {flag.key!r} exists already; change it with UpdateFlag") from error
            await _keep(connection, environment_id, flag, "flag.create", "", by)
        return FlagVersion(flag, by.at, by.at, by.actor, by.note)

    async def save(
        self, environment_id: int, flag: Flag, expected_version: int, action: str, detail: str, by: Authorship
    ) -> FlagVersion:
        """Keep a new version, if the current one is the expected one."""
        where = (flags.c.environment_id == environment_id, flags.c.key == flag.key)
        async with self._database.writing() as connection:
            row = (await connection.execute(select(flags).where(*where).with_for_update())).one_or_none()
            if row is None:
                raise NotFound(f"no flag {flag.key!r}")
            if row.version != expected_version:
                raise Stale(
                    f"flag {flag.key!r} is at version {row.version}, not {expected_version}: "
                    "somebody changed it; read it again and retry"
                )
            flag = replace(flag, version=row.version + 1)
            await connection.execute(update(flags).where(*where).values(version=flag.version, archived=flag.archived))
            await _keep(connection, environment_id, flag, action, detail, by)
        return FlagVersion(flag, row.created_at, by.at, by.actor, by.note)

    async def get(self, environment_id: int, flag_key: str) -> FlagVersion:
        """The current version."""
        query = _current(environment_id).where(flags.c.key == flag_key)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"no flag {flag_key!r}")
        return _version(row)

    async def page(
        self, environment_id: int, *, after: str, limit: int, include_archived: bool
    ) -> Sequence[FlagVersion]:
        """Current versions in byte order of their keys."""
        query = _current(environment_id).where(flags.c.key > after)
        if not include_archived:
            query = query.where(flags.c.archived.is_(False))
        async with self._database.reading() as connection:
            return [_version(row) for row in await connection.execute(query.order_by(flags.c.key).limit(limit))]

    async def all(self, environment_id: int) -> Sequence[Flag]:
        """Every flag of an environment at its current version."""
        async with self._database.reading() as connection:
            return [_version(row).flag for row in await connection.execute(_current(environment_id))]

    async def versions(
        self, environment_id: int, flag_key: str, *, before: int | None, limit: int
    ) -> Sequence[FlagVersion]:
        """Versions of a flag, newest first."""
        query = _versions().where(flags.c.environment_id == environment_id, flags.c.key == flag_key)
        if before is not None:
            query = query.where(flag_versions.c.version < before)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(flag_versions.c.version.desc()).limit(limit))
            versions = [_version(row) for row in rows]
        if not versions and before is None:
            raise NotFound(f"no flag {flag_key!r}")
        return versions

    async def version(self, environment_id: int, flag_key: str, version: int) -> FlagVersion:
        """One version of a flag."""
        query = _versions().where(
            flags.c.environment_id == environment_id, flags.c.key == flag_key, flag_versions.c.version == version
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"flag {flag_key!r} has no version {version}")
        return _version(row)

    async def at(self, environment_id: int, flag_keys: frozenset[str], moment: datetime) -> Sequence[Flag]:
        """These flags as they were at a moment."""
        table = flag_versions.c
        latest = (
            select(table.key, func.max(table.version).label("version"))
            .where(table.environment_id == environment_id, table.key.in_(flag_keys), table.changed_at <= moment)
            .group_by(table.key)
            .subquery()
        )
        query = select(table.document).join(
            latest,
            and_(
                table.environment_id == environment_id,
                table.key == latest.c.key,
                table.version == latest.c.version,
            ),
        )
        async with self._database.reading() as connection:
            return [flag_from_document(row.document) for row in await connection.execute(query)]


async def _keep(
    connection: AsyncConnection, environment_id: int, flag: Flag, action: str, detail: str, by: Authorship
) -> None:
    row = {
        "environment_id": environment_id,
        "key": flag.key,
        "version": flag.version,
        "document": flag_to_document(flag),
        "changed_at": by.at,
        "changed_by": by.actor,
        "change_note": by.note,
    }
    await connection.execute(insert(flag_versions).values(row))
    await record(connection, environment_id, action, flag.key, by, detail)


def _versions() -> Select[Any]:
    same_flag = and_(flags.c.environment_id == flag_versions.c.environment_id, flags.c.key == flag_versions.c.key)
    return select(flag_versions, flags.c.created_at).join(flags, same_flag)


def _current(environment_id: int) -> Select[Any]:
    return _versions().where(flags.c.environment_id == environment_id, flags.c.version == flag_versions.c.version)


def _version(row: Row[Any]) -> FlagVersion:
    flag = flag_from_document(row.document)
    return FlagVersion(flag, row.created_at, row.changed_at, row.changed_by, row.change_note)
