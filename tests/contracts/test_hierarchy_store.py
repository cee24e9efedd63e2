"""What every store of parent types promises, and what a store of profiles does for those who ask for children."""

from datetime import timedelta

import pytest

from burgee_server.errors import Invalid
from burgee_server.ports.access import Authorship
from burgee_server.ports.changes import Change, Kind
from burgee_server.ports.profiles import PropertyChange
from burgee_server.profiles import GroupTypes, Hierarchy
from burgee_server.storage.clock import SystemClock
from burgee_server.storage.memory.changes import LocalFeed
from burgee_server.storage.memory.turns import LocalTurns
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.changes import SqlChangeLog
from burgee_server.storage.sql.hierarchy import SqlHierarchy
from burgee_server.storage.sql.profiles import SqlProfiles
from tests.contracts.test_profile_store import AT


@pytest.fixture
def hierarchy(database):
    """The store under test."""
    return SqlHierarchy(database)


async def test_what_a_type_belongs_to_is_known_as_of_every_moment(hierarchy, environments):
    """The newest counts, what it was before can be asked for, and another environment has its own."""
    here, there = environments
    for hours, parent_type in enumerate(("company", "workspace", "")):
        await hierarchy.set_parent_type(here, "team", parent_type, Authorship("tests", AT + timedelta(hours=hours)))
    await hierarchy.set_parent_type(here, "company", "holding", Authorship("tests", AT))

    assert await hierarchy.parent_types(here) == {"company": "holding"}
    assert await hierarchy.parent_types(there) == {}
    past = [await hierarchy.parent_types(here, AT + timedelta(minutes=minutes)) for minutes in (-1, 59, 60, 120)]
    holding = {"company": "holding"}
    assert past == [{}, holding | {"team": "company"}, holding | {"team": "workspace"}, holding]


async def test_it_is_in_the_audit_log_and_so_in_the_log_of_changes(hierarchy, environments, database):
    """Who did not hear of it finds it there."""
    log = SqlChangeLog(database)
    before = await log.end()
    await hierarchy.set_parent_type(environments[0], "team", "company", Authorship("ann", AT))

    changes = (await log.since(before)).changes
    [entry, *_] = await SqlAccess(database).audit_entries(environments[0], None, 10)

    assert changes == [Change(Kind.GROUP_TYPES, environments[0])]
    assert (entry.actor, entry.action, entry.subject, entry.detail) == (
        "ann", "group_type.update", "team", "belongs to company",
    )  # fmt: skip


async def test_of_two_nodes_that_name_first_parents_one_is_refused(hierarchy, environments, database):
    """The one that comes later, though it had not heard of the other; what both say is no contradiction."""
    store, clock = SqlProfiles(database), SystemClock()
    here, turns = environments[0], LocalTurns()
    nodes = [Hierarchy(hierarchy, GroupTypes(store, clock), turns, LocalFeed(), clock) for _ in range(3)]
    for node in nodes:
        assert await node.known(here) == {}

    nothing = PropertyChange()
    for node, parent_type in zip(nodes, ("company", "workspace", "company"), strict=True):
        named = await node.with_parent(here, "team", (parent_type, "acme"), nothing)
        assert named == PropertyChange(set={parent_type: "acme"})
    assert await hierarchy.parent_types(here) == {}, "it was only looked at"

    await nodes[0].name_parent_type(here, "team", "company", "ann")
    for refuse in (
        nodes[1].name_parent_type(here, "team", "workspace", "bob"),
        nodes[1].with_parent(here, "team", ("workspace", "w1"), nothing),
    ):
        with pytest.raises(Invalid, match="a team belongs to a company"):
            await refuse
    await nodes[2].name_parent_type(here, "team", "company", "bob")
    assert await hierarchy.parent_types(here) == {"team": "company"}


async def test_profiles_can_be_read_by_the_text_of_one_property(database, environments):
    """In pages, by the very text under the very name: not where it is a part, a number, in a list or elsewhere."""
    profiles, here = SqlProfiles(database), environments[0]
    others = ({"company": "a%_\\cme2"}, {"company": 5}, {"company": ["5"]}, {"plan": "5"}, {'com"pany': 'é "x"'})
    for number in range(9):
        await profiles.change(here, "team", f"t{number}", PropertyChange(set=dict(others[number % 5])), AT)
        for text in ("a%_\\cme", "5", 'é "x"'):
            await profiles.change(here, "team", f"t{number}{text}", PropertyChange(set={"company": text}), AT)

    async def keys(having, limit):
        found, after = [], ""
        while page := await profiles.page(here, "team", after=after, limit=limit, having=having):
            found += [profile.key for profile in page]
            after = page[-1].key
        return found

    for text in ("a%_\\cme", "5", 'é "x"'):
        for limit in (2, 100):
            assert await keys(("company", text), limit) == [f"t{number}{text}" for number in range(9)]
    assert await keys(('com"pany', 'é "x"'), 2) == ["t4"]
    assert await keys(("company", "nobody"), 2) == []


async def test_some_profiles_can_be_read_at_once(database, environments):
    """Those that there are, by key, of one type."""
    profiles, here = SqlProfiles(database), environments[0]
    for group_type, key in (("team", "t1"), ("team", "t2"), ("company", "t1")):
        await profiles.change(here, group_type, key, PropertyChange(set={"type": group_type}), AT)

    assert await profiles.some(here, "team", {"t1", "t'3"}) == {"t1": {"type": "team"}}
    assert await profiles.some(here, "team", ()) == {}
