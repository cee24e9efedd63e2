"""What every store of saved insights promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from burgee_server.errors import AlreadyExists, NotFound, Stale
from burgee_server.ports.access import Authorship
from burgee_server.ports.saved import InsightContents
from burgee_server.storage.sql.access import SqlAccess
from burgee_server.storage.sql.saved import SqlSavedInsights

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BY = Authorship("ann", AT, "because")
LATER = replace(BY, at=AT + timedelta(days=1))
RICH = InsightContents(
    {"trend": {"series": [{"event": "é\"'", "measure": "MEASURE_SUM", "filter": {"not": {"all": {}}}}]}},
    name="Reports ✓",
    description="a\nb",
    tags=("z", "a"),
    shown_to="company",
    actions=("active",),
    cohorts=("busy", "gold"),
)
PLAIN = InsightContents({"funnel_times": {}})


@pytest.fixture
def insights(database):
    """The store under test."""
    return SqlSavedInsights(database)


async def test_an_insight_comes_back_as_it_was_kept(insights, environments):
    """To the letter, and in the order of its tags; in its environment and in no other."""
    kept = await insights.create(environments[0], "reports", RICH, BY)

    assert await insights.get(environments[0], "reports") == kept
    assert (kept.contents, kept.version, kept.created_at, kept.updated_at) == (RICH, 1, AT, AT)
    assert list(await insights.all(environments[0])) == [kept]
    assert list(await insights.all(environments[1])) == []
    with pytest.raises(NotFound):
        await insights.get(environments[1], "reports")


async def test_a_key_is_taken_once_an_environment_and_free_again_after_the_end(insights, environments):
    """Another environment has keys of its own."""
    for environment in environments:
        await insights.create(environment, "reports", RICH, BY)
    with pytest.raises(AlreadyExists):
        await insights.create(environments[0], "reports", PLAIN, BY)
    await insights.delete(environments[0], "reports", BY)
    with pytest.raises(NotFound):
        await insights.get(environments[0], "reports")
    assert (await insights.get(environments[1], "reports")).version == 1
    assert (await insights.create(environments[0], "reports", PLAIN, BY)).contents == PLAIN


async def test_a_change_counts_a_version_and_the_same_again_does_not(insights, environments):
    """From the version that it was made from, or from whatever is current."""
    await insights.create(environments[0], "reports", RICH, BY)
    changed = await insights.update(environments[0], "reports", PLAIN, 1, LATER)
    same = await insights.update(environments[0], "reports", PLAIN, 0, BY)

    assert (changed.version, changed.contents, changed.created_at, changed.updated_at) == (2, PLAIN, AT, LATER.at)
    assert same == changed
    with pytest.raises(Stale):
        await insights.update(environments[0], "reports", RICH, 1, BY)
    with pytest.raises(NotFound):
        await insights.update(environments[1], "reports", RICH, 0, BY)


async def test_insights_are_listed_by_key(insights, environments):
    """In byte order, and nobody else's."""
    for key in ("b", "a", "Z"):
        await insights.create(environments[0], key, RICH, BY)
    await insights.create(environments[1], "c", RICH, BY)

    assert [each.key for each in await insights.all(environments[0])] == ["Z", "a", "b"]


async def test_every_change_is_on_record(insights, environments, database):
    """By whom, why, and of what kind it is; what changes nothing is not."""
    await insights.create(environments[0], "reports", RICH, BY)
    for _ in range(2):
        await insights.update(environments[0], "reports", PLAIN, 0, BY)
    await insights.delete(environments[0], "reports", BY)
    with pytest.raises(NotFound):
        await insights.delete(environments[0], "reports", BY)

    entries = await SqlAccess(database).audit_entries(environments[0], None, 3)
    assert [(entry.action, entry.detail) for entry in reversed(entries)] == [
        ("insight.create", "because (a trend, shown to company)"),
        ("insight.update", "because (a funnel times)"),
        ("insight.delete", "because"),
    ]
