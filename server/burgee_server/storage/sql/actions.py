"""Actions in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.actions import Action, Matcher
from burgee_server.storage.sql.access import record
from burgee_server.storage.sql.documents import matcher_document, read_matcher
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import actions


class SqlActions:
    """The ActionStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, environment_id: int, key: str, description: str, matchers: Sequence[Matcher], by: Authorship
    ) -> Action:
        """Keep a new action."""
        values = {
            "environment_id": environment_id,
            "key": key,
            "description": description,
            "matchers": [matcher_document(matcher) for matcher in matchers],
            "version": 1,
            "created_at": by.at,
            "updated_at": by.at,
        }
        async with self._database.writing() as connection:
            try:
                row = (await connection.execute(insert(actions).values(values).returning(actions))).one()
            except IntegrityError as error:
                raise AlreadyExists(f"action {key!r} exists already") from error
            await record(connection, environment_id, "action.create", key, by, _told(matchers))
        return action_of(row)

    async def update(
        self,
        environment_id: int,
        key: str,
        description: str,
        matchers: Sequence[Matcher],
        expected_version: int,
        by: Authorship,
    ) -> Action:
        """Keep a new version."""
        changed = {"description": description, "matchers": [matcher_document(matcher) for matcher in matchers]}
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            if expected_version not in (0, row.version):
                raise Stale(f"action {key!r} is at version {row.version}, not {expected_version}: read it again")
            if changed == {"description": row.description, "matchers": row.matchers}:
                return action_of(row)
            change = (
                update(actions)
                .where(actions.c.environment_id == environment_id, actions.c.key == key)
                .values(**changed, version=row.version + 1, updated_at=by.at)
                .returning(actions)
            )
            saved = (await connection.execute(change)).one()
            await record(connection, environment_id, "action.update", key, by, _told(matchers))
        return action_of(saved)

    async def delete(self, environment_id: int, key: str, by: Authorship) -> None:
        """Take an action away."""
        gone = delete(actions).where(actions.c.environment_id == environment_id, actions.c.key == key)
        async with self._database.writing() as connection:
            if not (await connection.execute(gone)).rowcount:
                raise NotFound(f"no action {key!r}")
            await record(connection, environment_id, "action.delete", key, by)

    async def get(self, environment_id: int, key: str) -> Action:
        """One action."""
        async with self._database.reading() as connection:
            return action_of(await _one(connection, environment_id, key))

    async def page(self, environment_id: int, *, after: str, limit: int) -> Sequence[Action]:
        """Actions by key."""
        query = select(actions).where(actions.c.environment_id == environment_id, actions.c.key > after)
        async with self._database.reading() as connection:
            return [action_of(row) for row in await connection.execute(query.order_by(actions.c.key).limit(limit))]


def action_of(row: Row[Any]) -> Action:
    """The action that a row of the table is."""
    matchers = tuple(map(read_matcher, row.matchers))
    return Action(row.key, row.description, matchers, row.version, row.created_at, row.updated_at)


async def _one(connection: AsyncConnection, environment_id: int, key: str, *, lock: bool = False) -> Row[Any]:
    query = select(actions).where(actions.c.environment_id == environment_id, actions.c.key == key)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound(f"no action {key!r}")
    return row


def _told(matchers: Sequence[Matcher]) -> str:
    """Such as "signed_up, invited (filtered)"."""
    return ", ".join(f"{each.event or 'any event'}{' (filtered)' * (each.filter is not None)}" for each in matchers)
