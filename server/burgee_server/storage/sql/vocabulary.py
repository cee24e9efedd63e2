"""What environments have named, in SQL."""

from sqlalchemy import select

from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.storage.sql.actions import action_of
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.tables import actions, aliases


class SqlVocabularies:
    """The Vocabularies port on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, environment_id: int) -> Vocabulary:
        """Those of an environment."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(actions).where(actions.c.environment_id == environment_id))
            known = {row.key: action_of(row) for row in rows}
            one = select(aliases.c.revision).where(aliases.c.environment_id == environment_id).limit(1)
            has_aliases = (await connection.execute(one)).first() is not None
        return Vocabulary(known, has_aliases)
