"""Cohorts of groups by what they belong to: of teams, by their companies and the holdings of those."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator, Properties
from burgee_server.errors import Invalid
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.insights.words import AsOf, Breakdown
from burgee_server.ports.criteria import Between, Comparison, Events, Having, InCohort, Performed, Some, Unless
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.vocabulary import cohort, insights, with_cohorts
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, FixedClock, Terms

PARENT_TYPES = {"team": "company", "company": "holding", "squad": "company"}
TYPES = frozenset({*PARENT_TYPES, "holding"})
KEYS = {"team": ["t1", "t2", "t3", "t4"], "company": ["acme", "it's `x`", "zoo"], "holding": ["h1", "h2"]}
LISTED = ["acme", "h1", "nobody"]


def kept(*computed: Any) -> Vocabulary:
    """These cohorts, and a list of companies."""
    return with_cohorts(cohort("listed", of="company"), *computed, parent_types=PARENT_TYPES)


async def counted(environment: Environment, query: TrendQuery, vocabulary: Vocabulary) -> dict[str, float]:
    """The events of each team that a question counts."""
    asking = insights(environment.warehouse, FixedClock(), vocabulary, {"listed": LISTED})
    answered = await asking.ask(plan_trend, query, Terms(environment.environment_id, TYPES))
    return {str(row.part): row.total for row in answered.answer.rows}


async def in_cohort(environment: Environment, vocabulary: Vocabulary, key: str = "it") -> set[str]:
    """The teams with an event that are in a cohort."""
    query = TrendQuery(
        (Series(filter=Condition("team.key", Operator.IN_COHORT, (key,))),), MARCH, breakdown=Breakdown(("team.key",))
    )
    return set(await counted(environment, query, vocabulary))


_leaves = st.sampled_from(
    [
        Condition(f"{owner}.{name}", operator, values)
        for owner in ("team", "company", "holding")
        for name, operator, values in (
            ("plan", Operator.EQUALS, ("pro",)),
            ("plan", Operator.NOT_EQUALS, ("pro",)),
            ("seats", Operator.GT, (3,)),
            ("plan", Operator.IS_SET, ()),
            ("seats", Operator.IS_NOT_SET, ()),
            ("key", Operator.IN, ("acme", "h1", "t1")),
            ("key", Operator.NOT_EQUALS, ("acme",)),
            ("key", Operator.IS_NOT_SET, ()),
        )
    ]
    + [Condition("company.key", operator, ("listed",)) for operator in (Operator.IN_COHORT, Operator.NOT_IN_COHORT)]
)
_filters = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda each: AllOf(tuple(each)))
        | st.lists(inner, min_size=1, max_size=3).map(lambda each: AnyOf(tuple(each)))
        | inner.map(Not)
    ),
    max_leaves=4,
)
_profile = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["pro", "free"]),
        "seats": st.sampled_from([1, 5]),
        "company": st.sampled_from([*KEYS["company"], "", 5]),
        "holding": st.sampled_from(KEYS["holding"]),
    },
)
_profiles = st.fixed_dictionaries(
    {}, optional={(group_type, key): _profile for group_type, keys in KEYS.items() for key in keys}
)


@given(filter_=_filters, profiles=_profiles)
@examples(6)
async def test_a_cohort_of_teams_has_those_whose_events_pass_the_same_filter(
    warehouse: ClickHouseWarehouse, filter_: Filter, profiles: dict[tuple[str, str], Properties]
) -> None:
    """Which counts an event of a team for its company, and the holding of that."""
    environment = new_environment(warehouse)
    mine = environment.environment_id
    await environment.load(*(Fact("a", groups={"team": key}) for key in KEYS["team"]))
    if profiles:
        await warehouse.load_profiles([ProfileRow(mine, *identity, each, 1) for identity, each in profiles.items()])
    passing = TrendQuery((Series(filter=filter_),), MARCH, breakdown=Breakdown(("team.key",)))
    expected = set(await counted(environment, passing, kept()))
    vocabulary = kept(cohort("it", Having(filter_), of="team"))
    assert await in_cohort(environment, vocabulary) == expected


async def test_teams_are_chosen_by_their_company_and_its_holding(environment: Environment) -> None:
    """A team without a company has no plan of one, and nor has one of a company without a profile."""
    mine = environment.environment_id
    await environment.load(*(Fact("a", groups={"team": key}) for key in KEYS["team"]))
    profiles = {
        ("team", "t1"): {"company": "acme", "plan": "free"},
        ("team", "t2"): {"company": "zoo"},
        ("team", "t3"): {"company": "unknown"},
        ("company", "acme"): {"plan": "pro", "holding": "h1"},
        ("company", "zoo"): {"plan": "free"},
        ("holding", "h1"): {"country": "de"},
    }
    await environment.warehouse.load_profiles([ProfileRow(mine, *who, each, 1) for who, each in profiles.items()])

    async def teams(filter_: Filter) -> set[str]:
        return await in_cohort(environment, kept(cohort("it", Having(filter_), of="team")))

    pro = Condition("company.plan", Operator.EQUALS, ("pro",))
    assert await teams(pro) == {"t1"}
    assert await teams(Not(pro)) == {"t2", "t3", "t4"}
    assert await teams(Condition("company.plan", Operator.NOT_EQUALS, ("free",))) == {"t1", "t3", "t4"}
    assert await teams(Condition("holding.country", Operator.EQUALS, ("de",))) == {"t1"}
    assert await teams(AllOf((pro, Condition("team.plan", Operator.EQUALS, ("pro",))))) == set()
    assert await teams(Condition("company.key", Operator.IS_SET)) == {"t1", "t2", "t3"}
    assert await teams(Condition("company.key", Operator.NOT_IN_COHORT, ("listed",))) == {"t2", "t3", "t4"}
    either = Some((Unless(Having(Condition("company.key", Operator.IS_SET))), InCohort("pro")))
    vocabulary = kept(cohort("pro", Having(pro), of="team"), cohort("it", either, of="team"))
    assert await in_cohort(environment, vocabulary) == {"t1", "t4"}


@pytest.mark.parametrize(
    ("of", "attribute", "reason"),
    [
        (
            "team",
            "squad.size",
            "team.<property> or team.key, or the same of company or holding: it is a cohort of team",
        ),
        (
            "company",
            "team.size",
            "company.<property> or company.key, or the same of holding: it is a cohort of company",
        ),
        ("holding", "company.plan", "must be holding.<property> or holding.key: it is a cohort of holding"),
        ("user", "company.plan", "must be user.<property> or user.key: it is a cohort of user"),
    ],
)
async def test_what_is_not_above_is_refused_with_what_is(
    environment: Environment, of: str, attribute: str, reason: str
) -> None:
    """Neither those beside nor those below: a company has many teams."""
    it = cohort("it", Having(Condition(attribute, Operator.IS_SET)), of=of)
    query = TrendQuery((Series(filter=Condition(f"{of}.key", Operator.IN_COHORT, ("it",))),), MARCH)
    with pytest.raises(Invalid, match="cohort 'it'") as raised:
        await counted(environment, query, kept(it))
    assert raised.value.violations[0].reason.endswith(reason)


async def test_a_cohort_goes_by_the_parents_of_now_whatever_the_question_goes_by(environment: Environment) -> None:
    """Who is in it does not depend on who asks; whose an event is does."""
    mine, warehouse = environment.environment_id, environment.warehouse
    await environment.load(*(Fact("a", groups={"team": "t1"}) for _ in range(3)))
    await warehouse.load_profiles([ProfileRow(mine, "team", "t1", {"company": "acme"}, 1)])
    then = datetime(2026, 1, 1, tzinfo=UTC)
    await warehouse.load_profile_versions([ProfileVersion(mine, "team", "t1", then, {"company": "zoo"}, 1)])
    did = Performed(Events("a"), Comparison.AT_LEAST, 3, Between("2026-01-01", "2026-04-01"))
    asking = insights(warehouse, FixedClock(), kept(cohort("busy", did, of="company")))
    busy = Condition("company.key", Operator.IN_COHORT, ("busy",))
    query = TrendQuery((Series(filter=busy), Series(filter=Condition("company.key", Operator.IN, ("zoo",)))), MARCH)

    async def totals(as_of: AsOf) -> list[float]:
        answered = await asking.ask(plan_trend, query, Terms(mine, TYPES, properties_as_of=as_of))
        return [row.total for row in answered.answer.rows]

    assert await totals(AsOf.NOW) == [3, 0]
    assert await totals(AsOf.EVENT) == [0, 3]
