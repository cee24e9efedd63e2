"""Where the value of a breakdown is taken from: golden cases, most of them what PostHog publishes about its own."""

from datetime import timedelta
from uuid import UUID

from burgee_server.insights.funnel import Attribution, FunnelQuery, Order, Step
from burgee_server.insights.words import Breakdown, Part
from burgee_server.ports.warehouse import ProfileRow
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, funnel
from tests.unit.insights.funnel.test_funnel import START
from tests.unit.insights.test_trend import MISSING, OTHER, value

STEPS = (Step("viewed"), Step("signed up"), Step("posted"))


def seen(who: str, *events: tuple[str, str]) -> list[Fact]:
    """One user's events with their browsers, a second apart."""
    return [
        Fact(event, who, START + timedelta(seconds=second), properties={"browser": browser} if browser else {})
        for second, (event, browser) in enumerate(events)
    ]


async def split(
    environment: Environment, attribution: Attribution, step: int = 0, order: Order = Order.ORDERED, limit: int = 9
) -> dict[Part | None, list[int]]:
    """The counts of each part."""
    query = FunnelQuery(
        STEPS,
        MARCH,
        breakdown=Breakdown(("event.browser",), limit),
        attribution=attribution,
        attribution_step=step,
        order=order,
    )
    return {row.part: [each.count for each in row.steps] for row in (await funnel(environment, query)).rows}


async def test_first_last_and_a_step(environment: Environment) -> None:
    """PostHog's example: Chrome, then Firefox. Who does not reach the step is not in the answer."""
    await environment.load(
        *seen("ann", ("viewed", "Chrome"), ("signed up", "Firefox")), *seen("bob", ("viewed", "Opera"))
    )
    assert await split(environment, Attribution.FIRST_TOUCH) == {value("Chrome"): [1, 1, 0], value("Opera"): [1, 0, 0]}
    assert await split(environment, Attribution.LAST_TOUCH) == {value("Firefox"): [1, 1, 0], value("Opera"): [1, 0, 0]}
    assert await split(environment, Attribution.STEP, 1) == {value("Chrome"): [1, 1, 0], value("Opera"): [1, 0, 0]}
    assert await split(environment, Attribution.STEP, 2) == {value("Firefox"): [1, 1, 0]}
    assert await split(environment, Attribution.STEP, 3) == {}


async def test_all_steps_make_a_funnel_of_each_value(environment: Environment) -> None:
    """PostHog's example: one person is in both, but did not sign up with Firefox."""
    await environment.load(
        *seen("ann", ("viewed", "Chrome"), ("viewed", "Firefox"), ("signed up", "Chrome")),
        *[fact for fact in seen("ann", *[("", "")] * 3, ("posted", "Chrome"), ("posted", "Firefox")) if fact.event],
    )
    assert await split(environment, Attribution.ALL_STEPS) == {value("Chrome"): [1, 1, 1], value("Firefox"): [1, 0, 0]}


async def test_a_missing_value_is_a_part_and_others_are_counted_once(environment: Environment) -> None:
    """PostHog would take the next value that it sees; Burgee says that there is none at this event."""
    await environment.load(
        *seen("ann", ("viewed", ""), ("signed up", "Chrome")),
        *seen("bob", ("viewed", "a"), ("viewed", "b"), ("viewed", "c"), ("signed up", "c")),
        *seen("cid", ("viewed", "a")),
    )
    assert await split(environment, Attribution.FIRST_TOUCH) == {value("a"): [2, 1, 0], MISSING: [1, 1, 0]}
    assert await split(environment, Attribution.ALL_STEPS, limit=1) == {
        value("a"): [2, 0, 0],
        MISSING: [1, 0, 0],
        OTHER: [1, 1, 0],
    }


async def test_the_empty_text_is_a_value_and_not_a_missing_one(environment: Environment) -> None:
    """Events of the two are not taken together, nor is either lost."""
    await environment.load(
        Fact("viewed", "ann", START, properties={"browser": ""}),
        Fact("signed up", "ann", START + timedelta(seconds=1)),
        Fact("viewed", "bob", START),
        Fact("signed up", "bob", START + timedelta(seconds=1), properties={"browser": ""}),
        Fact("signed up", "cid", START),
    )
    expected = {value(""): [1, 0, 0], MISSING: [1, 0, 0]}
    assert await split(environment, Attribution.ALL_STEPS) == expected
    assert await split(environment, Attribution.FIRST_TOUCH) == {value(""): [1, 1, 0], MISSING: [1, 1, 0]}


async def test_the_last_touch_is_that_of_the_way_that_counts(environment: Environment) -> None:
    """Not of a step that was taken again later, or before."""
    await environment.load(
        *seen("ann", ("signed up", "a"), ("viewed", "b"), ("signed up", "c"), ("signed up", "d"), ("viewed", "e"))
    )
    assert await split(environment, Attribution.LAST_TOUCH) == {value("c"): [1, 1, 0]}
    unordered = await split(environment, Attribution.LAST_TOUCH, order=Order.UNORDERED)
    assert unordered == {value("b"): [1, 1, 0]}


async def test_all_steps_by_what_a_profile_is_now(environment: Environment) -> None:
    """Two companies on one plan are one value, whose events are taken together."""
    for company in ("acme", "globex"):
        profile = ProfileRow(environment.environment_id, "company", company, {"plan": "pro"}, 1)
        await environment.warehouse.load_profiles([profile])
    await environment.load(
        Fact("viewed", "ann", START, {"company": "acme"}),
        Fact("signed up", "ann", START, {"company": "globex"}),
        Fact("posted", "ann", START, {"company": "initech"}),
    )
    query = FunnelQuery(STEPS, MARCH, breakdown=Breakdown(("company.plan",)), attribution=Attribution.ALL_STEPS)
    [row] = (await funnel(environment, query)).rows
    assert (row.part, [step.count for step in row.steps]) == (value("pro"), [1, 1, 0])


async def test_of_two_events_at_the_moment_of_a_step_the_lesser_uuid_decides(environment: Environment) -> None:
    """Whatever order they were loaded in, and not by the value."""
    uuids = [str(UUID(int=number << 64 | 99 - number)) for number in range(5)]
    await environment.load(Fact("viewed", timestamp=START))
    for index in (3, 1, 4):
        await environment.load(
            Fact("signed up", timestamp=START, properties={"browser": str(9 - index)}, uuid=uuids[index])
        )
    assert await split(environment, Attribution.LAST_TOUCH) == {value("8"): [1, 1, 0]}
