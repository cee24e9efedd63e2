"""Saved insights in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.saved import InsightContents, SavedInsight
from burgee_server.storage.sql.access import record
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import saved_insights


class SqlSavedInsights:
    """The SavedInsightStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, environment_id: int, key: str, contents: InsightContents, by: Authorship) -> SavedInsight:
        """Keep a new insight."""
        values = {
            "environment_id": environment_id,
            "key": key,
            "contents": _document(contents),
            "version": 1,
            "created_at": by.at,
            "updated_at": by.at,
        }
        async with self._database.writing() as connection:
            try:
                row = (await connection.execute(insert(saved_insights).values(values).returning(saved_insights))).one()
            except IntegrityError as error:
                raise AlreadyExists(f"insight {key!r} exists already") from error
            await record(connection, environment_id, "insight.create", key, by, _told(contents))
        return _insight(row)

    async def update(
        self, environment_id: int, key: str, contents: InsightContents, expected_version: int, by: Authorship
    ) -> SavedInsight:
        """Keep a new version."""
        document = _document(contents)
        async with self._database.writing() as connection:
            row = await _one(connection, environment_id, key, lock=True)
            if expected_version not in (0, row.version):
                raise Stale(f"insight {key!r} is at version {row.version}, not {expected_version}: read it again")
            if document == row.contents:
                return _insight(row)
            change = (
                update(saved_insights)
                .where(saved_insights.c.environment_id == environment_id, saved_insights.c.key == key)
                .values(contents=document, version=row.version + 1, updated_at=by.at)
                .returning(saved_insights)
            )
            saved = (await connection.execute(change)).one()
            await record(connection, environment_id, "insight.update", key, by, _told(contents))
        return _insight(saved)

    async def delete(self, environment_id: int, key: str, by: Authorship) -> None:
        """Take an insight away."""
        gone = delete(saved_insights).where(
            saved_insights.c.environment_id == environment_id, saved_insights.c.key == key
        )
        async with self._database.writing() as connection:
            if not (await connection.execute(gone)).rowcount:
                raise NotFound(f"no insight {key!r}")
            await record(connection, environment_id, "insight.delete", key, by)

    async def get(self, environment_id: int, key: str) -> SavedInsight:
        """One insight."""
        async with self._database.reading() as connection:
            return _insight(await _one(connection, environment_id, key))

    async def all(self, environment_id: int) -> Sequence[SavedInsight]:
        """Every insight of an environment."""
        query = select(saved_insights).where(saved_insights.c.environment_id == environment_id)
        async with self._database.reading() as connection:
            return [_insight(row) for row in await connection.execute(query.order_by(saved_insights.c.key))]


async def _one(connection: AsyncConnection, environment_id: int, key: str, *, lock: bool = False) -> Row[Any]:
    query = select(saved_insights).where(saved_insights.c.environment_id == environment_id, saved_insights.c.key == key)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound(f"no insight {key!r}")
    return row


def _document(contents: InsightContents) -> dict[str, Any]:
    """As it is kept. It reads what it wrote."""
    return {
        "question": dict(contents.question),
        "name": contents.name,
        "description": contents.description,
        "tags": list(contents.tags),
        "shown_to": contents.shown_to,
        "actions": list(contents.actions),
        "cohorts": list(contents.cohorts),
    }


def _insight(row: Row[Any]) -> SavedInsight:
    lists = {name: tuple(row.contents[name]) for name in ("tags", "actions", "cohorts")}
    contents = InsightContents(**{**row.contents, **lists})
    return SavedInsight(row.key, contents, row.version, row.created_at, row.updated_at)


def _told(contents: InsightContents) -> str:
    """Such as "a trend, shown to company"."""
    shown = f", shown to {contents.shown_to}" if contents.shown_to else ""
    return f"a {' and '.join(contents.question).replace('_', ' ')}{shown}"
