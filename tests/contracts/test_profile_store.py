"""What every store of profiles promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.ports.profiles import PropertyChange
from burgee_server.storage.sql.profiles import SqlProfiles

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def profiles(database):
    """The store under test."""
    return SqlProfiles(database)


async def test_a_change_sets_then_fills_then_removes(profiles, environments):
    """set overwrites, set_once fills what is missing, unset removes; in that order."""
    here = environments[0]
    await profiles.change(here, "company", "acme", PropertyChange(set={"plan": "free", "seats": 3, "old": 1}), AT)
    change = PropertyChange(set={"plan": "pro"}, set_once={"plan": "x", "region": "eu"}, unset=frozenset({"old"}))

    changed = await profiles.change(here, "company", "acme", change, AT)

    assert changed.properties == {"plan": "pro", "seats": 3, "region": "eu"}
    assert await profiles.get(here, "company", "acme") == changed


async def test_changes_that_come_at_once_are_all_applied(profiles, environments):
    """No change is lost to another that was under way."""
    changes = [PropertyChange(set={f"p{number}": number}) for number in range(20)]
    await asyncio.gather(*(profiles.change(environments[0], "user", "ann", change, AT) for change in changes))

    profile = await profiles.get(environments[0], "user", "ann")

    assert profile.properties == {f"p{number}": number for number in range(20)}


async def test_a_profile_is_seen_in_its_own_environment_and_type_only(profiles, environments):
    """The same key elsewhere is somebody else."""
    await profiles.change(environments[0], "company", "acme", PropertyChange(set={"plan": "pro"}), AT)

    assert await profiles.get(environments[1], "company", "acme") is None
    assert await profiles.get(environments[0], "user", "acme") is None


async def test_pages_are_in_byte_order_of_keys(profiles, environments):
    """The order in which the warehouse lists keys, so that the two can be merged."""
    for key in ("é", "b", "Z", "a", "日"):
        await profiles.change(environments[0], "company", key, PropertyChange(), AT)

    first = await profiles.page(environments[0], "company", after="", limit=3)
    rest = await profiles.page(environments[0], "company", after=first[-1].key, limit=3)

    assert [profile.key for profile in [*first, *rest]] == ["Z", "a", "b", "é", "日"]


async def test_a_group_type_appears_when_a_group_is_identified_or_the_type_is_named_once(profiles, environments):
    """Types appear by being used, keep the time of their first use, and persons are not a type."""
    await profiles.change(environments[0], "workspace", "w1", PropertyChange(), AT)
    await profiles.change(environments[0], "user", "ann", PropertyChange(), AT)
    await profiles.add_group_types(environments[0], frozenset({"company", "workspace"}), AT.replace(year=2027))

    types = await profiles.group_types(environments[0])

    assert [(known.name, known.created_at.year) for known in types] == [("company", 2027), ("workspace", 2026)]
    assert await profiles.group_types(environments[1]) == []


async def test_changed_since_gives_each_profile_once_as_it_is_now_in_order_of_revision(profiles, environments):
    """What the warehouse copies: every environment, the latest state, nothing twice."""
    await profiles.change(environments[0], "company", "acme", PropertyChange(set={"plan": "free"}), AT)
    await profiles.change(environments[1], "user", "ann", PropertyChange(set={"role": "admin"}), AT)
    await profiles.change(environments[0], "company", "acme", PropertyChange(set={"plan": "pro"}), AT)

    rows = await profiles.changed_since(0, 10)

    assert [(row.environment_id, row.group_type, row.key, row.properties) for row in rows] == [
        (environments[1], "user", "ann", {"role": "admin"}),
        (environments[0], "company", "acme", {"plan": "pro"}),
    ]
    assert rows[0].revision < rows[1].revision
    assert await profiles.changed_since(rows[0].revision, 10) == rows[1:]


async def test_the_loaded_revision_is_remembered(profiles):
    """Zero at first; then what was set."""
    assert await profiles.loaded_revision() == 0

    await profiles.set_loaded_revision(42)

    assert await profiles.loaded_revision() == 42


async def test_a_profile_can_be_read_as_it_was_at_any_moment(profiles, environments):
    """From the microsecond of a change on, up to the next; before the first there was nobody."""
    here, later, instant = environments[0], AT + timedelta(days=1), timedelta(microseconds=1)
    await profiles.change(here, "company", "acme", PropertyChange(set={"plan": 1}), AT)
    await profiles.change(here, "company", "acme", PropertyChange(set={"plan": True}), later)
    await profiles.change(here, "company", "other", PropertyChange(set={"plan": "x"}), AT)

    async def plan(moment, environment=here):
        found = await profiles.at(environment, "company", "acme", moment)
        return None if found is None else found.properties["plan"]

    assert await plan(AT - instant) is None
    assert await plan(AT) is await plan(later - instant) == 1
    assert await plan(later) is True
    assert await plan(later, environments[1]) is None


async def test_a_change_that_says_an_earlier_time_than_the_one_before_it_still_comes_after_it(profiles, environments):
    """Of changes that come at once, what is read for now is what the last one left."""
    here, earlier = environments[0], AT - timedelta(seconds=1)
    await profiles.change(here, "user", "ann", PropertyChange(set={"a": 1}), AT)
    await profiles.change(here, "user", "ann", PropertyChange(set={"b": 2}), earlier)

    assert (await profiles.at(here, "user", "ann", AT)).properties == {"a": 1, "b": 2}
    assert await profiles.at(here, "user", "ann", earlier) is None
