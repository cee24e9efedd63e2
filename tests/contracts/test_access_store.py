"""What every store of projects, keys and audit entries promises."""

from datetime import UTC, datetime

import pytest

from burgee_server.errors import AlreadyExists, NotFound
from burgee_server.ports.access import Authorship, Role
from burgee_server.storage.sql.access import SqlAccess

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
BY = Authorship("tests", AT)


@pytest.fixture
def access(database):
    """The store under test."""
    return SqlAccess(database)


async def test_a_new_project_has_an_environment_named_production(access):
    """A project can be used at once."""
    await access.create_project("shop", "The shop", BY)

    assert [(p.key, p.name, p.created_at) for p in await access.projects()] == [("shop", "The shop", AT)]
    assert [e.key for e in await access.environments("shop")] == ["production"]


async def test_a_project_key_is_taken_once(access):
    """The second of two projects with one key is refused, and leaves nothing behind."""
    await access.create_project("shop", "The shop", BY)

    with pytest.raises(AlreadyExists, match="'shop'"):
        await access.create_project("shop", "Another", BY)
    assert len(await access.projects()) == 1


async def test_environment_keys_are_taken_once_a_project(access):
    """Two projects may each have a staging."""
    await access.create_project("a", "A", BY)
    await access.create_project("b", "B", BY)
    staging = await access.create_environment("a", "staging", BY)
    other = await access.create_environment("b", "staging", BY)

    assert staging.environment_id != other.environment_id
    with pytest.raises(AlreadyExists, match="'staging'"):
        await access.create_environment("a", "staging", BY)


async def test_what_is_not_there_is_named(access):
    """NotFound says what was looked for."""
    await access.create_project("a", "A", BY)
    with pytest.raises(NotFound, match="'nowhere'"):
        await access.environments("nowhere")
    with pytest.raises(NotFound, match="'nowhere'"):
        await access.api_keys("nowhere")
    with pytest.raises(NotFound, match="'nowhere'"):
        await access.environment("a", "nowhere")
    with pytest.raises(NotFound, match="'nowhere'"):
        await access.find_api_key(None, "nowhere")


async def test_a_key_is_found_by_its_digest_and_opens_its_environment(access):
    """The store has digests only."""
    await access.create_project("a", "A", BY)
    environment = await access.environment("a", "production")
    created = await access.create_api_key(environment, "backend", Role.SERVICE, 0, b"digest", BY)

    assert await access.api_key(b"digest") == created
    assert created.environment == environment
    assert await access.api_key(b"other") is None


async def test_a_key_of_one_group_stays_one(access):
    """Wherever it is read; and the audit log says whose it is."""
    await access.create_project("a", "A", BY)
    environment = await access.environment("a", "production")
    group = {"group_type": "company", "group_key": "acme"}
    made = await access.create_api_key(environment, "page", Role.PORTAL, 0, b"digest", BY, **group)

    assert (made.group_type, made.group_key) == ("company", "acme")
    assert [await access.api_key(b"digest"), *await access.api_keys("a")] == [made, made]
    assert await access.find_api_key("a", made.api_key_id) == made
    assert await access.set_limits(made, 1, 2, BY) == await access.api_key(b"digest")
    [*_, entry] = await access.audit_entries(environment.environment_id, None, 2)
    assert entry.detail == "page (portal of company acme)"


async def test_revoking_is_remembered_and_doing_it_twice_keeps_the_first_time(access):
    """A key ends once."""
    await access.create_project("a", "A", BY)
    environment = await access.environment("a", "production")
    key = await access.create_api_key(environment, "backend", Role.SERVICE, 0, b"digest", BY)

    first = await access.revoke_api_key(key, BY)
    later = Authorship("tests", AT.replace(year=2027))
    second = await access.revoke_api_key(key, later)

    assert first.revoked_at == second.revoked_at == AT
    assert (await access.api_key(b"digest")).revoked_at == AT


async def test_a_key_is_found_in_its_own_project_only(access):
    """A project's admins see no keys but their own."""
    await access.create_project("a", "A", BY)
    await access.create_project("b", "B", BY)
    key = await access.create_api_key(await access.environment("a", "production"), "k", Role.ADMIN, 0, b"d", BY)

    assert await access.find_api_key("a", key.api_key_id) == await access.find_api_key(None, key.api_key_id) == key
    with pytest.raises(NotFound):
        await access.find_api_key("b", key.api_key_id)


async def test_limits_and_retention_are_kept_with_keys_and_environments(access):
    """Each change has its audit entry, in words."""
    await access.create_project("a", "A", BY)
    environment = await access.environment("a", "production")
    key = await access.create_api_key(environment, "k", Role.SERVICE, 5, b"d", BY)
    assert (key.events_per_second, environment.retention_days, await access.retained()) == (5, 0, [])

    environment = await access.set_retention(environment, 90, BY)
    await access.set_limits(key, 1_000, 7, BY)

    key = await access.api_key(b"d")
    assert (key.events_per_second, key.queries_at_a_time, key.environment) == (1_000, 7, environment)
    assert await access.retained() == [environment]
    assert environment.keeps_from(AT.replace(month=12, day=31)) == datetime(2026, 10, 2, tzinfo=UTC)
    entries = await access.audit_entries(environment.environment_id, None, 2)
    assert [(entry.action, entry.detail) for entry in entries] == [
        ("api_key.update", "k: 1,000 events per second, 7 queries at a time"),
        ("environment.update", "events are kept for 90 days"),
    ]
    assert await access.set_retention(environment, 0, BY) not in await access.retained()


async def test_every_change_leaves_an_audit_entry_in_its_environment_newest_first(access):
    """Who, what, when; read page by page."""
    await access.create_project("a", "A", BY)
    environment = await access.environment("a", "production")
    key = await access.create_api_key(environment, "backend", Role.SERVICE, 0, b"digest", BY)
    await access.revoke_api_key(key, BY)

    entries = await access.audit_entries(environment.environment_id, None, 2)
    older = await access.audit_entries(environment.environment_id, entries[-1].entry_id, 2)

    assert [entry.action for entry in [*entries, *older]] == ["api_key.revoke", "api_key.create", "project.create"]
    assert all((entry.actor, entry.at) == ("tests", AT) for entry in entries)


async def test_audit_entries_of_one_environment_are_not_shown_in_another(access):
    """The audit log is confined like everything else."""
    await access.create_project("a", "A", BY)
    staging = await access.create_environment("a", "staging", BY)

    entries = await access.audit_entries(staging.environment_id, None, 10)

    assert [entry.subject for entry in entries] == ["staging"]
