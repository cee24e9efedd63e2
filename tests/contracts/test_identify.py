"""What identifying somebody costs and tells, on every store of profiles."""

import pytest

from burgee_server.ports.profiles import PropertyChange
from burgee_server.profiles import GroupTypes, Hierarchy, Profiles
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.sql.hierarchy import SqlHierarchy
from burgee_server.storage.sql.profiles import SqlProfiles

SAME = (
    PropertyChange(set={"plan": "pro", "seats": 3}),
    PropertyChange(set_once={"plan": "free"}),
    PropertyChange(unset=frozenset({"gone"})),
    PropertyChange(),
)
ANOTHER = (
    PropertyChange(set={"seats": 4}),
    PropertyChange(set={"seats": 3.5}),
    PropertyChange(set={"seats": True}),
    PropertyChange(set_once={"region": "eu"}),
    PropertyChange(unset=frozenset({"plan"})),
)


@pytest.fixture
def told():
    """What listeners to the feed have heard."""
    return []


@pytest.fixture
def profiles(database, told):
    """Persons and groups, without a warehouse: identifying asks for none."""
    store, clock, feed = SqlProfiles(database), SystemClock(), LocalFeed()
    feed.listen(told.append)
    group_types = GroupTypes(store, clock)
    hierarchy = Hierarchy(SqlHierarchy(database), group_types, LocalTurns(), feed, clock)
    return Profiles(store, group_types, hierarchy, None, feed, clock)


async def test_what_is_known_already_is_answered_and_neither_written_nor_told(profiles, told, database, environments):
    """The profile with all its ids, under any of them; no revision more, which is what the warehouse copies by."""
    here = environments[0]
    await profiles.identify_person(here, "ann", PropertyChange(set={"plan": "pro", "seats": 3}))
    await profiles.alias_person(here, "ann", "a1")
    await profiles.identify_group(
        here, "company", "acme", PropertyChange(set={"plan": "pro", "seats": 3}), None, "tests"
    )
    written, told[:] = await SqlProfiles(database).changed_since(0, 100), []

    for change in SAME:
        for known in (
            await profiles.identify_person(here, "a1", change),
            await profiles.identify_group(here, "company", "acme", change, None, "tests"),
        ):
            assert known == await SqlProfiles(database).get(here, known.group_type, known.key)
            assert known.properties == {"plan": "pro", "seats": 3}

    assert told == []
    assert await SqlProfiles(database).changed_since(0, 100) == written


@pytest.mark.parametrize("change", ANOTHER)
async def test_whatever_is_another_is_written_and_told(change, profiles, told, database, environments):
    """True and 1 are not the same, and a property that comes or goes is a change."""
    here = environments[0]
    await profiles.identify_group(
        here, "company", "acme", PropertyChange(set={"plan": "pro", "seats": 1}), None, "tests"
    )
    told.clear()

    after = await profiles.identify_group(here, "company", "acme", change, None, "tests")

    assert repr(dict(after.properties)) == repr(change.apply({"plan": "pro", "seats": 1}))
    assert repr(await SqlProfiles(database).get(here, "company", "acme")) == repr(after)
    assert len(told) == 1


async def test_somebody_without_properties_is_there_after_the_first_time(profiles, told, environments):
    """Nothing known is not the same as nobody there."""
    await profiles.identify_person(environments[0], "ann", PropertyChange())
    assert len(told) == 1

    await profiles.identify_person(environments[0], "ann", PropertyChange())
    assert len(told) == 1
