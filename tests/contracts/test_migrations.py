"""What becomes of a control store that an older version has filled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import burgee_server.storage.sql.engine as engine
from burgee_server.ports.access import Authorship
from burgee_server.ports.profiles import PropertyChange
from burgee_server.ports.saved import InsightContents
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.cohorts import SqlCohorts
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sql.saved import SqlSavedInsights
from burgee_server.storage.sql.tables import metadata

CREATED = datetime(2026, 3, 1, tzinfo=UTC)
MICROS = int(CREATED.timestamp()) * 1_000_000

OLD_DATA = (
    "INSERT INTO projects VALUES (1, 'p', 'P', :created)",
    "INSERT INTO environments VALUES (1, 1, 'production', :created), (2, 1, 'staging', :created + 1000000)",
    "INSERT INTO profiles VALUES (1, 'company', 'acme', '{\"plan\": \"pro\"}', 1), (1, 'user', 'ann', '{}', 2),"
    " (2, 'company', 'acme', '{\"plan\": \"free\"}', 3)",
    "INSERT INTO audit_entries VALUES (41, 1, :created, 'ann', 'project.create', 'p', '')",
    "UPDATE counters SET value = 3 WHERE name = 'profile_revision'",
)


def _begin_at(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(engine.MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    for statement in OLD_DATA:
        connection.execute(text(statement), {"created": MICROS} if ":created" in statement else {})


@pytest.fixture
async def old(empty_database):
    """A store as revision 0001 left it, with profiles in two environments, brought up to date."""
    async with empty_database.writing() as connection:
        await connection.run_sync(_begin_at, "0001")
    await empty_database.migrate()
    return empty_database


async def test_the_migrations_lead_to_the_tables_that_the_code_knows(old):
    """Nothing is missing and nothing is left over."""

    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection), metadata)

    async with old.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_cohorts_find_their_place_beside_what_was_there(old):
    """In each environment of old, with members that were known before and others."""
    cohorts = SqlCohorts(old)
    by = Authorship("ann", CREATED + timedelta(days=1))
    for environment_id in (1, 2):
        assert await cohorts.types(environment_id) == {}
        await cohorts.create(environment_id, "beta", "company", "", by)
    change = await cohorts.change(1, "beta", ["acme", "never-seen"], [], by)

    assert change.cohort.member_count == 2
    assert await cohorts.containing(1, "company", "acme") == {"beta"}
    assert await cohorts.containing(2, "company", "acme") == frozenset()


async def test_insights_are_saved_beside_what_was_there(old):
    """In each environment of old, which had none."""
    insights = SqlSavedInsights(old)
    for environment_id in (1, 2):
        assert list(await insights.all(environment_id)) == []
        await insights.create(environment_id, "reports", InsightContents({"trend": {}}), Authorship("ann", CREATED))
        assert (await insights.get(environment_id, "reports")).version == 1


async def test_the_history_of_profiles_begins_with_what_they_were(old):
    """As if each had been so since its environment was created; changes from now on come after that."""
    profiles = SqlProfiles(old)
    await profiles.change(1, "company", "acme", PropertyChange(set={"plan": "team"}), CREATED + timedelta(days=2))

    async def plan(environment_id, moment):
        found = await profiles.at(environment_id, "company", "acme", moment)
        return None if found is None else found.properties["plan"]

    assert await plan(1, CREATED - timedelta(seconds=1)) is None
    assert await plan(1, CREATED) == await plan(1, CREATED + timedelta(days=1)) == "pro"
    assert await plan(1, CREATED + timedelta(days=2)) == "team"
    assert await plan(2, CREATED) is None
    assert await plan(2, CREATED + timedelta(seconds=1)) == "free"
    assert (await profiles.at(1, "user", "ann", CREATED)).properties == {}


async def test_audit_entries_are_numbered_on_from_those_that_were_there(old):
    """None has the number of another, and later ones have greater ones."""
    access = SqlAccess(old)
    environment = await access.environment("p", "production")
    await access.set_retention(environment, 30, Authorship("ann", CREATED))

    assert [entry.entry_id for entry in await access.audit_entries(1, None, 10)] == [42, 41]


def test_files_of_migrations_are_numbered_in_their_order():
    """A start goes by the greatest number to know that there is nothing to migrate."""
    scripts = ScriptDirectory(str(engine.MIGRATIONS))
    names = [Path(script.path).name for script in reversed(list(scripts.walk_revisions()))]

    assert names == sorted(names)
    assert [name[:4] for name in names] == [script.revision for script in reversed(list(scripts.walk_revisions()))]


async def test_what_is_at_the_newest_migration_is_left_alone(database, monkeypatch):
    """Also by a start that could not migrate anything."""
    monkeypatch.setattr(command, "upgrade", None)
    await database.migrate()
