"""What every store of actions promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from burgee.evaluation import AllOf, AnyOf, Condition, Not, Operator
from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.actions import Matcher
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.actions import SqlActions
from burgee_server.storage.sql.vocabulary import SqlVocabularies

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BY = Authorship("ann", AT, "because")
LATER = replace(BY, at=AT + timedelta(days=1))
RICH = (
    Matcher("report_created"),
    Matcher(
        "",
        AllOf(
            (
                Condition("event.rows", Operator.GT, (100,)),
                Not(AnyOf((Condition("company.plan", Operator.IN, ("free", True, 2.5)),))),
                Condition("user.email", Operator.IS_SET),
            )
        ),
    ),
)


@pytest.fixture
def actions(database):
    """The store under test."""
    return SqlActions(database)


async def test_an_action_comes_back_as_it_was_kept(actions, environments):
    """With every kind of filter, also in the vocabulary of its environment and of no other."""
    kept = await actions.create(environments[0], "activated", "aha", RICH, BY)

    assert await actions.get(environments[0], "activated") == kept
    assert (kept.matchers, kept.description, kept.version, kept.created_at) == (RICH, "aha", 1, AT)
    vocabularies = SqlVocabularies(actions._database)
    assert (await vocabularies.of(environments[0])).actions == {"activated": kept}
    assert (await vocabularies.of(environments[1])).actions == {}


async def test_a_key_is_taken_once_an_environment_and_free_again_after_the_end(actions, environments):
    """Another environment has keys of its own."""
    for environment in environments:
        await actions.create(environment, "activated", "", RICH, BY)
    with pytest.raises(AlreadyExists):
        await actions.create(environments[0], "activated", "", RICH, BY)
    await actions.delete(environments[0], "activated", BY)
    with pytest.raises(NotFound):
        await actions.get(environments[0], "activated")
    assert (await actions.get(environments[1], "activated")).version == 1
    assert (await actions.create(environments[0], "activated", "", RICH[:1], BY)).matchers == RICH[:1]


async def test_a_change_counts_a_version_and_the_same_again_does_not(actions, environments):
    """From the version that it was made from, or from whatever is current."""
    await actions.create(environments[0], "activated", "", RICH, BY)
    changed = await actions.update(environments[0], "activated", "new", RICH[:1], 1, LATER)
    same = await actions.update(environments[0], "activated", "new", RICH[:1], 0, replace(LATER, at=AT))

    assert (changed.version, changed.description, changed.matchers) == (2, "new", RICH[:1])
    assert (changed.created_at, changed.updated_at) == (AT, LATER.at)
    assert same == changed
    with pytest.raises(Stale):
        await actions.update(environments[0], "activated", "", RICH, 1, BY)
    with pytest.raises(NotFound):
        await actions.update(environments[1], "activated", "", RICH, 0, BY)


async def test_actions_are_listed_by_key(actions, environments):
    """After a key, so many of them, and nobody else's."""
    for key in ("b", "a", "Z"):
        await actions.create(environments[0], key, "", RICH, BY)
    await actions.create(environments[1], "c", "", RICH, BY)

    assert [action.key for action in await actions.page(environments[0], after="", limit=2)] == ["Z", "a"]
    assert [action.key for action in await actions.page(environments[0], after="a", limit=2)] == ["b"]


async def test_every_change_is_on_record(actions, environments, database):
    """By whom, why, and which events; what changes nothing is not."""
    await actions.create(environments[0], "activated", "", RICH, BY)
    await actions.update(environments[0], "activated", "", RICH[:1], 0, BY)
    await actions.update(environments[0], "activated", "", RICH[:1], 0, BY)
    await actions.delete(environments[0], "activated", BY)
    with pytest.raises(NotFound):
        await actions.delete(environments[0], "activated", BY)

    entries = await SqlAccess(database).audit_entries(environments[0], None, 3)
    assert [(entry.action, entry.detail) for entry in reversed(entries)] == [
        ("action.create", "because (report_created, any event (filtered))"),
        ("action.update", "because (report_created)"),
        ("action.delete", "because"),
    ]
