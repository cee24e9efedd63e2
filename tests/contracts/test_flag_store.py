"""What every store of flags promises."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from burgee.evaluation import (
    Condition,
    Distribution,
    Flag,
    FlagType,
    Operator,
    Prerequisite,
    RampStep,
    Rule,
    Variant,
    VariantWeight,
)
from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.flags import SqlFlags

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BY = Authorship("ann", AT, "because")

EVERYTHING = Flag(
    key="checkout",
    type=FlagType.JSON,
    variants=(Variant("a", {"x": [1, 2.5, None, "é"]}), Variant("b", [])),
    off_variant="b",
    enabled=True,
    rules=(
        Rule(
            "r1",
            Distribution((VariantWeight("a", 3), VariantWeight("b", 1)), "company", 33_333, salt="s"),
            (Condition("company.plan", Operator.IN, ("pro", 1, True)),),
            "the pros",
        ),
    ),
    fallthrough=Distribution((VariantWeight("b", 1),), ramp=(RampStep(AT, 10),)),
    salt="pepper",
    prerequisites=(Prerequisite("other", ("on",)),),
    description="a flag",
    owner="ann",
    tags=("x", "y"),
)


@pytest.fixture
def flags(database):
    """The store under test."""
    return SqlFlags(database)


async def test_a_flag_comes_back_as_it_was_kept(flags, environments):
    """Every field of a flag survives the store."""
    await flags.create(environments[0], EVERYTHING, BY)

    found = await flags.get(environments[0], "checkout")

    assert found.flag == replace(EVERYTHING, version=1)
    assert (found.created_at, found.changed_at, found.changed_by, found.change_note) == (AT, AT, "ann", "because")


async def test_a_key_is_taken_once_an_environment(flags, environments):
    """Production and staging each have their own flags."""
    await flags.create(environments[0], EVERYTHING, BY)
    await flags.create(environments[1], EVERYTHING, BY)

    with pytest.raises(AlreadyExists, match="'checkout'"):
        await flags.create(environments[0], EVERYTHING, BY)


async def test_a_change_is_a_new_version_and_old_versions_stay(flags, environments):
    """Nothing is overwritten."""
    await flags.create(environments[0], EVERYTHING, BY)
    later = Authorship("bob", AT.replace(month=4), "off again")
    await flags.save(environments[0], replace(EVERYTHING, enabled=False), 1, "flag.update", "enabled", later)

    versions = await flags.versions(environments[0], "checkout", before=None, limit=10)

    assert [(v.flag.version, v.flag.enabled, v.changed_by) for v in versions] == [(2, False, "bob"), (1, True, "ann")]
    assert (await flags.get(environments[0], "checkout")).created_at == AT
    assert await flags.versions(environments[0], "checkout", before=2, limit=10) == versions[1:]


async def test_of_two_changes_made_from_one_version_one_is_refused(flags, environments):
    """Nobody overwrites what they have not seen, also when both come at once."""
    await flags.create(environments[0], EVERYTHING, BY)

    outcomes = await asyncio.gather(
        *(flags.save(environments[0], EVERYTHING, 1, "flag.update", "", BY) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 4
    assert (await flags.get(environments[0], "checkout")).flag.version == 2


async def test_pages_are_in_order_of_keys_and_leave_archived_flags_out_unless_asked(flags, environments):
    """Paging by key, byte by byte: upper case before lower case, as in the warehouse."""
    for key in ("b", "a", "B", "c"):
        await flags.create(environments[0], replace(EVERYTHING, key=key, archived=key == "c"), BY)

    async def page(after, *, include_archived):
        found = await flags.page(environments[0], after=after, limit=2, include_archived=include_archived)
        return [version.flag.key for version in found]

    assert await page("", include_archived=False) == ["B", "a"]
    assert await page("a", include_archived=False) == ["b"]
    assert await page("a", include_archived=True) == ["b", "c"]
    assert {flag.key for flag in await flags.all(environments[0])} == {"a", "b", "c", "B"}


async def test_what_is_not_there_is_named(flags, environments):
    """NotFound says which flag."""
    with pytest.raises(NotFound, match="'checkout'"):
        await flags.get(environments[0], "checkout")
    with pytest.raises(NotFound, match="'checkout'"):
        await flags.save(environments[0], EVERYTHING, 1, "flag.update", "", BY)
    with pytest.raises(NotFound, match="'checkout'"):
        await flags.versions(environments[0], "checkout", before=None, limit=10)


async def test_every_change_leaves_an_audit_entry(database, flags, environments):
    """The audit log knows who changed which flag."""
    await flags.create(environments[0], EVERYTHING, BY)
    await flags.save(environments[0], EVERYTHING, 1, "flag.archive", "archived: false → true", BY)
    await flags.save(environments[0], EVERYTHING, 2, "flag.update", "what", replace(BY, note=""))

    entries = await SqlAccess(database).audit_entries(environments[0], None, 3)

    assert [(entry.action, entry.subject, entry.actor, entry.detail) for entry in entries] == [
        ("flag.update", "checkout", "ann", "what"),
        ("flag.archive", "checkout", "ann", "because (archived: false → true)"),
        ("flag.create", "checkout", "ann", "because"),
    ]


async def test_one_version_can_be_read_again(flags, environments):
    """As it was kept; NotFound for a version that never was, or of another environment."""
    await flags.create(environments[0], EVERYTHING, BY)
    await flags.save(environments[0], replace(EVERYTHING, enabled=False), 1, "flag.update", "", BY)

    assert (await flags.version(environments[0], "checkout", 1)).flag == replace(EVERYTHING, version=1)
    for environment, version in ((environments[0], 3), (environments[1], 1)):
        with pytest.raises(NotFound, match="'checkout'"):
            await flags.version(environment, "checkout", version)


async def test_flags_can_be_read_as_they_were_at_any_moment(flags, environments):
    """From the microsecond of a change on, up to the next; those that were not there yet are left out."""
    await flags.create(environments[0], EVERYTHING, BY)
    later = replace(BY, at=AT + timedelta(days=1))
    await flags.save(environments[0], replace(EVERYTHING, enabled=False), 1, "flag.update", "", later)
    await flags.create(environments[0], replace(EVERYTHING, key="other"), later)
    await flags.create(environments[1], EVERYTHING, later)

    async def at(moment, *keys):
        found = await flags.at(environments[0], frozenset(keys or ("checkout", "other", "never")), moment)
        return sorted((flag.key, flag.version) for flag in found)

    instant = timedelta(microseconds=1)
    assert await at(AT - instant) == []
    assert await at(AT) == await at(later.at - instant) == [("checkout", 1)]
    assert await at(later.at) == [("checkout", 2), ("other", 1)]
    assert await at(later.at, "other") == [("other", 1)]
