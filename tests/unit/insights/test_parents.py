"""Questions about groups above those that events name, against the same questions about events that name them all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burgee.evaluation import Condition, Context, Operator, Properties, completed, links_of, parent_groups
from burgee_server.insights.asked import Asked, Terms
from burgee_server.insights.features import Feature, FeaturesQuery, plan_features
from burgee_server.insights.funnel import FunnelQuery, Step
from burgee_server.insights.retention import RetentionQuery, plan_retention
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.timerange import span
from burgee_server.insights.trend import Measure, Series, TrendQuery
from burgee_server.insights.words import AsOf, Breakdown, Interval, TimeRange
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, NOW, FixedClock, plan_funnel, plan_trend

PARENT_TYPES = {"team": "company", "work`space": "company", "company": "holding"}
LINKS = links_of(PARENT_TYPES)
HIERARCHY = Vocabulary(parent_types=PARENT_TYPES)
TYPES = frozenset({*PARENT_TYPES, "holding"})
KEYS = {"team": ("t1", "t2"), "work`space": ("w1", "t1"), "company": ("acme", "it's `x`"), "holding": ("h1",)}
MOMENTS = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (1, 2, 2, 5)]

SERIES = (
    Series(measure=Measure.UNIQUE_GROUPS, group_type="company"),
    Series(measure=Measure.UNIQUE_GROUPS, group_type="holding"),
    Series(per="company"),
    Series(filter=Condition("company.key", Operator.EQUALS, ("acme",))),
    Series(filter=Condition("holding.key", Operator.IS_NOT_SET)),
    Series(filter=Condition("company.plan", Operator.NOT_EQUALS, ("pro",))),
    Series(filter=Condition("holding.plan", Operator.EQUALS, ("pro",))),
)
STEPS = (Step("a"), Step("b"))
QUESTIONS = (
    (plan_trend, TrendQuery(SERIES, MARCH)),
    (plan_trend, TrendQuery((Series(),), MARCH, breakdown=Breakdown(("holding.plan", "company.key", "team.key")))),
    (plan_funnel, FunnelQuery(STEPS, MARCH, count_by="company", breakdown=Breakdown(("holding.key",)))),
    (plan_retention, RetentionQuery(range=MARCH, interval=Interval.DAY, periods=3, count_by="holding")),
    (plan_features, FeaturesQuery((Feature(Step("a")), Feature(Step("b"))), MARCH, group_type="company")),
)

Key: TypeAlias = tuple[str, str]
Change: TypeAlias = tuple[Key, datetime, Properties]

_groups = st.fixed_dictionaries({}, optional={each: st.sampled_from(keys) for each, keys in KEYS.items()})
_facts = st.lists(
    st.builds(
        Fact,
        event=st.sampled_from("ab"),
        distinct_id=st.sampled_from(["ann", "bob"]),
        timestamp=st.sampled_from(MOMENTS),
        groups=_groups,
    ),
    max_size=20,
)
_profile = st.fixed_dictionaries(
    {},
    optional={
        "company": st.sampled_from(["acme", "it's `x`", "", 5, None, ["acme"]]),
        "holding": st.sampled_from(["h1", "h2"]),
        "plan": st.sampled_from(["pro", "free"]),
    },
)
_identity = st.sampled_from([(group_type, key) for group_type, keys in KEYS.items() for key in keys])
_changes = st.lists(st.tuples(_identity, st.sampled_from([*MOMENTS, datetime(2026, 2, 1, tzinfo=UTC)]), _profile))


def whole(fact: Fact, profiles: Mapping[Key, Properties]) -> Fact:
    """The event as it would be if whoever captured it had named every group: by the core, which flags go by."""
    context = Context("", fact.groups)
    return replace(fact, groups=completed(context, parent_groups(context, LINKS, profiles)).groups)


def then(changes: Sequence[Change]) -> Callable[[Fact], Mapping[Key, Properties]]:
    """What groups were at an event; later in the list is later in truth, also of two at one moment."""
    ordered = sorted(changes, key=lambda change: change[1])

    return lambda fact: {identity: properties for identity, at, properties in ordered if at <= fact.timestamp}


async def answers(here: Environment, vocabulary: Vocabulary | None, as_of: AsOf) -> list[str]:
    """What is answered to each question, but for what it cost; as text, as no NaN is like another."""
    asked = insights(here.warehouse, FixedClock(), vocabulary)
    found = []
    for plan, query in QUESTIONS:
        given_ = await asked.ask(plan, query, Terms(here.environment_id, TYPES, properties_as_of=as_of))
        found.append(repr(replace(given_.answer, info=None)))
    return found


_BOTH_WAYS = Fact(event="a", timestamp=MOMENTS[0], groups={"team": "t1", "work`space": "w1"})
_LONG_ONES = (
    Fact(event="a", timestamp=MOMENTS[0], groups={"team": "t2"}),
    Fact(event="a", timestamp=MOMENTS[0], groups={"work`space": "t1"}),
)
_PARENTS: list[Change] = [
    (("team", "t1"), datetime(2026, 2, 1, tzinfo=UTC), {"company": "acme"}),
    (("work`space", "w1"), datetime(2026, 2, 1, tzinfo=UTC), {"company": "it's `x`"}),
    (("company", "acme"), MOMENTS[1], {"holding": "h1", "plan": "pro"}),
    (("team", "t2"), datetime(2026, 2, 1, tzinfo=UTC), {"company": "é" * 200}),
    (("work`space", "t1"), datetime(2026, 2, 1, tzinfo=UTC), {"company": "é" * 201}),  # no key is as long
]


@examples(2)
@example(made=[_BOTH_WAYS, *_LONG_ONES], changes=_PARENTS)
@given(made=_facts, changes=_changes)
async def test_a_question_counts_for_the_groups_above_those_that_events_name(
    warehouse: ClickHouseWarehouse, made: list[Fact], changes: list[Change]
) -> None:
    """Uniques, averages, filters, breakdowns, funnels, retention and features; by the parents of now, and of then."""
    here, of_now, of_then, other = (new_environment(warehouse) for _ in range(4))
    now = {identity: properties for identity, _, properties in changes}
    of_event = then(changes)
    await here.load(*made)
    await of_now.load(*(whole(fact, now) for fact in made))
    await of_then.load(*(whole(fact, of_event(fact)) for fact in made))
    rows = [
        ProfileRow(each.environment_id, *identity, properties, revision)
        for each in (here, of_now, of_then)
        for revision, (identity, properties) in enumerate(now.items(), 1)
    ]
    rows += [ProfileRow(other.environment_id, "team", key, {"company": "globex"}, 1) for key in KEYS["team"]]
    await warehouse.load_profiles(rows)
    versions = [
        ProfileVersion(each.environment_id, *identity, at, properties, revision)
        for each in (here, of_now, of_then)
        for revision, (identity, at, properties) in enumerate(changes, 1)
    ]
    if versions:
        await warehouse.load_profile_versions(versions)

    assert await answers(here, HIERARCHY, AsOf.NOW) == await answers(of_now, None, AsOf.NOW)
    assert await answers(here, HIERARCHY, AsOf.EVENT) == await answers(of_then, None, AsOf.EVENT)


def test_what_is_asked_is_the_same_as_ever_of_types_that_nothing_belongs_to() -> None:
    """To the letter: nobody pays for parents who has none, and a question by team pays for none above it."""
    asked = Asked(Terms(1, TYPES), span(MARCH, "UTC", NOW, None), NOW)

    def sql(parent_types: Mapping[str, str], group_type: str) -> str:
        scope = Scope(replace(asked, vocabulary=Vocabulary(parent_types=parent_types)))
        return scope.statement(scope.events([f"{scope.event_key(group_type).text} AS key"], [])).sql

    assert sql(PARENT_TYPES, "team") == sql({}, "team")
    assert sql(PARENT_TYPES, "company") != sql({}, "company")


@pytest.mark.parametrize(("as_of", "lookup", "times"), [(AsOf.NOW, "groups FINAL", 2), (AsOf.EVENT, "ASOF", 1)])
@pytest.mark.parametrize("breakdown", [Breakdown(("team.key",)), None])
def test_parents_are_looked_up_once_a_question(
    as_of: AsOf, lookup: str, times: int, breakdown: Breakdown | None
) -> None:
    """In one pass for their two lists, or one join: not for each column, nor for days apart from others."""
    range_ = TimeRange("2026-03-01T00:05:00Z", "2026-03-31")
    by_company = Series(filter=Condition("company.key", Operator.EQUALS, ("acme",)))
    query = TrendQuery((by_company,), range_, breakdown=breakdown)
    known = Asked(Terms(1, TYPES, properties_as_of=as_of), span(range_, "UTC", NOW, None), NOW)
    asked = replace(known, group_columns={"team"}, vocabulary=Vocabulary(parent_types={"team": "company"}))
    [statement] = plan_trend(query, asked).statements
    assert statement.sql.count(lookup) == times
