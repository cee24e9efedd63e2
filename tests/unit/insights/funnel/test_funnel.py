"""Funnels against golden cases: steps in order, windows, whose, splits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from burgee_server.insights.funnel import Funnel, FunnelQuery, Step
from burgee_server.insights.words import Breakdown, Part
from burgee_server.ports.warehouse import ProfileRow
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, funnel
from tests.unit.insights.test_trend import MISSING, OTHER, value

START = datetime(2026, 3, 10, tzinfo=UTC)
ABC = (Step("a"), Step("b"), Step("c"))


def counts(answer: Funnel) -> list[int]:
    """The counts of a funnel that is not split."""
    [row] = answer.rows
    return [step.count for step in row.steps]


def way(name: str, *events: tuple[str, float]) -> list[Fact]:
    """One user's events, each at a number of seconds after START."""
    return [Fact(event, name, START + timedelta(seconds=seconds)) for event, seconds in events]


async def test_steps_go_in_order_within_the_window_from_the_first(environment: Environment) -> None:
    """Shares of the first step and of the one before; others' events, detours and repeats do no harm."""
    await environment.load(
        *way("done", ("a", 0), ("x", 1), ("b", 2), ("a", 3), ("c", 10)),
        *way("backwards", ("c", 0), ("b", 1), ("a", 2)),
        *way("late", ("a", 0), ("b", 5), ("c", 10.000001)),
        *way("second chance", ("a", 0), ("a", 5), ("b", 7), ("c", 15)),
        *way("never", ("b", 0), ("c", 1)),
    )
    query = FunnelQuery((Step("a", label="first"), *ABC[1:]), MARCH, window=timedelta(seconds=10))
    answer = await funnel(environment, query)
    assert counts(answer) == [4, 3, 2]
    assert [step.label for step in answer.rows[0].steps] == ["first", "b", "c"]
    assert [step.conversion_from_first for step in answer.rows[0].steps] == [1, 3 / 4, 2 / 4]
    assert [step.conversion_from_previous for step in answer.rows[0].steps] == [1, 3 / 4, 2 / 3]


async def test_events_of_one_moment_count_as_in_order(environment: Environment) -> None:
    """An import that knows only seconds loses no conversions, whatever order it wrote them in."""
    await environment.load(*way("ann", ("c", 0), ("b", 0), ("a", 0)))
    assert counts(await funnel(environment, FunnelQuery(ABC, MARCH))) == [1, 1, 1]


async def test_an_event_serves_one_step(environment: Environment) -> None:
    """Two steps of the same event need two events; one uuid loaded twice is one."""
    [once_] = way("once", ("a", 0))
    await environment.load(once_, *way("twice", ("a", 0), ("a", 0)))
    await environment.load(once_)
    assert counts(await funnel(environment, FunnelQuery((Step("a"), Step()), MARCH))) == [2, 1]


async def test_without_anybody_every_share_is_0(environment: Environment) -> None:
    """A row is there all the same."""
    [row] = (await funnel(environment, FunnelQuery(ABC, MARCH))).rows
    assert [(s.count, s.conversion_from_first, s.conversion_from_previous) for s in row.steps] == [(0, 0, 0)] * 3


async def test_groups_go_through_by_the_events_of_all_their_users(environment: Environment) -> None:
    """Counted by company: one user's first step and another's second; events without a company are nobody's."""
    for name, event, company in (("ann", "a", "acme"), ("bob", "b", "acme"), ("eve", "a", ""), ("eve", "b", "")):
        groups = {"company": company} if company else {}
        await environment.load(Fact(event, name, START, groups))
    query = FunnelQuery(ABC, MARCH, count_by="company")
    assert counts(await funnel(environment, query)) == [1, 1, 0]


async def test_a_group_counts_once_whether_it_gets_to_the_end_lately_or_long_ago(environment: Environment) -> None:
    """The end of the span is looked at first; who got to the end there is not asked for again, and the others are."""
    ways = {"early": (1, "abc"), "late": (31, "abc"), "both": (1, "abc"), "half": (31, "ab"), "across": (27, "ab")}
    more = [("both", 31, "abc"), ("across", 31, "c"), ("early", 31, "a")]
    each = [(company, *when) for company, when in ways.items()] + more
    await environment.load(
        *(
            Fact(name, timestamp=datetime(2026, 3, day, hour, tzinfo=UTC), groups={"company": company})
            for company, day, names in each
            for hour, name in enumerate(names)
        )
    )
    answer = await funnel(environment, FunnelQuery(ABC, MARCH, count_by="company"))
    assert counts(answer) == [5, 5, 4]


async def test_a_split_goes_by_the_earliest_first_step(environment: Environment) -> None:
    """Not by later first steps or other events; profile properties, "missing" and "other" as in a trend."""

    def event(name: str, who: str, seconds: int, plan: str = "") -> Fact:
        return Fact(name, who, START + timedelta(seconds=seconds), {"company": who}, {"plan": plan} if plan else {})

    await environment.load(
        *(event("a", "ann", 1, "pro"), event("a", "ann", 2, "free"), event("b", "ann", 3, "free")),
        *(event("a", "bob", 1, "pro"), event("b", "bob", 0)),
        *(event("a", "eve", 1), event("b", "eve", 2, "pro")),
        event("a", "joe", 1, "free"),
        event("a", "kim", 1, "gold"),
        event("b", "lee", 1, "pro"),
    )
    mine = environment.environment_id
    await environment.warehouse.load_profiles([ProfileRow(mine, "company", "ann", {"size": 5}, 1)])

    async def split(attribute: str, limit: int) -> list[tuple[Part | None, list[int]]]:
        query = FunnelQuery(ABC[:2], MARCH, breakdown=Breakdown((attribute,), limit))
        return [(row.part, [step.count for step in row.steps]) for row in (await funnel(environment, query)).rows]

    assert await split("event.plan", 1) == [(value("pro"), [2, 1]), (MISSING, [1, 1]), (OTHER, [2, 0])]
    assert await split("company.size", 5) == [(MISSING, [4, 1]), (value("5"), [1, 1])]


async def test_of_first_steps_at_one_moment_the_lesser_uuid_decides_the_split(environment: Environment) -> None:
    """The same question twice has the same answer, whatever order the events were loaded in."""
    uuids = [str(UUID(int=number << 64 | 99 - number)) for number in range(10)]
    for index in (3, 0, 9, 5):
        await environment.load(Fact("a", timestamp=START, properties={"plan": f"p{index}"}, uuid=uuids[index]))
    query = FunnelQuery(ABC, MARCH, breakdown=Breakdown(("event.plan",)))
    assert [row.part for row in (await funnel(environment, query)).rows] == [value("p0")]
