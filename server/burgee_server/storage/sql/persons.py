"""Which ids are one person, in SQL. Every change of whose an id is stays, so the past can still be asked for."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee.evaluation.model import USER
from burgee_server.storage.sql.tables import aliases


def holder(environment_id: int, group_type: str, key: str, moment: datetime | None = None) -> ColumnElement[str]:
    """The key whose profile it is, now or as of a moment: that of the person that an id has become."""
    if group_type != USER:
        return literal(key)
    became = select(aliases.c.person).where(aliases.c.environment_id == environment_id, aliases.c.distinct_id == key)
    if moment is not None:
        became = became.where(aliases.c.merged_at <= moment)
    return func.coalesce(became.order_by(aliases.c.revision.desc()).limit(1).scalar_subquery(), key)


async def aliases_of(
    connection: AsyncConnection, environment_id: int, persons: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """The other ids of those who have any, by the id that stands for them."""
    # Whoever stands for a person has become nobody else's, and then what says that an id is theirs, is the latest word.
    query = select(aliases.c.distinct_id, aliases.c.person).where(
        aliases.c.environment_id == environment_id, aliases.c.person.in_(list(persons))
    )
    found: dict[str, list[str]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.person, []).append(row.distinct_id)
    return {person: tuple(sorted(ids, key=str.encode)) for person, ids in found.items()}


async def persons_of(connection: AsyncConnection, environment_id: int, distinct_ids: Sequence[str]) -> dict[str, str]:
    """Of these ids, those that stand for somebody else, and for whom."""
    query = select(aliases.c.distinct_id, aliases.c.person).where(
        aliases.c.environment_id == environment_id, aliases.c.distinct_id.in_(distinct_ids)
    )
    return {row.distinct_id: row.person for row in await connection.execute(query.order_by(aliases.c.revision))}


async def become(
    connection: AsyncConnection, environment_id: int, ids: Sequence[str], person: str, last: int, at: datetime
) -> None:
    """These ids are this person's from now on. Each has a revision of its own, the last of them `last`."""
    rows = [
        {
            "environment_id": environment_id,
            "distinct_id": each,
            "revision": revision,
            "person": person,
            "merged_at": at,
        }
        for revision, each in enumerate(ids, last - len(ids) + 1)
    ]
    await connection.execute(insert(aliases), rows)


async def part(connection: AsyncConnection, environment_id: int, ids: Sequence[str]) -> None:
    """Forget whose these ids ever were."""
    await connection.execute(
        delete(aliases).where(aliases.c.environment_id == environment_id, aliases.c.distinct_id.in_(ids))
    )
