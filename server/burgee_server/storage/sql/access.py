"""Projects, environments, API keys and the audit log in SQL."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.errors import AlreadyExists, NotFound
from burgee_server.ports.access import ApiKey, AuditEntry, Authorship, Environment, Project, Role
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import api_keys, audit_entries, counters, environments, projects


class SqlAccess:
    """The AccessStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_project(self, key: str, name: str, by: Authorship) -> Project:
        """Create a project with an environment named "production"."""
        async with self._database.writing() as connection:
            row = {"key": key, "name": name, "created_at": by.at}
            try:
                project_id = await _insert(connection, insert(projects).values(row).returning(projects.c.project_id))
            except IntegrityError as error:
                raise AlreadyExists(f"project {key!r} exists already") from error
            production = {"project_id": project_id, "key": "production", "created_at": by.at}
            environment_id = await _insert(
                connection, insert(environments).values(production).returning(environments.c.environment_id)
            )
            await record(connection, environment_id, "project.create", key, by)
        return Project(project_id, key, name, by.at)

    async def installation(self) -> str:
        """The moment, to the microsecond, at which the first project was made."""
        query = select(projects.c.created_at).order_by(projects.c.project_id).limit(1)
        async with self._database.reading() as connection:
            return str((await connection.execute(query)).scalar_one())

    async def projects(self) -> Sequence[Project]:
        """All projects, by key."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(projects).order_by(projects.c.key))
            return [Project(row.project_id, row.key, row.name, row.created_at) for row in rows]

    async def create_environment(self, project_key: str, key: str, by: Authorship) -> Environment:
        """Create an environment."""
        async with self._database.writing() as connection:
            project_id = await _project_id(connection, project_key)
            row = {"project_id": project_id, "key": key, "created_at": by.at}
            try:
                environment_id = await _insert(
                    connection, insert(environments).values(row).returning(environments.c.environment_id)
                )
            except IntegrityError as error:
                raise AlreadyExists(f"environment {key!r} exists already in project {project_key!r}") from error
            await record(connection, environment_id, "environment.create", key, by)
        return Environment(environment_id, project_id, project_key, key, by.at)

    async def environment(self, project_key: str, key: str) -> Environment:
        """One environment."""
        async with self._database.reading() as connection:
            query = _environments().where(projects.c.key == project_key, environments.c.key == key)
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"project {project_key!r} has no environment {key!r}")
        return _environment(row)

    async def environments(self, project_key: str) -> Sequence[Environment]:
        """The environments of a project, by key."""
        async with self._database.reading() as connection:
            await _project_id(connection, project_key)
            query = _environments().where(projects.c.key == project_key).order_by(environments.c.key)
            return [_environment(row) for row in await connection.execute(query)]

    async def retained(self) -> Sequence[Environment]:
        """The environments that do not keep events for good."""
        query = _environments().where(environments.c.retention_days > 0).order_by(environments.c.environment_id)
        async with self._database.reading() as connection:
            return [_environment(row) for row in await connection.execute(query)]

    async def set_retention(self, environment: Environment, days: int, by: Authorship) -> Environment:
        """Say for how many days an environment keeps events."""
        where = environments.c.environment_id == environment.environment_id
        told = f"events are kept for {days:,} days" if days else "events are kept for good"
        async with self._database.writing() as connection:
            await connection.execute(update(environments).where(where).values(retention_days=days))
            await record(connection, environment.environment_id, "environment.update", environment.key, by, told)
        return replace(environment, retention_days=days)

    async def internal_cohort(self, environment_id: int) -> str:
        """The key of the cohort of the environment's own people."""
        query = select(environments.c.internal_cohort_key).where(environments.c.environment_id == environment_id)
        async with self._database.reading() as connection:
            key = (await connection.execute(query)).scalar_one_or_none()
        if key is None:
            raise NotFound(f"no environment {environment_id}")
        return str(key)

    async def set_internal_cohort(self, environment: Environment, cohort_key: str, by: Authorship) -> Environment:
        """Say whose events questions leave out."""
        where = environments.c.environment_id == environment.environment_id
        told = f"questions leave out cohort {cohort_key}" if cohort_key else "questions leave out nobody"
        async with self._database.writing() as connection:
            await connection.execute(update(environments).where(where).values(internal_cohort_key=cohort_key))
            await record(connection, environment.environment_id, "environment.update", environment.key, by, told)
        return replace(environment, internal_cohort_key=cohort_key)

    async def create_api_key(
        self,
        environment: Environment,
        name: str,
        role: Role,
        events_per_second: int,
        digest: bytes,
        by: Authorship,
        *,
        queries_at_a_time: int = 0,
        group_type: str = "",
        group_key: str = "",
    ) -> ApiKey:
        """Keep a new key by the digest of its secret."""
        key_id = f"key_{secrets.token_hex(8)}"
        limits = (events_per_second, queries_at_a_time)
        key = ApiKey(key_id, name, environment, role, by.at, None, *limits, group_type, group_key)
        told = f"{name} ({role} of {group_type} {group_key})" if group_key else f"{name} ({role})"
        row = {
            "api_key_id": key.api_key_id,
            "digest": digest,
            "name": name,
            "environment_id": environment.environment_id,
            "role": role.value,
            "created_at": by.at,
            "events_per_second": events_per_second,
            "queries_at_a_time": queries_at_a_time,
            "group_type": group_type,
            "group_key": group_key,
        }
        async with self._database.writing() as connection:
            try:
                await connection.execute(insert(api_keys).values(row))
            except IntegrityError as error:
                raise AlreadyExists("this secret is in use already") from error
            await record(connection, environment.environment_id, "api_key.create", key.api_key_id, by, told)
        return key

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_api_keys().where(api_keys.c.digest == digest))).one_or_none()
        return None if row is None else _api_key(row)

    async def api_keys(self, project_key: str) -> Sequence[ApiKey]:
        """The keys of a project, oldest first."""
        async with self._database.reading() as connection:
            await _project_id(connection, project_key)
            query = _api_keys().where(projects.c.key == project_key)
            rows = await connection.execute(query.order_by(api_keys.c.created_at, api_keys.c.api_key_id))
            return [_api_key(row) for row in rows]

    async def set_limits(self, key: ApiKey, events_per_second: int, queries_at_a_time: int, by: Authorship) -> ApiKey:
        """Say how many events a key may send a second, and how many questions it may ask at a time."""
        where = api_keys.c.api_key_id == key.api_key_id
        limits = {"events_per_second": events_per_second, "queries_at_a_time": queries_at_a_time}
        told = ", ".join(f"{most:,} {name.replace('_', ' ')}" for name, most in limits.items() if most)
        told = told or "no limit of its own"
        async with self._database.writing() as connection:
            await connection.execute(update(api_keys).where(where).values(**limits))
            environment_id = key.environment.environment_id
            await record(connection, environment_id, "api_key.update", key.api_key_id, by, f"{key.name}: {told}")
        return replace(key, events_per_second=events_per_second, queries_at_a_time=queries_at_a_time)

    async def find_api_key(self, project_key: str | None, api_key_id: str) -> ApiKey:
        """One key, of this project if one is given."""
        query = _api_keys().where(api_keys.c.api_key_id == api_key_id)
        if project_key is not None:
            query = query.where(projects.c.key == project_key)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"no API key {api_key_id!r}")
        return _api_key(row)

    async def revoke_api_key(self, key: ApiKey, by: Authorship) -> ApiKey:
        """End a key."""
        where = (api_keys.c.api_key_id == key.api_key_id, api_keys.c.revoked_at.is_(None))
        async with self._database.writing() as connection:
            ended = await connection.execute(update(api_keys).where(*where).values(revoked_at=by.at))
            if ended.rowcount:
                environment_id = key.environment.environment_id
                await record(connection, environment_id, "api_key.revoke", key.api_key_id, by, key.name)
        return await self.find_api_key(None, key.api_key_id)

    async def record(self, environment_id: int, action: str, subject: str, by: Authorship, detail: str) -> None:
        """Write an audit entry for a change that another store has made."""
        async with self._database.writing() as connection:
            await record(connection, environment_id, action, subject, by, detail)

    async def audit_entries(self, environment_id: int, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Entries of an environment, newest first, older than the entry id `before`."""
        table = audit_entries.c
        query = select(audit_entries).where(table.environment_id == environment_id)
        if before is not None:
            query = query.where(table.entry_id < before)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(table.entry_id.desc()).limit(limit))
            return [AuditEntry(row.entry_id, row.at, row.actor, row.action, row.subject, row.detail) for row in rows]


async def record(
    connection: AsyncConnection, environment_id: int, action: str, subject: str, by: Authorship, detail: str = ""
) -> None:
    """Write an audit entry, inside the transaction of the change it tells of, and last: why, then what.

    Its number locks the counter until the transaction ends. So entries become visible in their own order, and whoever
    reads those after a number never skips one that is still being written: that is how nodes hear of changes.
    """
    counting = update(counters).where(counters.c.name == "audit_entry").values(value=counters.c.value + 1)
    number = await _insert(connection, counting.returning(counters.c.value))
    row = {"environment_id": environment_id, "at": by.at, "actor": by.actor, "action": action, "subject": subject}
    told = f"{by.note} ({detail})" if by.note and detail else by.note or detail
    await connection.execute(insert(audit_entries).values(entry_id=number, **row, detail=told))


async def _insert(connection: AsyncConnection, statement: Any) -> int:
    return int((await connection.execute(statement)).scalar_one())


async def _project_id(connection: AsyncConnection, project_key: str) -> int:
    query = select(projects.c.project_id).where(projects.c.key == project_key)
    project_id = (await connection.execute(query)).scalar_one_or_none()
    if project_id is None:
        raise NotFound(f"no project {project_key!r}")
    return int(project_id)


def _environments() -> Select[Any]:
    return select(environments, projects.c.key.label("project_key")).join(projects)


def _environment(row: Row[Any]) -> Environment:
    return Environment(
        row.environment_id,
        row.project_id,
        row.project_key,
        row.key,
        row.created_at,
        row.retention_days,
        row.internal_cohort_key,
    )


def _api_keys() -> Select[Any]:
    return (
        _environments()
        .join(api_keys)
        .add_columns(
            api_keys.c.api_key_id,
            api_keys.c.name.label("key_name"),
            api_keys.c.role,
            api_keys.c.created_at.label("key_created_at"),
            api_keys.c.revoked_at,
            api_keys.c.events_per_second,
            api_keys.c.queries_at_a_time,
            api_keys.c.group_type,
            api_keys.c.group_key,
        )
    )


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.api_key_id,
        row.key_name,
        _environment(row),
        Role(row.role),
        row.key_created_at,
        row.revoked_at,
        row.events_per_second,
        row.queries_at_a_time,
        row.group_type,
        row.group_key,
    )
