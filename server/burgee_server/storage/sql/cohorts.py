"""Cohorts and their members in SQL. A row of a member is a span of time: one without an end is a member now."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    case,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.cohorts import Cohort, Member, MemberChange
from burgee_server.ports.criteria import Computed
from burgee_server.ports.erasures import key_digest
from burgee_server.ports.warehouse import MemberRow, from_micros, to_micros
from burgee_server.storage.sql.access import record
from burgee_server.storage.sql.among import among
from burgee_server.storage.sql.criteria import computed_document, read_computed
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import cohort_members, cohorts, erasures

_TOLD = 10
"""Keys named in an audit entry."""

_COPIED = 100_000
"""Members handed on at a time."""

_INSTANT = timedelta(microseconds=1)


class SqlCohorts:
    """The CohortStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        environment_id: int,
        key: str,
        group_type: str,
        description: str,
        by: Authorship,
        computed: Computed | None = None,
    ) -> Cohort:
        """Keep a new cohort."""
        values = {
            "environment_id": environment_id,
            "key": key,
            "group_type": group_type,
            "description": description,
            "member_count": 0,
            "version": 1,
            "created_at": by.at,
            "updated_at": by.at,
            "computed": _document(computed),
        }
        async with self._database.writing() as connection:
            try:
                row = (await connection.execute(insert(cohorts).values(values).returning(cohorts))).one()
            except IntegrityError as error:
                raise AlreadyExists(f"cohort {key!r} exists already") from error
            await record(connection, environment_id, "cohort.create", key, by, f"of {group_type}")
        return _cohort(row)

    async def describe(
        self,
        environment_id: int,
        key: str,
        description: str,
        expected_version: int,
        by: Authorship,
        computed: Computed | None = None,
    ) -> Cohort:
        """Keep a new version."""
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            if expected_version not in (0, row.version):
                raise Stale(f"cohort {key!r} is at version {row.version}, not {expected_version}: read it again")
            document = _document(computed)
            changes: dict[str, object] = {}
            told = []
            if description != row.description:
                changes["description"] = description
                told.append(f"description: {row.description or 'nothing'} → {description or 'nothing'}")
            if document != row.computed:
                changes |= {"computed": document, "computed_at": None}
                told.append("is computed otherwise")
            if not changes:
                return _cohort(row)
            changed = await _set(connection, row, _after(row, by.at), version=row.version + 1, **changes)
            await record(connection, environment_id, "cohort.update", key, by, "; ".join(told))
        return _cohort(changed)

    async def delete(self, environment_id: int, key: str, by: Authorship) -> None:
        """Take a cohort away."""
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            at = _after(row, by.at)
            await _set(connection, row, at, deleted_at=at)
            await record(connection, environment_id, "cohort.delete", key, by, f"{row.member_count:,} members")

    async def get(self, environment_id: int, key: str) -> Cohort:
        """One cohort."""
        async with self._database.reading() as connection:
            return _cohort(await _one(connection, environment_id, key))

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Cohort]:
        """Cohorts by key."""
        query = select(cohorts).where(*_living(environment_id), cohorts.c.key > after)
        async with self._database.reading() as connection:
            return [_cohort(row) for row in await connection.execute(query.order_by(cohorts.c.key).limit(limit))]

    async def types(self, environment_id: int) -> Mapping[str, str]:
        """Every cohort, and whom it is made of."""
        query = select(cohorts.c.key, cohorts.c.group_type).where(*_living(environment_id))
        async with self._database.reading() as connection:
            return {row.key: row.group_type for row in await connection.execute(query)}

    async def change(
        self, environment_id: int, key: str, add: Collection[str], remove: Collection[str], by: Authorship
    ) -> MemberChange:
        """Put members in and take others out."""
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            change = await _change(connection, row, add, remove, by.at)
            parts = (("added", change.added), ("removed", change.removed))
            if detail := "; ".join(_told(word, keys) for word, keys in parts if keys):
                await record(connection, environment_id, "cohort.members", key, by, detail)
        return change

    async def settle(
        self,
        environment_id: int,
        key: str,
        version: int,
        add: Collection[str],
        remove: Collection[str],
        at: datetime,
        *,
        computed_at: datetime | None,
    ) -> MemberChange:
        """Put those in who are found to be members, and take those out who are not any more."""
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            if row.version != version:
                raise Stale(f"cohort {key!r} is at version {row.version}, and not {version} any more")
            # Events of somebody who is being erased may have been there still, and must not bring their key back.
            gone = await _erased(connection, environment_id, row.group_type, at)
            coming = [each for each in add if not gone or key_digest(each) not in gone]
            change = await _change(connection, row, coming, remove, at)
            if computed_at is None:
                return change
            done = update(cohorts).where(cohorts.c.cohort_id == row.cohort_id).values(computed_at=computed_at)
            settled = (await connection.execute(done.returning(cohorts))).one()
        return replace(change, cohort=_cohort(settled))

    async def computed(self) -> Sequence[tuple[int, Cohort]]:
        """The computed cohorts of every environment."""
        query = select(cohorts).where(cohorts.c.computed.is_not(None), cohorts.c.deleted_at.is_(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(cohorts.c.cohort_id))
            return [(row.environment_id, _cohort(row)) for row in rows]

    async def copy(
        self, environment_id: int, key: str, since: int, copy: Callable[[Sequence[MemberRow]], Awaitable[None]]
    ) -> int:
        """Hand on who came or went. The cohort is locked: an erasure takes its lock before it takes members out."""
        table = cohort_members.c
        moment = from_micros(since)
        last = case((table.removed_at.is_(None), table.added_at), else_=table.removed_at)
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            query = select(table.key, table.added_at, table.removed_at).where(
                table.cohort_id == row.cohort_id, or_(table.added_at >= moment, table.removed_at >= moment)
            )
            rows = [
                MemberRow(each.key, each.removed_at is not None, to_micros(each.removed_at or each.added_at))
                for each in await connection.execute(query.order_by(last))
            ]
            for first in range(0, len(rows), _COPIED):
                await copy(rows[first : first + _COPIED])
            return to_micros(row.updated_at)

    async def members(self, environment_id: int, key: str, *, after: str, limit: int) -> Sequence[Member]:
        """Members by key."""
        table = cohort_members.c
        async with self._database.reading() as connection:
            row = await _one(connection, environment_id, key)
            query = (
                select(table.key, table.added_at)
                .where(table.cohort_id == row.cohort_id, table.key > after, table.removed_at.is_(None))
                .order_by(table.key)
                .limit(limit)
            )
            return [Member(each.key, each.added_at) for each in await connection.execute(query)]

    async def held(
        self, environment_id: int, cohort_keys: Collection[str], keys: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        """Which of these keys each of these cohorts has."""
        query = select(cohorts.c.cohort_id, cohorts.c.key).where(
            *_living(environment_id), cohorts.c.key.in_(cohort_keys)
        )
        async with self._database.reading() as connection:
            ids = {row.key: row.cohort_id for row in await connection.execute(query)}
            return {
                each: await _present(connection, ids[each], keys) if each in ids else frozenset()
                for each in cohort_keys
            }

    async def containing(
        self, environment_id: int, group_type: str, key: str, moment: datetime | None = None
    ) -> frozenset[str]:
        """The cohorts that somebody is in, or was in at a moment."""
        member, cohort = cohort_members.c, cohorts.c
        query = (
            select(cohort.key)
            .join(cohort_members, member.cohort_id == cohort.cohort_id)
            .where(
                member.key == key,
                cohort.environment_id == environment_id,
                cohort.group_type == group_type,
                *(_lasts(ended, moment) for ended in (member.removed_at, cohort.deleted_at)),
            )
        )
        if moment is not None:
            query = query.where(member.added_at <= moment)
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(query)).scalars())


async def take_out(
    connection: AsyncConnection, environment_id: int, group_type: str, key: str, by: Authorship
) -> tuple[str, ...]:
    """Forget that somebody is, or ever was, in cohorts; return the keys of those that have lost a member by it.

    The audit entries of those do not name the member.
    """
    member = cohort_members.c
    of_type = (*_living(environment_id), cohorts.c.group_type == group_type)
    # All of them: somebody may be about to be put into one.
    living = (
        await connection.execute(select(cohorts).where(*of_type).order_by(cohorts.c.cohort_id).with_for_update())
    ).all()
    ever = select(cohorts.c.cohort_id).where(
        cohorts.c.environment_id == environment_id, cohorts.c.group_type == group_type
    )
    theirs = (member.key == key, member.cohort_id.in_(ever))
    query = select(member.cohort_id).where(*theirs, member.removed_at.is_(None))
    ids = set((await connection.execute(query)).scalars())
    losing = [row for row in living if row.cohort_id in ids]
    await connection.execute(delete(cohort_members).where(*theirs))
    for row in losing:
        await _set(connection, row, _after(row, by.at), member_count=row.member_count - 1)
        await record(connection, environment_id, "cohort.members", row.key, by, "erased a member")
    return tuple(row.key for row in losing)


async def _change(
    connection: AsyncConnection, row: Row[Any], add: Collection[str], remove: Collection[str], moment: datetime
) -> MemberChange:
    there = await _present(connection, row.cohort_id, [*add, *remove])
    added = tuple(dict.fromkeys(each for each in add if each not in there))
    removed = tuple(dict.fromkeys(each for each in remove if each in there))
    if not added and not removed:
        return MemberChange(_cohort(row), (), ())
    at = _after(row, moment)
    if removed:
        gone = update(cohort_members).where(*_present_among(connection, row.cohort_id, removed))
        await connection.execute(gone.values(removed_at=at))
    if added:
        rows = [{"cohort_id": row.cohort_id, "key": each, "added_at": at} for each in added]
        await connection.execute(insert(cohort_members), rows)
    count = row.member_count + len(added) - len(removed)
    return MemberChange(_cohort(await _set(connection, row, at, member_count=count)), added, removed)


async def _erased(connection: AsyncConnection, environment_id: int, group_type: str, since: datetime) -> frozenset[str]:
    """Digests of the keys whose erasure is not done, or was not at that moment."""
    table = erasures.c
    query = select(table.key_sha256).where(
        table.environment_id == environment_id,
        table.group_type == group_type,
        or_(table.done_at.is_(None), table.done_at >= since),
    )
    return frozenset((await connection.execute(query)).scalars())


def _document(computed: Computed | None) -> dict[str, Any] | None:
    return None if computed is None else computed_document(computed)


def _living(environment_id: int) -> tuple[ColumnElement[bool], ...]:
    return cohorts.c.environment_id == environment_id, cohorts.c.deleted_at.is_(None)


def _lasts(ended: ColumnElement[datetime | None], moment: datetime | None) -> ColumnElement[bool]:
    """Whether what ends then, or does not, lasts: now, or at a moment."""
    return ended.is_(None) if moment is None else or_(ended.is_(None), ended > moment)


async def _one(connection: AsyncConnection, environment_id: int, key: str, *, lock: bool = False) -> Row[Any]:
    query = select(cohorts).where(*_living(environment_id), cohorts.c.key == key)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound(f"no cohort {key!r}")
    return row


async def _set(connection: AsyncConnection, row: Row[Any], at: datetime, **values: object) -> Row[Any]:
    change = update(cohorts).where(cohorts.c.cohort_id == row.cohort_id).values(updated_at=at, **values)
    changed: Row[Any] = (await connection.execute(change.returning(cohorts))).one()
    return changed


def _after(row: Row[Any], at: datetime) -> datetime:
    """A moment of its own: of changes that come at once, one may be written later and have been made earlier."""
    updated_at: datetime = row.updated_at
    return max(at, updated_at + _INSTANT)


async def _present(connection: AsyncConnection, cohort_id: int, keys: Collection[str]) -> frozenset[str]:
    query = select(cohort_members.c.key).where(*_present_among(connection, cohort_id, keys))
    return frozenset((await connection.execute(query)).scalars())


def _present_among(
    connection: AsyncConnection, cohort_id: int, keys: Collection[str]
) -> tuple[ColumnElement[bool], ...]:
    """Who of these is a member now."""
    table = cohort_members.c
    return table.cohort_id == cohort_id, among(connection, table.key, keys), table.removed_at.is_(None)


def _told(word: str, keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _TOLD:,} more" if len(keys) > _TOLD else ""
    return f"{word} {', '.join(keys[:_TOLD])}{more}"


def _cohort(row: Row[Any]) -> Cohort:
    return Cohort(
        row.key,
        row.group_type,
        row.description,
        row.member_count,
        row.version,
        row.created_at,
        row.updated_at,
        None if row.computed is None else read_computed(row.computed),
        row.computed_at,
    )
