"""What every store of cohorts promises."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from burgee.evaluation import AllOf, Condition, Operator
from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.criteria import (
    Between,
    Comparison,
    Computed,
    Events,
    Every,
    FirstPerformed,
    Having,
    InCohort,
    InOrder,
    Performed,
    Some,
    Stopped,
    Unless,
)
from burgee_server.ports.warehouse import to_micros
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.cohorts import SqlCohorts

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BY = Authorship("ann", AT, "because")
INSTANT = timedelta(microseconds=1)


def by(days):
    """The same author, so many days later."""
    return replace(BY, at=AT + timedelta(days=days))


@pytest.fixture
def cohorts(database):
    """The store under test."""
    return SqlCohorts(database)


@pytest.fixture
async def beta(cohorts, environments):
    """The environment of a cohort "beta" of companies."""
    await cohorts.create(environments[0], "beta", "company", "who tries it first", BY)
    return environments[0]


async def members(cohorts, environment, key="beta"):
    """The keys of all members."""
    return [member.key for member in await cohorts.members(environment, key, after="", limit=1_000)]


async def test_a_cohort_comes_back_as_it_was_kept(cohorts, beta):
    """Without members, at version 1."""
    cohort = await cohorts.get(beta, "beta")

    assert (cohort.key, cohort.group_type, cohort.description) == ("beta", "company", "who tries it first")
    assert (cohort.member_count, cohort.version, cohort.created_at, cohort.updated_at) == (0, 1, AT, AT)
    assert await members(cohorts, beta) == []


async def test_a_key_is_taken_once_an_environment_and_free_again_after_the_end(cohorts, environments):
    """Production and staging each have their own cohorts; a new one of the same name begins empty."""
    await cohorts.create(environments[0], "beta", "company", "", BY)
    await cohorts.create(environments[1], "beta", "user", "", BY)
    with pytest.raises(AlreadyExists, match="'beta'"):
        await cohorts.create(environments[0], "beta", "company", "", BY)
    await cohorts.change(environments[0], "beta", ["acme"], [], BY)

    await cohorts.delete(environments[0], "beta", by(1))
    with pytest.raises(NotFound, match="'beta'"):
        await cohorts.get(environments[0], "beta")
    again = await cohorts.create(environments[0], "beta", "user", "", by(2))

    assert (again.version, again.member_count) == (1, 0)
    assert await members(cohorts, environments[0]) == []
    assert await cohorts.types(environments[0]) == await cohorts.types(environments[1]) == {"beta": "user"}


async def test_members_are_put_in_and_taken_out(cohorts, beta):
    """Each once; whoever is in it already, or is not in it, is left alone and not told."""
    first = await cohorts.change(beta, "beta", ["acme", "globex", "acme"], ["initech"], by(1))
    second = await cohorts.change(beta, "beta", ["acme", "umbrella"], ["globex"], by(2))
    third = await cohorts.change(beta, "beta", ["acme"], ["globex"], by(3))

    assert [(each.added, each.removed, each.cohort.member_count) for each in (first, second, third)] == [
        (("acme", "globex"), (), 2),
        (("umbrella",), ("globex",), 2),
        ((), (), 2),
    ]
    assert third.cohort == await cohorts.get(beta, "beta")
    assert (third.cohort.updated_at, third.cohort.version) == (AT + timedelta(days=2), 1)
    found = await cohorts.members(beta, "beta", after="", limit=10)
    assert [(each.key, each.added_at) for each in found] == [
        ("acme", AT + timedelta(days=1)),
        ("umbrella", AT + timedelta(days=2)),
    ]


async def test_members_come_in_pages_in_byte_order(cohorts, beta):
    """Upper case before lower case, as everywhere; those who left are not among them."""
    await cohorts.change(beta, "beta", ["b", "a", "B", "é", "z"], [], BY)
    await cohorts.change(beta, "beta", [], ["b"], BY)

    async def page(after):
        return [each.key for each in await cohorts.members(beta, "beta", after=after, limit=2)]

    assert [await page(after) for after in ("", "a", "é")] == [["B", "a"], ["z", "é"], []]


async def test_cohorts_come_in_pages_in_byte_order(cohorts, environments):
    """Those of the environment only, without those that are gone."""
    for key in ("b", "a", "B", "c"):
        await cohorts.create(environments[0], key, "user", "", BY)
    await cohorts.create(environments[1], "other", "user", "", BY)
    await cohorts.delete(environments[0], "a", BY)

    async def page(after):
        return [each.key for each in await cohorts.page(environments[0], after=after, limit=2)]

    assert [await page(after) for after in ("", "b", "c")] == [["B", "b"], ["c"], []]


async def test_it_is_known_which_of_some_keys_are_members(cohorts, environments, beta):
    """Of several cohorts at once, of more keys than a statement takes; one that does not exist has none."""
    many = [f"company-{number}" for number in range(12_000)]
    await cohorts.create(beta, "gold", "company", "", BY)
    await cohorts.create(environments[1], "beta", "company", "", BY)
    await cohorts.change(beta, "beta", many[::2], [], BY)
    await cohorts.change(beta, "gold", ["company-1"], [], BY)
    await cohorts.change(beta, "beta", [], ["company-2"], BY)

    held = await cohorts.held(beta, {"beta", "gold", "never"}, [*many, "stranger"])

    assert held == {"beta": {*many[::2]} - {"company-2"}, "gold": {"company-1"}, "never": frozenset()}
    assert (await cohorts.held(environments[1], ["beta"], many)) == {"beta": frozenset()}
    assert (await cohorts.get(beta, "beta")).member_count == 5_999


async def test_it_is_known_in_which_cohorts_somebody_is_and_was(cohorts, environments, beta):
    """From the microsecond of a change on, up to the next; of that environment and that type only."""
    await cohorts.create(beta, "people", "user", "", BY)
    await cohorts.create(environments[1], "beta", "company", "", BY)
    await cohorts.change(beta, "people", ["acme"], [], BY)
    await cohorts.change(beta, "beta", ["acme"], [], by(1))
    await cohorts.change(beta, "beta", [], ["acme"], by(2))
    await cohorts.change(beta, "beta", ["acme"], [], by(3))
    await cohorts.delete(beta, "beta", by(4))
    await cohorts.create(beta, "beta", "company", "", by(5))
    await cohorts.change(beta, "beta", ["globex"], [], by(5))

    async def at(days, instants=0, key="acme"):
        return await cohorts.containing(beta, "company", key, AT + timedelta(days=days) + instants * INSTANT)

    there, gone = frozenset({"beta"}), frozenset()
    assert [await at(1, -1), await at(1), await at(2, -1)] == [gone, there, there]
    assert [await at(2), await at(3, -1), await at(3)] == [gone, gone, there]
    assert [await at(4, -1), await at(4), await at(6)] == [there, gone, gone]
    assert [await at(5, -1, "globex"), await at(6, 0, "globex")] == [gone, there]
    assert await cohorts.containing(beta, "company", "acme") == gone
    assert await cohorts.containing(beta, "company", "globex") == there
    assert await cohorts.containing(beta, "user", "acme") == {"people"}
    assert await cohorts.containing(environments[1], "company", "acme") == gone


async def test_changes_of_one_moment_follow_one_another(cohorts, beta):
    """A clock that stands still, or goes back, does not let a member be in and out at once."""
    for add, remove in ((["acme"], []), ([], ["acme"]), (["acme"], [])):
        change = await cohorts.change(beta, "beta", add, remove, by(-1))

    moments = [AT + number * INSTANT for number in range(5)]
    was = [bool(await cohorts.containing(beta, "company", "acme", moment)) for moment in moments]
    assert was == [False, True, False, True, True]
    assert change.cohort.updated_at == AT + 3 * INSTANT


async def test_changes_that_come_at_once_are_all_made(cohorts, beta):
    """Ten callers put the same and other members in: each is a member once, and all are counted."""
    changes = await asyncio.gather(
        *(cohorts.change(beta, "beta", ["shared", f"own-{number}"], [], BY) for number in range(10))
    )

    assert sorted(len(change.added) for change in changes) == [1] * 9 + [2]
    assert (await cohorts.get(beta, "beta")).member_count == len(await members(cohorts, beta)) == 11


async def test_a_description_changes_by_version(cohorts, beta):
    """Of two changes made from one version, one is refused; what is the same already is no change."""
    outcomes = await asyncio.gather(
        *(cohorts.describe(beta, "beta", f"number {number}", 1, BY) for number in range(5)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 4

    same = await cohorts.get(beta, "beta")
    assert await cohorts.describe(beta, "beta", same.description, 0, by(1)) == same
    assert (await cohorts.describe(beta, "beta", "", 0, by(1))).version == 3


async def test_what_is_not_there_is_named(cohorts, environments):
    """NotFound says which cohort."""
    environment = environments[0]
    for call in (
        cohorts.get(environment, "beta"),
        cohorts.describe(environment, "beta", "", 0, BY),
        cohorts.delete(environment, "beta", BY),
        cohorts.change(environment, "beta", ["acme"], [], BY),
        cohorts.members(environment, "beta", after="", limit=1),
    ):
        with pytest.raises(NotFound, match="'beta'"):
            await call


async def test_every_change_leaves_an_audit_entry(database, cohorts, beta):
    """With who came and went; what changes nothing leaves none."""
    await cohorts.change(beta, "beta", ["acme", *(f"c-{number}" for number in range(12))], [], BY)
    await cohorts.change(beta, "beta", ["globex"], ["acme", "nobody"], replace(BY, note=""))
    await cohorts.change(beta, "beta", ["globex"], [], BY)
    await cohorts.describe(beta, "beta", "new", 1, replace(BY, note=""))
    await cohorts.delete(beta, "beta", replace(BY, note=""))

    entries = await SqlAccess(database).audit_entries(beta, None, 5)

    assert {entry.subject for entry in entries} == {"beta"}
    listed = ", ".join(["acme", *(f"c-{number}" for number in range(9))])
    assert [(entry.action, entry.detail) for entry in entries] == [
        ("cohort.delete", "13 members"),
        ("cohort.update", "description: who tries it first → new"),
        ("cohort.members", "added globex; removed acme"),
        ("cohort.members", f"because (added {listed} and 3 more)"),
        ("cohort.create", "because (of company)"),
    ]


EVERYBODY = Every(
    (
        Having(AllOf((Condition("company.plan", Operator.IN, ("pro", 5, True)),))),
        Performed(Events("a", "", Condition("event.x", Operator.IS_SET)), Comparison.EXACTLY, 0, Between("-7d", "now")),
        FirstPerformed(Events(action="activated")),
        Unless(Some((Stopped(Events("b")), InCohort("gold")))),
        InOrder((Events("a"), Events("b")), timedelta(days=3, microseconds=1), Between("2026-03-01")),
    )
)


async def test_a_computed_cohort_comes_back_as_it_was_kept(cohorts, environments):
    """With every kind of criterion; another is a new version, which is not computed yet; the same again is none."""
    computed = Computed(EVERYBODY, "Europe/Berlin")
    kept = await cohorts.create(environments[0], "active", "company", "", BY, computed)
    await cohorts.create(environments[0], "beta", "company", "", BY)
    settled = await cohorts.settle(environments[0], "active", 1, ["acme"], [], AT, computed_at=AT)
    same = await cohorts.describe(environments[0], "active", "", 0, BY, computed)

    assert await cohorts.get(environments[0], "active") == same == settled.cohort
    assert (kept.computed, kept.computed_at, same.computed_at, same.version) == (computed, None, AT, 1)
    assert [(environment, each.key) for environment, each in await cohorts.computed()] == [(environments[0], "active")]
    changed = await cohorts.describe(environments[0], "active", "", 0, BY, Computed(InCohort("beta")))
    assert (changed.version, changed.computed_at, changed.member_count) == (2, None, 1)
    await cohorts.delete(environments[0], "active", BY)
    assert list(await cohorts.computed()) == []


async def test_what_was_computed_becomes_spans_of_time(database, cohorts, environments):
    """As changes of a list do, but for the audit log; what belongs to another version is not taken."""
    environment = environments[0]
    await cohorts.create(environment, "active", "company", "", BY, Computed(InCohort("beta")))
    first = await cohorts.settle(environment, "active", 1, ["acme", "globex"], [], AT, computed_at=None)
    second = await cohorts.settle(environment, "active", 1, ["acme"], ["globex"], AT, computed_at=AT)

    assert (first.added, first.cohort.computed_at) == (("acme", "globex"), None)
    assert (second.added, second.removed, second.cohort.computed_at) == ((), ("globex",), AT)
    assert second.cohort.updated_at == AT + 2 * INSTANT
    assert await cohorts.containing(environment, "company", "globex", AT + INSTANT) == {"active"}
    assert await cohorts.containing(environment, "company", "globex") == frozenset()
    assert len(await SqlAccess(database).audit_entries(environment, None, 9)) == 2
    with pytest.raises(Stale):
        await cohorts.settle(environment, "active", 2, ["initech"], [], AT, computed_at=AT)
    with pytest.raises(NotFound):
        await cohorts.settle(environment, "gone", 1, [], [], AT, computed_at=AT)


async def test_members_are_copied_from_a_moment_on(cohorts, beta):
    """Those who came and those who went, in order; the moment itself is in it."""
    copied = []

    async def copy(rows):
        copied.extend((row.key, row.removed, row.revision) for row in rows)

    await cohorts.change(beta, "beta", ["acme", "globex"], [], by(1))
    await cohorts.change(beta, "beta", ["initech"], ["globex"], by(2))
    first, second = to_micros(by(1).at), to_micros(by(2).at)

    assert await cohorts.copy(beta, "beta", 0, copy) == second
    assert copied[0] == ("acme", False, first)
    assert set(copied[1:]) == {("globex", True, second), ("initech", False, second)}
    copied.clear()
    assert await cohorts.copy(beta, "beta", first + 1, copy) == second
    assert set(copied) == {("globex", True, second), ("initech", False, second)}
    with pytest.raises(NotFound):
        await cohorts.copy(beta, "gone", 0, copy)
