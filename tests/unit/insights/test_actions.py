"""Actions in questions: as if the question had been asked of their events."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import AllOf, Condition, Not, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.sql.events import check_matcher
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.ports.actions import Matcher
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.vocabulary import action, named
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import GROUP_TYPES, MARCH, ask
from tests.unit.insights.facts import facts
from tests.unit.insights.funnel import ways
from tests.unit.insights.reference import by, once

LARGE = Condition("event.amount", Operator.GT, (1,))
AT_ACME = Condition("company.key", Operator.EQUALS, ("acme",))
MATCHERS = st.lists(
    st.builds(Matcher, st.sampled_from(["a", "b", "c", "x"]), st.sampled_from([None, LARGE, AT_ACME]))
    | st.builds(Matcher, st.just(""), st.sampled_from([LARGE, Not(AT_ACME)])),
    min_size=1,
    max_size=3,
)


def holds(filter_: object, fact: Fact) -> bool:
    """The filters above, in plain Python."""
    amount = fact.properties.get("amount")
    if filter_ == LARGE:
        return isinstance(amount, int | float) and not isinstance(amount, bool) and amount > 1
    is_acme = fact.groups.get("company") == "acme"
    return filter_ is None or (is_acme if filter_ == AT_ACME else not is_acme)


def matched(matchers: list[Matcher], fact: Fact) -> bool:
    """Whether any of them matches."""
    return any(each.event in ("", fact.event) and holds(each.filter, fact) for each in matchers)


@given(made=facts(), first=MATCHERS, second=MATCHERS)
@examples(7)
async def test_an_action_is_every_event_that_any_matcher_matches(
    warehouse: ClickHouseWarehouse, made: list[Fact], first: list[Matcher], second: list[Matcher]
) -> None:
    """Counted once, alone in a trend, with a filter beside it, and in the steps of a funnel that may share events."""
    environment = new_environment(warehouse)
    await environment.load(*made)
    vocabulary = named(action("first", *first), action("second", *second))
    lines = (Series(action="first"), Series(action="second", filter=AT_ACME))
    trend = await ask(environment, plan_trend, TrendQuery(lines, MARCH), vocabulary)
    steps = (Step(action="first"), Step(action="second"), Step("a"))
    funnel = await ask(environment, plan_funnel, FunnelQuery(steps, MARCH), vocabulary)

    seen = once(made)
    assert [row.total for row in trend.rows] == [
        sum(matched(first, fact) for fact in seen),
        sum(matched(second, fact) and holds(AT_ACME, fact) for fact in seen),
    ]
    checks = [lambda fact: matched(first, fact), lambda fact: matched(second, fact), lambda fact: fact.event == "a"]
    asked = ways.Asked(checks, timedelta(days=14))
    got = [len(ways.counts(theirs, asked)) for theirs in by(seen, lambda fact: fact.distinct_id).values()]
    assert [step.count for step in funnel.rows[0].steps] == [sum(each >= step for each in got) for step in (1, 2, 3)]


async def test_an_action_labels_its_line(warehouse: ClickHouseWarehouse) -> None:
    """With its key, unless there is a label."""
    environment = Environment(warehouse, 1)
    lines = (Series(action="first"), Series(action="first", label="mine"))
    answer = await ask(environment, plan_trend, TrendQuery(lines, MARCH), named(action("first", Matcher("a"))))
    assert [row.label for row in answer.rows] == ["first", "mine"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (TrendQuery((Series(action="second"),)), "series[0].action"),
        (TrendQuery((Series(), Series("a", action="first"))), "series[1].action"),
        (FunnelQuery((Step("a"), Step(action="FIRST"))), "steps[1].action"),
        (FunnelQuery((Step("a", action="first"), Step("a"))), "steps[0].action"),
    ],
)
async def test_an_action_that_cannot_be_meant_is_refused(
    warehouse: ClickHouseWarehouse, query: TrendQuery | FunnelQuery, field: str
) -> None:
    """One that there is not, and one beside an event."""
    plan = plan_trend if isinstance(query, TrendQuery) else plan_funnel
    with pytest.raises(Invalid) as error:
        await ask(Environment(warehouse, 1), plan, query, named(action("first", Matcher("a"))))
    assert error.value.violations[0].field == field


@pytest.mark.parametrize(
    ("matcher", "path"),
    [
        (Matcher(), ""),
        (Matcher("x" * 201), ".event"),
        (Matcher("a", Condition("planet.key", Operator.IS_SET)), ".filter.condition.attribute"),
        (Matcher("a", AllOf(())), ".filter.all.filters"),
        (Matcher("a", Not(Condition("user.key", Operator.IN_COHORT, ("beta",)))), ".filter"),
        (Matcher("a", Condition("company.$feature/x", Operator.EQUALS, ("on",))), ".filter"),
    ],
)
def test_a_matcher_that_no_question_could_ask_is_refused(matcher: Matcher, path: str) -> None:
    """With the path of what is wrong in it."""
    with pytest.raises(Invalid) as error:
        check_matcher(matcher, GROUP_TYPES, "m")
    assert error.value.violations[0].field == f"m{path}"
    check_matcher(Matcher("a", LARGE), GROUP_TYPES, "m")
