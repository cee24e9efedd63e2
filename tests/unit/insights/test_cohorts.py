"""Cohorts in filters and breakdowns, listed and computed, against plain Python over made-up events."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Part, PartKind
from burgee_server.ports.criteria import (
    Between,
    Comparison,
    Criterion,
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
from burgee_server.ports.vocabulary import NamedCohort
from burgee_server.ports.warehouse import ProfileRow
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.vocabulary import cohort, with_cohorts
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, ask
from tests.unit.insights.facts import facts
from tests.unit.insights.members import World
from tests.unit.insights.reference import once

WHOLE, NIGHT, LAST = (
    Between("2026-03-01", "2026-04-01"),
    Between("2026-03-29", "2026-03-30"),
    Between("2026-03-31", "2026-04-01"),
)
RANGES = st.sampled_from([WHOLE, NIGHT, LAST])
LISTED = {"user": ["ann", "nobody"], "company": ["acme", "it's `x`", "unseen"]}


def conditions(owner: str) -> st.SearchStrategy[Filter]:
    """Filters over a profile: properties, the key, and cohorts."""
    leaves = st.sampled_from(
        [
            Condition(f"{owner}.plan", Operator.EQUALS, ("pro",)),
            Condition(f"{owner}.plan", Operator.NOT_EQUALS, ("pro",)),
            Condition(f"{owner}.seats", Operator.GT, (3,)),
            Condition(f"{owner}.seats", Operator.IS_NOT_SET),
            Condition(f"{owner}.key", Operator.IN, ("ann", "acme", "eve")),
            Condition(f"{owner}.key", Operator.IN_COHORT, ("listed",)),
            Condition(f"{owner}.key", Operator.NOT_IN_COHORT, ("listed",)),
        ]
    )
    lists = st.lists(leaves, min_size=1, max_size=3).map(tuple)
    return leaves | st.builds(AllOf, lists) | st.builds(AnyOf, lists) | st.builds(Not, st.builds(AnyOf, lists))


def events(owner: str) -> st.SearchStrategy[Events]:
    """Some of the events there are."""
    filters = [
        None,
        Condition("event.amount", Operator.GT, (1,)),
        Condition(f"{owner}.key", Operator.IN_COHORT, ("listed",)),
    ]
    return st.builds(Events, st.sampled_from(["a", "b", "c", ""]), st.just(""), st.sampled_from(filters))


def criteria(owner: str) -> st.SearchStrategy[Criterion]:
    """Every kind of criterion."""
    did = events(owner)
    counted = st.sampled_from(Comparison).flatmap(
        lambda comparison: st.builds(
            Performed,
            did,
            st.just(comparison),
            st.integers(1 if comparison is Comparison.AT_LEAST else 0, 3),
            RANGES,
        )
    )
    windows = st.sampled_from([timedelta(minutes=30), timedelta(days=2), timedelta(days=40)])
    leaves = (
        counted
        | st.builds(Having, conditions(owner))
        | st.builds(FirstPerformed, did, RANGES)
        | st.builds(Stopped, did, RANGES)
        | st.builds(InOrder, st.lists(did, min_size=2, max_size=3).map(tuple), windows, RANGES)
        | st.just(InCohort("listed"))
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Every, st.lists(inner, min_size=1, max_size=3).map(tuple))
            | st.builds(Some, st.lists(inner, min_size=1, max_size=3).map(tuple))
            | st.builds(Unless, inner)
        ),
        max_leaves=4,
    )


def text(part: Part | None) -> str:
    """A part as people read it."""
    assert part
    if part.kind is PartKind.COMBINATION:
        return ", ".join(map(text, part.values))
    return "(missing)" if part.kind is PartKind.MISSING else part.value


PLANS = st.fixed_dictionaries({}, optional={"plan": st.sampled_from(["pro", "free"]), "seats": st.sampled_from([1, 5])})


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, Criterion]:
    """Events, profiles, a list, and a criterion of persons or of companies."""
    owner = draw(st.sampled_from(["user", "company"]))
    keys = ["ann", "bob", "zoe"] if owner == "user" else ["acme", "globex", "zoo"]
    profiles = {key: draw(PLANS) for key in draw(st.lists(st.sampled_from(keys), unique=True))}
    return World(owner, draw(facts()), profiles, {"listed": LISTED[owner]}), draw(criteria(owner))


def draw_id(fact: Fact) -> str:
    """One of the ids of eve."""
    return "e2" if fact.distinct_id == "eve" and fact.uuid > "8" else fact.distinct_id


@given(made=worlds())
@examples(3)
async def test_a_computed_cohort_is_whom_plain_python_finds(
    warehouse: ClickHouseWarehouse, made: tuple[World, Criterion]
) -> None:
    """In a filter, not in it, and as the parts of a breakdown: of every event, by whose it is."""
    world, criterion = made
    environment = new_environment(warehouse)
    # Some of what eve did has her other id.
    await environment.load(*(replace(fact, distinct_id=draw_id(fact)) for fact in world.facts))
    rows = [
        ProfileRow(environment.environment_id, world.group_type, key, properties, 1)
        for key, properties in world.profiles.items()
    ]
    await warehouse.load_profiles([*rows, ProfileRow(environment.environment_id, "user", "e2", {}, 2, "eve")])
    listed, it = cohort("listed", of=world.group_type), cohort("it", criterion, of=world.group_type)
    vocabulary = with_cohorts(listed, it, has_aliases=True)
    key = f"{world.group_type}.key"
    query = TrendQuery(
        (
            Series(filter=Condition(key, Operator.IN_COHORT, ("it",))),
            Series(filter=Condition(key, Operator.NOT_IN_COHORT, ("it",))),
        ),
        MARCH,
    )
    split = TrendQuery((Series(),), MARCH, breakdown=Breakdown((f"{world.group_type}.$cohort/it",)))
    asked = await ask(environment, plan_trend, query, vocabulary, world.cohorts)
    parts = await ask(environment, plan_trend, split, vocabulary, world.cohorts)

    seen = once(world.facts)
    members = {each for each in world.known() if world.meets(each, criterion)}
    inside = sum(world.key(fact) in members for fact in seen)
    assert [row.total for row in asked.rows] == [inside, len(seen) - inside]
    nobodys = sum(world.key(fact) is None for fact in seen)
    counts = {"in": inside, "not in": len(seen) - inside - nobodys, "(missing)": nobodys}
    assert {text(row.part): row.total for row in parts.rows} == {name: count for name, count in counts.items() if count}


def at(who: str, company: str = "") -> Fact:
    """One event of somebody."""
    return Fact("a", who, groups={"company": company} if company else {})


async def test_cohorts_of_persons_and_of_companies_in_a_funnel(environment: Environment) -> None:
    """Of several cohorts anybody in one of them; a group that the event does not name is in none."""
    await environment.load(at("ann", "acme"), at("bob", "globex"), at("cid"), at("dot", "acme"))
    vocabulary = with_cohorts(cohort("one"), cohort("two"), cohort("beta", of="company"))
    members = {"one": ["ann"], "two": ["bob", "zoe"], "beta": ["acme"]}

    async def users(*filters: Filter) -> float:
        query = TrendQuery((Series(measure=Measure.UNIQUE_USERS, filter=AllOf(filters)),), MARCH)
        return (await ask(environment, plan_trend, query, vocabulary, members)).rows[0].total

    assert await users(Condition("user.key", Operator.IN_COHORT, ("one", "two"))) == 2
    assert await users(Condition("user.key", Operator.NOT_IN_COHORT, ("one", "two"))) == 2
    assert await users(Condition("company.key", Operator.IN_COHORT, ("beta",))) == 2
    assert await users(Condition("company.key", Operator.NOT_IN_COHORT, ("beta",))) == 2
    in_beta = Condition("company.key", Operator.IN_COHORT, ("beta",))
    assert await users(Condition("user.key", Operator.IN_COHORT, ("one",)), in_beta) == 1
    funnel = FunnelQuery(
        (Step("a"), Step("b")), MARCH, breakdown=Breakdown(("user.$cohort/one", "company.$cohort/beta"))
    )
    answer = await ask(environment, plan_funnel, funnel, vocabulary, members)
    assert {text(row.part): row.steps[0].count for row in answer.rows} == {
        "in, in": 1,
        "not in, in": 1,
        "not in, not in": 1,
        "not in, (missing)": 1,
    }


async def test_whoever_is_listed_by_one_id_is_in_it_with_all(environment: Environment) -> None:
    """As the list has it, and as a cohort that is made of the list has it."""
    await environment.load(at("ann"), at("bob"), at("phone"))
    await environment.warehouse.load_profiles([ProfileRow(environment.environment_id, "user", "phone", {}, 2, "ann")])
    vocabulary = with_cohorts(cohort("one"), cohort("all", Unless(Unless(InCohort("one")))), has_aliases=True)
    for key in ("one", "all"):
        query = replace(in_cohort("user.key", key), range=MARCH)
        assert (await ask(environment, plan_trend, query, vocabulary, {"one": ["phone"]})).rows[0].total == 2


async def test_an_environment_sees_its_own_lists_only(warehouse: ClickHouseWarehouse) -> None:
    """Even if two had a cohort of one id."""
    mine, theirs = new_environment(warehouse), new_environment(warehouse)
    listed = with_cohorts(cohort("beta"))
    query = TrendQuery((Series(filter=Condition("user.key", Operator.IN_COHORT, ("beta",))),), MARCH)
    for environment in (mine, theirs):
        await environment.load(at("ann"), at("bob"))
    assert (await ask(mine, plan_trend, query, listed, {"beta": ["ann", "bob"]})).rows[0].total == 2
    assert (await ask(theirs, plan_trend, query, listed, {"beta": ["ann"]})).rows[0].total == 1


def only(filter_: Filter) -> TrendQuery:
    """Asks of these events."""
    return TrendQuery((Series(filter=filter_),))


def by(*attributes: str) -> TrendQuery:
    """Asks by these attributes."""
    return TrendQuery((Series(),), breakdown=Breakdown(attributes))


def in_cohort(attribute: str, *keys: str) -> TrendQuery:
    """Asks for members."""
    return only(Condition(attribute, Operator.IN_COHORT, keys))


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        (in_cohort("user.key", "no"), "series[0].filter.condition.values[0]", "no cohort"),
        (in_cohort("company.key", "own", "beta"), "series[0].filter.condition.values[1]", "made of user"),
        (in_cohort("event.key", "beta"), "series[0].filter.condition.attribute", "persons or groups"),
        (in_cohort("user.plan", "beta"), "series[0].filter.condition.attribute", "user.key"),
        (only(Condition("user.$cohort/a", Operator.IS_SET)), "series[0].filter.condition.attribute", "in_cohort"),
        (by("event.x", "user.$cohort/no"), "breakdown.attributes[1]", "no cohort"),
        (by("company.$cohort/beta"), "breakdown.attributes[0]", "made of user"),
        (in_cohort("user.key", "round"), "series[0].filter.condition.values[0]", "round → trip → round"),
        (in_cohort("user.key", *("beta",) * 101), "series[0].filter.condition.values[100]", "100 cohorts"),
    ],
)
async def test_a_cohort_that_cannot_be_meant_is_refused(
    warehouse: ClickHouseWarehouse, query: TrendQuery, field: str, told: str
) -> None:
    """One that there is not, one of others, one that goes round in a circle, and too many."""
    vocabulary = with_cohorts(
        cohort("beta"),
        cohort("own", of="company"),
        cohort("round", InCohort("trip")),
        cohort("trip", Unless(InCohort("round"))),
    )
    with pytest.raises(Invalid) as error:
        await ask(Environment(warehouse, 1), plan_trend, query, vocabulary)
    [violation] = error.value.violations
    assert (violation.field, told in violation.reason) == (field, True), violation


def _deep(filter_: Filter, levels: int) -> Filter:
    """A filter so many levels deep."""
    return filter_ if levels == 1 else AnyOf((_deep(filter_, levels - 1),))


def _chain(length: int, by_deeds: bool) -> dict[str, NamedCohort]:
    """Cohorts of which each asks for the one before in the deepest place that there is; c0 did a."""
    chained: dict[str, Criterion] = {"c0": Performed(Events("a"), Comparison.AT_LEAST, 1, WHOLE)}
    for number in range(1, length):
        before = Condition("user.key", Operator.IN_COHORT, (f"c{number - 1}",))
        done = Events("a", filter=_deep(before, 10))
        inner: Criterion = Performed(done, Comparison.AT_LEAST, 1, WHOLE) if by_deeds else Having(_deep(before, 10))
        for _ in range(9):
            inner = Some((inner,))
        chained[f"c{number}"] = inner
    return {key: cohort(key, criterion) for key, criterion in chained.items()}


@pytest.mark.parametrize("by_deeds", [True, False], ids=["by what they did", "by what they are"])
async def test_cohorts_ask_for_one_another_ten_deep_and_no_deeper(environment: Environment, by_deeds: bool) -> None:
    """However deep each asks in itself; beyond, the question is refused, and does not go as deep as Python can."""
    await environment.load(at("ann"), at("bob"))

    def asked(top: str) -> TrendQuery:
        return TrendQuery((Series("a"),), MARCH, filter=_deep(Condition("user.key", Operator.IN_COHORT, (top,)), 10))

    chain = with_cohorts(*_chain(70, by_deeds).values())
    assert (await ask(environment, plan_trend, asked("c9"), chain)).rows[0].total == 2
    for top in ("c10", "c69"):
        with pytest.raises(Invalid, match="10 deep"):
            await ask(environment, plan_trend, asked(top), chain)
