"""What environments have named, in SQL."""

from sqlalchemy import select

from burgee_server.ports.vocabulary import NamedCohort, Vocabulary
from burgee_server.ports.warehouse import to_micros
from burgee_server.storage.sql.actions import action_of
from burgee_server.storage.sql.criteria import read_computed
from burgee_server.storage.sql.engine import Database
from burgee_server.storage.sql.hierarchy import parents_of
from burgee_server.storage.sql.tables import actions, aliases, cohorts, environments


class SqlVocabularies:
    """The Vocabularies port on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, environment_id: int) -> Vocabulary:
        """Those of an environment."""
        living = select(cohorts).where(cohorts.c.environment_id == environment_id, cohorts.c.deleted_at.is_(None))
        internal = select(environments.c.internal_cohort_key).where(environments.c.environment_id == environment_id)
        async with self._database.reading() as connection:
            named = await connection.execute(select(actions).where(actions.c.environment_id == environment_id))
            found = {
                row.key: NamedCohort(
                    row.cohort_id,
                    row.key,
                    row.group_type,
                    to_micros(row.updated_at),
                    None if row.computed is None else read_computed(row.computed),
                )
                for row in await connection.execute(living)
            }
            internal_cohort_key = (await connection.execute(internal)).scalar_one_or_none() or ""
            one = select(aliases.c.revision).where(aliases.c.environment_id == environment_id).limit(1)
            has_aliases = (await connection.execute(one)).first() is not None
            known = {row.key: action_of(row) for row in named}
            parents = await parents_of(connection, environment_id)
        return Vocabulary(known, has_aliases, found, internal_cohort_key, parents)
