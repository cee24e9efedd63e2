"""Funnels over made-up events: what plain Python makes of them."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from burgee_server.insights.asked import Asked, Plan
from burgee_server.insights.funnel import Attribution, Funnel, FunnelQuery, Order, plan_funnel
from burgee_server.insights.words import Breakdown, Part, PartKind
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Fact, new_environment
from tests.unit.insights.asking import ask, funnel
from tests.unit.insights.facts import facts
from tests.unit.insights.funnel.made_up import MadeUp, funnels
from tests.unit.insights.funnel.ways import by_uuid, counts
from tests.unit.insights.reference import by


@examples(8)
@given(made=facts(14), asked=funnels())
async def test_a_funnel_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made: list[Fact], asked: MadeUp
) -> None:
    """In every order, with exclusions, over duplicates, ties in time, windows to the microsecond, and overlaps."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    [row] = (await funnel(environment, asked.query)).rows
    reached = [len(moments) for moments in asked.expected(made).values()]
    steps = range(1, len(asked.query.steps) + 1)
    assert [step.count for step in row.steps] == [sum(each >= step for each in reached) for step in steps]


@examples(3)
@given(made=facts(14), asked=funnels(), attribution=st.sampled_from(Attribution), data=st.data())
async def test_a_split_funnel_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made: list[Fact], asked: MadeUp, attribution: Attribution, data: st.DataObject
) -> None:
    """By each attribution, with values that are missing, and two of them together as "other"; so is one for which
    there was not enough memory."""
    if attribution is Attribution.STEP and asked.query.order is Order.UNORDERED:
        attribution = Attribution.ALL_STEPS
    step = data.draw(st.integers(1, len(asked.query.steps))) if attribution is Attribution.STEP else 0
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    query = replace(
        asked.query, breakdown=Breakdown(("company.key",), 1), attribution=attribution, attribution_step=step
    )
    answer = await funnel(environment, query)
    if attribution is Attribution.ALL_STEPS:
        assert (await ask(environment, _sparing, query)).rows == answer.rows
    steps = range(1, len(asked.query.steps) + 1)
    expected = {
        part: [sum(each >= number for each in reached) for number in steps]
        for part, reached in parts(attributed(made, asked, attribution, step)).items()
    }
    assert {row.part: [step.count for step in row.steps] for row in answer.rows} == expected


def _sparing(query: FunnelQuery, asked: Asked) -> Plan[Funnel]:
    return plan_funnel(query, replace(asked, sparing=True))


Attributed = dict[tuple[str, str | None], int]


def attributed(made: list[Fact], asked: MadeUp, attribution: Attribution, step: int) -> Attributed:
    """How far each came in each of its companies; None is a missing one."""

    def value(fact: Fact) -> str | None:
        return fact.groups.get("company")

    found: Attributed = {}
    for actor, theirs in asked.actors(made).items():
        if attribution is Attribution.ALL_STEPS:
            for company, part in by(theirs, value).items():
                if moments := counts(part, asked.asked):
                    found[actor, company] = len(moments)
            continue
        moments = counts(theirs, asked.asked)
        if len(moments) < max(step, 1):
            continue
        number = step or (1 if attribution is Attribution.FIRST_TOUCH else len(moments))
        any_step = asked.query.order is Order.UNORDERED
        touched = [f for f in theirs if (asked.asked.matched(f) if any_step else asked.asked.steps[number - 1](f))]
        if attribution is not Attribution.FIRST_TOUCH:
            touched = [fact for fact in touched if fact.timestamp == moments[number - 1]]
        found[actor, value(min(touched, key=by_uuid))] = len(moments)
    return found


def parts(attributed: Attributed) -> dict[Part, list[int]]:
    """The greatest value, the missing one, and for each in others the furthest."""
    actors: dict[str | None, dict[str, int]] = {}
    for (actor, company), reached in attributed.items():
        actors.setdefault(company, {})[actor] = reached
    missing = actors.pop(None, {})
    ranked: list[Any] = sorted(actors, key=lambda company: (-len(actors[company]), company))
    found = {Part(PartKind.MISSING): list(missing.values())} if missing else {}
    if ranked:
        found[Part(PartKind.VALUE, ranked[0])] = list(actors[ranked[0]].values())
    others: dict[str, int] = {}
    for company in ranked[1:]:
        for actor, reached in actors[company].items():
            others[actor] = max(others.get(actor, 0), reached)
    if others:
        found[Part(PartKind.OTHER)] = list(others.values())
    return found
