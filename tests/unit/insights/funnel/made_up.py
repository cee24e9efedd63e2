"""Funnels for the tests to make up, each as it is asked and as plain Python has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.funnel import Exclusion, FunnelQuery, Order, Step
from tests.fixtures.warehouse import Fact
from tests.unit.insights.asking import MARCH
from tests.unit.insights.funnel.ways import Asked, Excluded, Test, counts
from tests.unit.insights.reference import by, once

STEPS: list[tuple[Step, Test]] = [
    (Step("a"), lambda fact: fact.event == "a"),
    (Step("b"), lambda fact: fact.event == "b"),
    (Step("c"), lambda fact: fact.event == "c"),
    (Step(), lambda fact: True),
    (
        Step("a", Condition("event.pl.an", Operator.EQUALS, ("pro",))),
        lambda fact: fact.event == "a" and fact.properties.get("pl.an") == "pro",
    ),
    (
        Step(filter=Condition("company.key", Operator.NOT_EQUALS, ("acme",))),
        lambda fact: fact.groups.get("company") != "acme",
    ),
]


@dataclass(frozen=True)
class MadeUp:
    """One funnel, twice."""

    query: FunnelQuery
    asked: Asked

    def actors(self, facts: Sequence[Fact]) -> dict[str, list[Fact]]:
        """The events of each user or company."""
        if self.query.count_by == "user":
            return by(once(facts), lambda fact: fact.distinct_id)
        return by([f for f in once(facts) if "company" in f.groups], lambda fact: fact.groups["company"])

    def expected(self, facts: Sequence[Fact]) -> dict[str, list[datetime]]:
        """When each who is in it reached each step."""
        found = {actor: counts(theirs, self.asked) for actor, theirs in self.actors(facts).items()}
        return {actor: moments for actor, moments in found.items() if moments}


@st.composite
def funnels(draw: st.DrawFn) -> MadeUp:
    """Every order, with and without exclusions, steps that overlap and steps that do not."""
    order = draw(st.sampled_from(Order))
    pool = draw(st.sampled_from([STEPS[:3], STEPS]))
    steps = draw(st.lists(st.sampled_from(pool), min_size=2, max_size=4))
    excluded = draw(st.lists(st.sampled_from(pool), max_size=2)) if order is not Order.STRICT else []
    firsts = [1 if order is Order.UNORDERED else draw(st.integers(1, len(steps) - 1)) for _ in excluded]
    lasts = [draw(st.integers(first + 1, len(steps))) for first in firsts]
    window = timedelta(minutes=draw(st.sampled_from([30, 60, 24 * 60, 60 * 24 * 60])))
    query = FunnelQuery(
        tuple(step for step, _ in steps),
        MARCH,
        window=window,
        count_by=draw(st.sampled_from(["user", "company"])),
        order=order,
        exclusions=tuple(
            Exclusion(step.event, step.filter, first, last)
            for (step, _), first, last in zip(excluded, firsts, lasts, strict=True)
        ),
    )
    tests = [Excluded(test, first, last) for (_, test), first, last in zip(excluded, firsts, lasts, strict=True)]
    return MadeUp(query, Asked([test for _, test in steps], window, order, tests))
