"""A property is guessed to be of one type, and every answer is as if nothing had been guessed."""

from dataclasses import dataclass, field

import pytest

from burgee_server.insights.asked import Terms
from burgee_server.insights.guesses import ANY, Guesses, events_of
from burgee_server.insights.paths import PathsQuery
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown
from burgee_server.ports.actions import Matcher
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import Answer, Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.vocabulary import action, insights, named
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import GROUP_TYPES, MARCH, FixedClock

_SUM = TrendQuery((Series("paid", Measure.SUM, "amount"),), MARCH)
_BY = TrendQuery((Series("paid"),), MARCH, breakdown=Breakdown(("event.plan",)))


@dataclass
class Watched:
    """A warehouse that keeps what properties each statement guesses that is asked for an answer."""

    warehouse: ClickHouseWarehouse
    guesses: list[frozenset[str]] = field(default_factory=list)
    group_columns: frozenset[str] = frozenset()
    property_columns: frozenset[str] = frozenset()

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        if statement.largest_bytes:  # others look whether a name is there
            self.guesses.append(statement.guessed)
        return await self.warehouse.query(statement, timeout)


async def test_a_wrong_guess_is_remembered_for_the_events_that_it_was_about(environment: Environment) -> None:
    """Others that always have the property are read as guessed; a question that has those, too, is not guessed."""
    watched = Watched(environment.warehouse)
    asking = insights(watched, FixedClock(), named(action("paying", Matcher("paid"))))  # type: ignore[arg-type]
    await environment.load(Fact("seen"), Fact("paid", properties={"plan": "pro"}))

    async def guessed(*series: Series) -> list[frozenset[str]]:
        watched.guesses.clear()
        query = TrendQuery(series, MARCH, breakdown=Breakdown(("event.plan",)))
        answer = (await asking.ask(plan_trend, query, Terms(environment.environment_id, GROUP_TYPES))).answer
        assert [row.total for row in answer.rows if str(row.part)] == [1] * (series != (Series("seen"),))
        return watched.guesses

    plan, nothing = frozenset({"plan"}), frozenset[str]()
    assert await guessed(Series("seen")) == [plan, nothing]
    assert await guessed(Series("paid")) == [plan], "what is missing in others is no matter"
    assert await guessed(Series(action="paying")) == [plan]
    assert await guessed(Series()) == [nothing], "any event is those, too"
    assert await guessed(Series("seen")) == [nothing]


def test_a_question_that_names_no_event_is_about_any() -> None:
    """What was wrong there holds for it and for those about any, and for no question about events with names."""
    anything, guesses = events_of(PathsQuery(), Vocabulary()), Guesses()
    guesses.was_wrong(1, anything, ["plan"])
    assert guesses.wrong(1, anything) == guesses.wrong(1, frozenset({ANY})) == {"plan"}
    assert not guesses.wrong(1, frozenset({"paid"}))
    guesses.was_wrong(1, frozenset({"paid"}), ["amount"])
    assert guesses.wrong(1, anything) == {"plan", "amount"}


@pytest.mark.parametrize(
    ("query", "name", "others", "first", "then"),
    [
        (_SUM, "amount", [2.5, "3", None], {"": 7.0}, {"": 9.5}),
        (_SUM, "amount", [2**63], {"": 7.0}, {"": 7.0 + 2.0**63}),
        (_BY, "plan", [7, None, [1]], {"pro": 1, "free": 1}, {"pro": 1, "free": 1, "7": 1, "": 1, "[1]": 1}),
    ],
)
async def test_what_is_not_as_guessed_counts_all_the_same(
    environment: Environment, query: TrendQuery, name: str, others: list[object], first: object, then: object
) -> None:
    """One statement while the guess holds; one more when it does not, for what is loaded next; and none from then on.

    Events of other names, and those that lack the property, do no harm to a guess about this one's.
    """
    values = [3, 4] if name == "amount" else ["pro", "free"]
    watched = Watched(environment.warehouse)
    asking = insights(watched, FixedClock())  # type: ignore[arg-type]

    async def ask() -> object:
        answer = (await asking.ask(plan_trend, query, Terms(environment.environment_id, GROUP_TYPES))).answer
        return {str(row.part or ""): row.total for row in answer.rows}

    await environment.load(Fact("seen"), *(Fact("paid", properties={name: each}) for each in values))
    assert await ask() == first
    assert watched.guesses == [{name}]
    await environment.load(*(Fact("paid", properties={} if each is None else {name: each}) for each in others))
    assert await ask() == then
    assert watched.guesses == [{name}, {name}, frozenset()]
    assert await ask() == then
    assert watched.guesses[3:] == [frozenset()]
