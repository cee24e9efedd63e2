"""What has changed, from the audit log and the revisions of profiles: both are numbered in the order of commits."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee.evaluation.model import USER
from burgee_server.ports.changes import Change, Kind, Position, Stretch
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.persons import aliases_of
from burgee_server.storage.sql.tables import aliases, audit_entries, cohorts, counters, erasures, profiles

_AT_ONCE = 5_000

_KINDS = {
    "flag": Kind.FLAGS,
    "cohort": Kind.COHORT,
    "api_key": Kind.API_KEYS,
    "environment": Kind.ENVIRONMENT,
    "group_type": Kind.GROUP_TYPES,
}
"""By the first word of an audit entry's action. What has no place here is kept in nobody's memory."""


class SqlChangeLog:
    """The ChangeLog on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def end(self) -> Position:
        """The position after all that there is."""
        revision = select(counters.c.value).where(counters.c.name == "profile_revision")
        async with self._database.reading() as connection:
            entry = (await connection.execute(select(func.max(audit_entries.c.entry_id)))).scalar_one()
            return Position(entry or 0, (await connection.execute(revision)).scalar_one())

    async def since(self, position: Position) -> Stretch:
        """The next changes."""
        entries = audit_entries.c
        of_key = cohorts.alias()
        newest = (
            select(func.max(of_key.c.cohort_id))
            .where(of_key.c.environment_id == entries.environment_id, of_key.c.key == entries.subject)
            .scalar_subquery()
        )
        audit = (
            select(entries.entry_id, entries.environment_id, entries.action, entries.subject, cohorts.c.group_type)
            .select_from(audit_entries)
            .outerjoin(cohorts, and_(entries.action.startswith("cohort."), cohorts.c.cohort_id == newest))
            .where(entries.entry_id > position.entry)
            .order_by(entries.entry_id)
            .limit(_AT_ONCE)
        )
        changes: list[Change] = []
        entry, revision = position.entry, position.revision
        async with self._database.reading() as connection:
            for row in await connection.execute(audit):
                entry = row.entry_id
                if (change := _change(row)) is not None:
                    changes.append(change)
            changed: dict[int, list[Change]] = {}
            whole = True
            for table, group_type, key in (
                (profiles, profiles.c.group_type, profiles.c.key),
                (erasures, erasures.c.group_type, erasures.c.key),
                (aliases, literal(USER), aliases.c.distinct_id),
            ):
                columns = (table.c.environment_id, group_type, key, table.c.revision)
                query = select(*columns).where(table.c.revision > position.revision).order_by(table.c.revision)
                rows = (await connection.execute(query.limit(_AT_ONCE))).all()
                whole = whole and len(rows) < _AT_ONCE
                for environment_id, type_, name, number in rows:
                    subject = (type_,) if name is None else (type_, name)
                    changed.setdefault(number, []).append(Change(Kind.PROFILE, environment_id, subject))
            also = await _other_ids(connection, [change for found in changed.values() for change in found])
        for revision in sorted(changed)[: len(changed) if whole else _AT_ONCE]:
            changes += changed[revision]
        return Stretch([*changes, *also], Position(entry, revision))

    async def unnumbered(self) -> Sequence[Change]:
        """Every computed cohort."""
        columns = (cohorts.c.environment_id, cohorts.c.key, cohorts.c.group_type)
        query = select(*columns).where(cohorts.c.deleted_at.is_(None), cohorts.c.computed.is_not(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [Change(Kind.COHORT, environment_id, (key, group_type)) for environment_id, key, group_type in rows]


async def _other_ids(connection: AsyncConnection, changes: Sequence[Change]) -> list[Change]:
    """The same of the other ids of persons that have changed: they are asked for by any of them."""
    persons: defaultdict[int, list[str]] = defaultdict(list)
    for change in changes:
        if change.subject[0] == USER:
            persons[change.environment_id] += change.subject[1:]
    found = []
    for environment_id, keys in persons.items():
        known = await aliases_of(connection, environment_id, keys)
        found += [Change(Kind.PROFILE, environment_id, (USER, each)) for ids in known.values() for each in ids]
    return found


def _change(row: Any) -> Change | None:
    kind = _KINDS.get(row.action.partition(".")[0])
    match kind:
        case None:
            return None
        case Kind.COHORT:
            return Change(kind, row.environment_id, (row.subject, row.group_type or ""))
        case Kind.FLAGS:
            return Change(kind, row.environment_id, (row.subject,))
        case Kind.API_KEYS if row.action == "api_key.revoke":
            return Change(kind, row.environment_id, (row.subject,))
    return Change(kind, row.environment_id)
