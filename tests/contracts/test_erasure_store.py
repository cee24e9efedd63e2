"""What every store of erasures promises."""

from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.errors import NotFound
from burgee_server.ports.access import Authorship
from burgee_server.ports.erasures import ErasureState, key_digest
from burgee_server.ports.profiles import PropertyChange
from burgee_server.ports.warehouse import Arrived
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.cohorts import SqlCohorts
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.profiles import SqlProfiles

AT = datetime(2026, 3, 1, tzinfo=UTC)
BY = Authorship("tests", AT)
CHANGE = PropertyChange(set={"plan": "pro"})


@pytest.fixture
def erasures(database):
    """The store under test."""
    return SqlErasures(database)


@pytest.fixture
def profiles(database):
    """The profiles beside it."""
    return SqlProfiles(database)


async def test_a_profile_goes_with_its_history_and_no_other_does(erasures, profiles, environments):
    """Not the same key of another type, nor in another environment."""
    here, there = environments
    for change in (CHANGE, PropertyChange(set={"plan": "free"})):
        for environment, group_type in ((here, "company"), (here, "user"), (there, "company")):
            await profiles.change(environment, group_type, "acme", change, AT)

    erasure = (await erasures.begin(here, "company", "acme", BY)).erasures[-1]

    assert (erasure.state, erasure.key, erasure.events) == (ErasureState.WAITING, "acme", None)
    assert await profiles.get(here, "company", "acme") is None
    assert await profiles.at(here, "company", "acme", AT + timedelta(days=1)) is None
    for environment, group_type in ((here, "user"), (there, "company")):
        assert (await profiles.get(environment, group_type, "acme")).properties == {"plan": "free"}
        assert await profiles.at(environment, group_type, "acme", AT) is not None


async def test_whoever_is_erased_leaves_every_cohort_and_was_never_in_one(erasures, database, environments):
    """Those of the type, in the environment; the count falls where they are a member now. Others stay."""
    here, there = environments
    cohorts = SqlCohorts(database)
    for environment, key, group_type in (
        (here, "a", "user"),
        (here, "b", "user"),
        (here, "c", "org"),
        (there, "a", "user"),
    ):
        await cohorts.create(environment, key, group_type, "", BY)
        await cohorts.change(environment, key, ["ann", "bob"], (), BY)
    await cohorts.change(here, "b", (), ["ann"], BY)
    was = (await cohorts.get(here, "a")).updated_at

    begun = await erasures.begin(here, "user", "ann", BY)

    assert begun.cohorts == (("a", "ann"),)
    assert [(cohort.key, cohort.member_count) for cohort in await cohorts.page(here, after="", limit=10)] == [
        ("a", 1),
        ("b", 1),
        ("c", 2),
    ]
    assert (await cohorts.get(here, "a")).updated_at > was
    assert await cohorts.containing(here, "user", "ann", was) == frozenset()
    assert await cohorts.containing(here, "user", "bob") == {"a", "b"}
    assert await cohorts.containing(here, "org", "ann") == {"c"}
    assert await cohorts.containing(there, "user", "ann") == {"a"}


async def test_the_audit_log_names_the_erasure_and_not_the_key(erasures, database, environments):
    """Who asked and when is kept for good, and the key is not."""
    person = (await erasures.begin(environments[0], "user", "ann@example.com", BY)).erasures[-1]
    group = (await erasures.begin(environments[0], "company", "ann & sons", BY)).erasures[-1]

    entries = await SqlAccess(database).audit_entries(environments[0], None, 2)

    assert [(entry.action, entry.subject, entry.detail) for entry in entries] == [
        ("group.delete", group.erasure_id, "company"),
        ("person.delete", person.erasure_id, "user"),
    ]


async def test_the_mirror_is_told_in_the_order_of_changes(erasures, profiles, environments):
    """The old profile is not in it any more, the erased one has nothing, a new one under the key comes after."""
    here = environments[0]
    await profiles.change(here, "user", "ann", CHANGE, AT)
    await profiles.change(here, "user", "bob", CHANGE, AT)
    erasure = (await erasures.begin(here, "user", "ann", BY)).erasures[-1]
    await profiles.change(here, "user", "ann", PropertyChange(set={"new": True}), AT)

    rows = await profiles.changed_since(0, 10)

    assert [(row.key, row.properties) for row in rows] == [
        ("bob", {"plan": "pro"}),
        ("ann", {}),
        ("ann", {"new": True}),
    ]
    assert rows[1].revision == erasure.revision
    assert await profiles.changed_since(0, 2) == rows[:2]


async def test_it_goes_from_waiting_by_erasing_to_done_and_forgets_the_key(erasures, profiles, environments):
    """Each step is taken once; what remains is a digest."""
    first = (await erasures.begin(environments[0], "user", "ann", BY)).erasures[-1]
    second = (await erasures.begin(environments[1], "user", "bob", BY)).erasures[-1]
    assert await erasures.unfinished() == [first, second]

    await erasures.arrived({first.erasure_id: Arrived(3, AT)})
    await erasures.arrived({first.erasure_id: Arrived(0, None)})
    await erasures.finish([first.erasure_id, second.erasure_id], AT + timedelta(hours=1))

    done = await erasures.get(environments[0], first.erasure_id)
    assert (done.state, done.key, done.key_sha256) == (ErasureState.DONE, "", key_digest("ann"))
    assert (done.events, done.received_until, done.done_at) == (3, AT, AT + timedelta(hours=1))
    assert await erasures.unfinished() == [second]
    assert [row.key for row in await profiles.changed_since(0, 10)] == ["bob"]


async def test_pages_are_newest_first_and_of_one_environment(erasures, environments):
    """And another environment's erasure is not found."""
    here = [(await erasures.begin(environments[0], "user", f"u{number}", BY)).erasures[-1] for number in range(3)]
    there = (await erasures.begin(environments[1], "user", "u0", BY)).erasures[-1]

    page = await erasures.page(environments[0], before=None, limit=2)

    assert page == here[:0:-1]
    assert await erasures.page(environments[0], before=page[-1].revision, limit=2) == here[:1]
    with pytest.raises(NotFound):
        await erasures.get(environments[0], there.erasure_id)
