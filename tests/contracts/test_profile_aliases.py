"""What every store of profiles promises about persons with several ids."""

from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.errors import Invalid
from burgee_server.ports.access import Authorship
from burgee_server.ports.profiles import Profile, PropertyChange
from burgee_server.storage.sql import profiles as sql_profiles
from burgee_server.storage.sql.erasures import SqlErasures
from burgee_server.storage.sql.profiles import SqlProfiles
from burgee_server.storage.sql.vocabulary import SqlVocabularies

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = AT + timedelta(days=1)
BY = Authorship("tests", AT)


@pytest.fixture
def profiles(database):
    """The store under test."""
    return SqlProfiles(database)


async def put(profiles, environment_id, key, at=AT, **properties):
    """Set properties of a person."""
    return await profiles.change(environment_id, "user", key, PropertyChange(set=properties), at)


async def test_two_persons_become_one_and_each_id_finds_it(profiles, environments):
    """Of two values the own one stays, what is missing comes along, and a change by any id is one of all."""
    here, there = environments
    await put(profiles, here, "ann", plan="pro")
    await put(profiles, here, "anon", plan="free", from_="ad")
    await put(profiles, there, "anon", plan="theirs")

    merged = await profiles.merge(here, "ann", "anon", LATER)

    assert merged == Profile("user", "ann", {"plan": "pro", "from_": "ad"}, ("anon",))
    changed = await put(profiles, here, "anon", seats=3)
    assert changed == Profile("user", "ann", {"plan": "pro", "from_": "ad", "seats": 3}, ("anon",))
    assert await profiles.get(here, "user", "ann") == await profiles.get(here, "user", "anon") == changed
    assert await profiles.page(here, "user", after="", limit=10) == [changed]
    assert await profiles.get(there, "user", "anon") == Profile("user", "anon", {"plan": "theirs"})


async def test_it_is_safe_to_say_it_again_and_the_other_way_round(profiles, environments):
    """Nothing changes, and nobody goes round in circles; an id is no alias of itself."""
    here = environments[0]
    merged = await profiles.merge(here, "ann", "anon", AT)
    revision = (await profiles.changed_since(0, 10))[-1].revision

    assert await profiles.merge(here, "ann", "anon", LATER) == merged
    assert await profiles.merge(here, "anon", "ann", LATER) == merged
    assert await profiles.merge(here, "ann", "ann", LATER) == merged
    assert await profiles.merge(here, "eve", "eve", LATER) == Profile("user", "eve", {})
    assert await profiles.changed_since(revision, 10) == []


async def test_a_person_brings_all_ids_along(profiles, environments):
    """However long the chain, every id leads to the one that stands for all."""
    here = environments[0]
    await profiles.merge(here, "b", "a", AT)
    await profiles.merge(here, "d", "c", AT)
    await profiles.merge(here, "c", "a", AT)  # two persons, each by another of their ids
    merged = await profiles.merge(here, "e", "d", AT)

    assert merged.aliases == ("a", "b", "c", "d")
    for each in "abcde":
        assert await profiles.get(here, "user", each) == merged
    assert await profiles.aliases(here, ["b", "x"]) == dict.fromkeys("abcd", "e")
    assert [each.key for each in await profiles.page(here, "user", after="", limit=10)] == ["e"]


async def test_what_each_was_before_can_still_be_read(profiles, environments):
    """From the microsecond on in which they became one they have one past."""
    here = environments[0]
    await put(profiles, here, "ann", plan="pro")
    await put(profiles, here, "anon", plan="free")
    await profiles.merge(here, "ann", "anon", LATER)

    async def plan(key, moment):
        return (await profiles.at(here, "user", key, moment)).properties["plan"]

    assert await plan("anon", LATER - timedelta(microseconds=1)) == "free"
    assert await plan("anon", LATER) == await plan("ann", LATER) == "pro"


async def test_the_warehouse_hears_whose_an_id_is(profiles, environments):
    """Each id in a row of its own, without properties; whoever stands for them with all of them."""
    here = environments[0]
    await put(profiles, here, "anon", plan="free")
    await profiles.merge(here, "u", "phone", AT)
    await profiles.merge(here, "u", "anon", AT)

    rows = await profiles.changed_since(0, 10)

    assert [(row.key, row.properties, row.person) for row in rows] == [
        ("phone", {}, "u"),
        ("u", {"plan": "free"}, ""),
        ("anon", {}, "u"),
    ]
    assert [row.key for row in await profiles.changed_since(rows[0].revision, 1)] == ["u"]


async def test_an_id_that_too_many_have_in_common_is_refused(profiles, environments, monkeypatch):
    """As is a profile that would be too large; and then nothing has changed."""
    here = environments[0]
    monkeypatch.setattr(sql_profiles, "MAX_ALIASES", 2)
    await profiles.merge(here, "a", "b", AT)
    await profiles.merge(here, "c", "d", AT)
    with pytest.raises(Invalid, match="alias"):
        await profiles.merge(here, "a", "c", AT)
    assert (await profiles.get(here, "user", "d")).key == "c"


async def test_whoever_is_erased_is_so_under_every_id(profiles, database, environments):
    """An erasure each, that of the id that was named last; what comes later is nobody's alias."""
    here = environments[0]
    await profiles.merge(here, "ann", "anon", AT)
    await profiles.merge(here, "ann", "phone", AT)
    assert (await SqlVocabularies(database).of(here)).has_aliases

    begun = await SqlErasures(database).begin(here, "user", "phone", BY)

    assert [each.key for each in begun.erasures] == ["ann", "anon", "phone"]
    assert [(row.key, row.person) for row in await profiles.changed_since(0, 10)] == [
        (each.key, each.key) for each in begun.erasures
    ]
    assert not (await SqlVocabularies(database).of(here)).has_aliases
    await put(profiles, here, "anon", plan="new")
    assert await profiles.get(here, "user", "ann") is None
    assert await profiles.at(here, "user", "phone", LATER) is None
