"""Properties as of each event, against plain Python that looks them up in a profile's history."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import AllOf, Condition, Not, Operator
from burgee_server.insights.asked import Terms
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.insights.words import AsOf, Breakdown
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import ProfileRow, ProfileVersion
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.vocabulary import insights
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import GROUP_TYPES, MARCH, FixedClock
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import once

MOMENTS = [
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, 0, 1, tzinfo=UTC),
    datetime(2026, 4, 1, tzinfo=UTC),
]
HOLDERS = [("user", "ann"), ("user", "bob"), ("company", "acme"), ("company", "it's `x`")]
CONDITIONS = {
    Condition("company.plan", Operator.EQUALS, ("pro",)): lambda plan: plan == "pro",
    Condition("company.plan", Operator.NOT_EQUALS, ("pro",)): lambda plan: plan != "pro",
    Condition("user.plan", Operator.IS_NOT_SET): lambda plan: plan is None,
    Condition("user.plan", Operator.IS_SET): lambda plan: plan is not None,
}

_version = st.tuples(st.sampled_from(HOLDERS), st.sampled_from(MOMENTS), st.sampled_from(["pro", "free", None]))


Change: TypeAlias = tuple[tuple[str, str], datetime, str | None]


def versions(environment: Environment, made: Sequence[Change]) -> list[ProfileVersion]:
    """What they were; later in the list is later in truth, also of two at one moment."""
    return [
        ProfileVersion(environment.environment_id, *holder, at, {} if plan is None else {"plan": plan}, revision)
        for revision, (holder, at, plan) in enumerate(made, 1)
    ]


def plan_of(history: Sequence[ProfileVersion], owner: str, fact: Fact) -> str | None:
    """What the user or company of an event had then."""
    key = fact.distinct_id if owner == "user" else fact.groups.get("company")
    past = [each for each in history if (each.group_type, each.key) == (owner, key) and each.at <= fact.timestamp]
    return max(past, key=lambda each: (each.at, each.revision)).properties.get("plan") if past else None


async def asked(environment: Environment, plan, query, vocabulary: Vocabulary | None = None):  # type: ignore[no-untyped-def]
    """The answer, with properties as of the event."""
    everything = insights(environment.warehouse, FixedClock(), vocabulary)
    return (
        await everything.ask(plan, query, Terms(environment.environment_id, GROUP_TYPES, properties_as_of=AsOf.EVENT))
    ).answer


@examples(4)
@given(made=facts(), history=st.lists(_version, max_size=8))
async def test_filters_and_breakdowns_read_what_was_true_then(
    warehouse: ClickHouseWarehouse,
    made: list[Fact],
    history: list[Change],
) -> None:
    """To the microsecond, of users and of companies, also where there was no profile yet; each alone and combined."""
    here, other = new_environment(warehouse), new_environment(warehouse)
    await here.load(*made)
    known = versions(here, history)
    if known:
        await warehouse.load_profile_versions([*known, *versions(other, [(h, at, "pro") for h, at, _ in history])])
    within = [fact for fact in once(made) if datetime(2026, 3, 1, tzinfo=UTC) <= fact.timestamp < MOMENTS[-1]]

    series = tuple(Series(filter=condition) for condition in CONDITIONS)
    of_company, of_user = series[0].filter, series[2].filter
    series += (Series(filter=AllOf((Not(of_company), of_user))),)
    answer = await asked(here, plan_trend, TrendQuery(series, MARCH))

    passes = [
        [test(plan_of(known, condition.attribute.split(".")[0], fact)) for fact in within]
        for condition, test in CONDITIONS.items()
    ]
    both = [not company and user for company, user in zip(passes[0], passes[2], strict=True)]
    assert [row.total for row in answer.rows] == [sum(each) for each in [*passes, both]]

    split = await asked(here, plan_trend, TrendQuery((Series(),), MARCH, breakdown=Breakdown(("company.plan",))))
    expected: dict[str | None, int] = {}
    for fact in within:
        plan = plan_of(known, "company", fact)
        expected[plan] = expected.get(plan, 0) + 1
    assert {row.part.value or None: row.total for row in split.rows} == expected


async def test_a_funnel_and_a_person_of_several_ids_have_one_history(environment: Environment) -> None:
    """Steps by what a company was at each; the history of a person is that of all the ids."""
    start = MOMENTS[2]
    await environment.load(
        Fact("a", "anon", start, {"company": "acme"}), Fact("b", "ann", start + timedelta(hours=2), {"company": "acme"})
    )
    upgraded = start + timedelta(hours=1)
    await environment.warehouse.load_profile_versions(
        versions(
            environment,
            [
                (("company", "acme"), start, "free"),
                (("company", "acme"), upgraded, "pro"),
                (("user", "anon"), start, "free"),
                (("user", "ann"), upgraded, "pro"),
            ],
        )
    )
    await environment.warehouse.load_profiles([ProfileRow(environment.environment_id, "user", "anon", {}, 9, "ann")])

    def step(event: str, attribute: str, plan: str) -> Step:
        return Step(event, Condition(attribute, Operator.EQUALS, (plan,)))

    for attribute in ("company.plan", "user.plan"):
        query = FunnelQuery((step("a", attribute, "free"), step("b", attribute, "pro")), MARCH)
        answer = await asked(environment, plan_funnel, query, Vocabulary(has_aliases=True))
        assert [each.count for each in answer.rows[0].steps] == [1, 1]
