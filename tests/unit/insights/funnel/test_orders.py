"""Order types and exclusions against golden cases; most are what PostHog publishes about its own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from burgee.evaluation.model import Condition, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.funnel import Exclusion, FunnelQuery, Order, Step
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, funnel
from tests.unit.insights.funnel.test_funnel import ABC, START, counts, way


async def test_a_strict_funnel_lets_nothing_happen_in_between(environment: Environment) -> None:
    """Sequential: any number of events may come between; strict: none; another try later counts, as at PostHog."""
    await environment.load(
        *way("direct", ("x", 0), ("a", 1), ("b", 2), ("c", 3), ("x", 4)),
        *way("detour", ("a", 0), ("x", 1), ("b", 2), ("c", 3)),
        *way("second try", ("a", 0), ("c", 1), ("a", 2), ("b", 3), ("c", 4)),
        *way("again", ("a", 0), ("b", 1), ("b", 2), ("c", 3)),
    )
    assert counts(await funnel(environment, FunnelQuery(ABC, MARCH))) == [4, 4, 4]
    assert counts(await funnel(environment, FunnelQuery(ABC, MARCH, order=Order.STRICT))) == [4, 3, 2]


async def test_what_happens_in_the_moment_of_a_step_is_not_between(environment: Environment) -> None:
    """An import that knows only seconds loses nothing in a strict funnel either; a moment of its own is between."""
    await environment.load(
        *way("tied", ("x", 0), ("a", 0), ("x", 0), ("b", 1), ("x", 1), ("c", 2)),
        *way("tied steps", ("c", 0), ("b", 0), ("a", 0)),
        *way("between", ("a", 0), ("x", 0.5), ("b", 1)),
    )
    assert counts(await funnel(environment, FunnelQuery(ABC, MARCH, order=Order.STRICT))) == [3, 2, 2]


async def test_a_strict_funnel_looks_only_at_what_passes_the_filter_of_all_steps(environment: Environment) -> None:
    """The filter of the question says which events there are; others are not between."""
    await environment.load(*way("ann", ("a", 0), ("x", 1), ("b", 2)))
    query = FunnelQuery(ABC[:2], MARCH, order=Order.STRICT)
    assert counts(await funnel(environment, query)) == [1, 0]
    detour = Fact("x", "bob", START + timedelta(seconds=1), properties={"noise": True})
    await environment.load(*way("bob", ("a", 0), ("b", 2)), detour)
    quiet = Condition("event.noise", Operator.IS_NOT_SET)
    assert counts(await funnel(environment, replace(query, filter=quiet))) == [2, 1]


async def test_an_unordered_funnel_counts_how_many_steps_are_done(environment: Environment) -> None:
    """Any step may be first, all within the window from it; one step twice is one."""
    await environment.load(
        *way("backwards", ("c", 0), ("b", 1), ("a", 10)),
        *way("late", ("c", 0), ("b", 1), ("a", 10.000001)),
        *way("later", ("c", 0), ("b", 10), ("a", 20), ("c", 20)),
        *way("one", ("b", 0), ("b", 1), ("x", 2)),
    )
    query = FunnelQuery(ABC, MARCH, window=timedelta(seconds=10), order=Order.UNORDERED)
    answer = await funnel(environment, query)
    assert counts(answer) == [4, 3, 2]
    assert [step.label for step in answer.rows[0].steps] == ["any 1 of 3", "any 2 of 3", "any 3 of 3"]


async def test_an_event_serves_one_step_of_an_unordered_funnel(environment: Environment) -> None:
    """Two steps of one event need two of them; which event serves which step is found, and not guessed."""
    await environment.load(
        *way("once", ("a", 0)),
        *way("twice", ("a", 0), ("a", 1)),
        *way("needs the other", ("a", 0), ("x", 1)),  # `a` must serve the step that only it can serve
    )
    assert counts(await funnel(environment, FunnelQuery((Step("a"), Step("a")), MARCH, order=Order.UNORDERED))) == [
        3,
        1,
    ]
    anything = FunnelQuery((Step(), Step("a")), MARCH, order=Order.UNORDERED)
    assert counts(await funnel(environment, anything)) == [3, 2]


async def test_who_does_what_is_excluded_is_not_in_the_funnel_at_all(environment: Environment) -> None:
    """As at PostHog: out of every step, unless another way got as far; before, after or long after does no harm."""
    await environment.load(
        *way("between", ("a", 0), ("x", 1), ("b", 2)),
        *way("before", ("x", 0), ("a", 1), ("b", 2)),
        *way("after", ("a", 0), ("b", 1), ("x", 2)),
        *way("gave up", ("a", 0), ("x", 9)),
        *way("gave up before", ("a", 0), ("x", 10.5)),
        *way("second try", ("a", 0), ("x", 1), ("a", 2), ("b", 3)),
        *way("second try fails", ("a", 0), ("x", 1), ("b", 2), ("a", 3)),
        *way("same moment", ("a", 0), ("x", 0), ("b", 1), ("x", 1)),
    )
    query = FunnelQuery(ABC[:2], MARCH, window=timedelta(seconds=10), exclusions=(Exclusion("x"),))
    assert counts(await funnel(environment, query)) == [5, 4]


async def test_an_exclusion_holds_between_its_two_steps(environment: Environment) -> None:
    """From the second to the third, and not from the first to the second."""
    await environment.load(
        *way("first leg", ("a", 0), ("x", 1), ("b", 2), ("c", 3)),
        *way("second leg", ("a", 0), ("b", 1), ("x", 2), ("c", 3)),
        *way("stopped before", ("a", 0), ("x", 1)),
        *way("stopped after", ("a", 0), ("b", 1), ("x", 2)),
    )
    query = FunnelQuery(ABC, MARCH, exclusions=(Exclusion("x", from_step=2),))
    assert counts(await funnel(environment, query)) == [2, 1, 1]
    assert counts(await funnel(environment, FunnelQuery(ABC, MARCH, exclusions=(Exclusion("x", to_step=2),)))) == [
        2,
        2,
        1,
    ]


async def test_an_unordered_funnel_has_exclusions_from_its_beginning_on(environment: Environment) -> None:
    """After the first step that is done, whichever it is."""
    await environment.load(*way("out", ("b", 0), ("x", 1), ("a", 2)), *way("in", ("x", 0), ("b", 1), ("a", 2)))
    query = FunnelQuery(ABC[:2], MARCH, order=Order.UNORDERED, exclusions=(Exclusion("x"),))
    assert counts(await funnel(environment, query)) == [1, 1]


async def test_up_to_twenty_steps(environment: Environment) -> None:
    """In each order, of different events and of one."""
    names = [f"e{number}" for number in range(20)]
    await environment.load(*way("ann", *((name, at) for at, name in enumerate(names))))
    await environment.load(*way("bob", *(("e", at) for at in range(20))))
    different, alike = tuple(map(Step, names)), (Step("e"),) * 20
    for order in Order:
        assert counts(await funnel(environment, FunnelQuery(different, MARCH, order=order))) == [1] * 20
        if order is not Order.UNORDERED:
            assert counts(await funnel(environment, FunnelQuery(alike, MARCH, order=order))) == [1] * 20


async def test_too_many_steps_of_one_event_are_refused_where_order_does_not_tell_them_apart(
    environment: Environment,
) -> None:
    """Every set of them would have to be looked at."""
    six = tuple(Step("a", label=str(number)) for number in range(6))
    with pytest.raises(Invalid) as caught:
        await funnel(environment, FunnelQuery((*six, Step("b")), MARCH, order=Order.UNORDERED))
    assert [violation.field for violation in caught.value.violations] == ["steps"]
    assert counts(await funnel(environment, FunnelQuery(six[:5], MARCH, order=Order.UNORDERED))) == [0] * 5
