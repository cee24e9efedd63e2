"""A profile as it is now, in one statement: each identify begins with it, and most of what a statement costs is that
it is one."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Integer, ScalarSelect, Select, String, and_, bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from burgee.evaluation.model import USER, Properties
from burgee_server.storage.sql.tables import aliases, profile_versions, profiles

_BETWEEN = "\n"
"""Between ids: no name holds a control character."""

_ENVIRONMENT = bindparam("environment_id", type_=Integer)
_TYPE = bindparam("group_type", type_=String)
_KEY = bindparam("key", type_=String)


class Latest(NamedTuple):
    """Whose profile it is, and what is known of it, since when. Nothing, if there is no profile."""

    key: str
    properties: Properties | None
    changed_at: datetime | None
    aliases: tuple[str, ...]
    """The other ids of a person, in byte order."""


async def latest(connection: AsyncConnection, environment_id: int, group_type: str, key: str) -> Latest:
    """A profile by its key; that of a person by any of the ids."""
    asked = {"environment_id": environment_id, "group_type": group_type, "key": key}
    statement = _OF_PERSON if group_type == USER else _OF_GROUP
    row = (await connection.execute(statement, asked)).one()
    others = tuple(sorted(row.others.split(_BETWEEN), key=str.encode)) if row.others else ()
    return Latest(row.key, row.properties, row.changed_at, others)


def _statement(key: ScalarSelect[str] | None) -> Select[tuple[str, Properties, datetime, str]]:
    became = _KEY if key is None else func.coalesce(key, _KEY)
    whose = select(became.label("key")).subquery("whose")
    versions, profile = profile_versions.c, profiles.c
    since = select(func.max(versions.changed_at)).where(
        versions.environment_id == _ENVIRONMENT, versions.group_type == _TYPE, versions.key == whose.c.key
    )
    others = select(func.aggregate_strings(aliases.c.distinct_id, _BETWEEN)).where(
        aliases.c.environment_id == _ENVIRONMENT, aliases.c.person == whose.c.key
    )
    is_it = and_(profile.environment_id == _ENVIRONMENT, profile.group_type == _TYPE, profile.key == whose.c.key)
    return select(
        whose.c.key,
        profile.properties,
        since.scalar_subquery().label("changed_at"),
        (literal_column("NULL") if key is None else others.scalar_subquery()).label("others"),
    ).select_from(whose.outerjoin(profiles, is_it))


_OF_GROUP = _statement(None)
_OF_PERSON = _statement(
    select(aliases.c.person)
    .where(aliases.c.environment_id == _ENVIRONMENT, aliases.c.distinct_id == _KEY)
    .order_by(aliases.c.revision.desc())
    .limit(1)
    .scalar_subquery()
)
