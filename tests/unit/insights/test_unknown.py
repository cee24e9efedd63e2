"""Events that a question names and nobody has ever sent: the answer says so, and what may have been meant."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from burgee_server.errors import BurgeeError, Overloaded, TimedOut
from burgee_server.insights.funnel import Exclusion, FunnelQuery, Step, plan_funnel
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.insights.unknown import UnknownEvents
from burgee_server.insights.words import UnknownEvent
from burgee_server.ports.actions import Matcher
from burgee_server.ports.warehouse import Answer, Statement
from tests.fixtures.vocabulary import action, insights, named
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import GROUP_TYPES, MARCH, FixedClock


async def test_what_nobody_sent_is_named_with_what_is_spelt_like_it(environment: Environment) -> None:
    """Of series, of actions, of steps and of exclusions; any event is no name, and an old event is known, too."""
    long_ago = datetime(1999, 1, 1, tzinfo=UTC)
    await environment.load(Fact("signed_up"), Fact("report_created", timestamp=long_ago), Fact("it's `odd`"))
    asking = insights(environment.warehouse, FixedClock(), named(action("doing", Matcher("report_creatd"))))

    async def unknown(plan, query):  # type: ignore[no-untyped-def]
        answered = await asking.ask(plan, query, environment.environment_id, GROUP_TYPES)
        return {each.event: each.similar for each in answered.unknown}

    series = [Series(), Series("signed_up"), Series("it's `odd`"), Series(action="doing"), Series("' OR 1 -- `")]
    assert await unknown(plan_trend, TrendQuery(tuple(series), MARCH)) == {
        "report_creatd": ("report_created",),
        "' OR 1 -- `": (),
    }
    steps = Step("signed_upp"), Step("report_created")
    funnel = FunnelQuery(steps, MARCH, exclusions=(Exclusion("odd"),))
    assert await unknown(plan_funnel, funnel) == {"odd": (), "signed_upp": ("signed_up",)}


async def test_an_event_of_another_environment_is_as_unknown_as_none(environment: Environment) -> None:
    """Neither is it there, nor is its name proposed."""
    await environment.load(Fact("secret_feature_used"))
    others = UnknownEvents(environment.warehouse)
    assert await others.among(environment.environment_id + 1_000_000, ["secret_feature_used", "secret_feature"]) == (
        UnknownEvent("secret_feature", ()),
        UnknownEvent("secret_feature_used", ()),
    )


@dataclass
class Counting:
    """A warehouse that counts its statements, and answers none, or none about names, if it is told not to."""

    environment: Environment
    statements: list[str] = field(default_factory=list)
    trouble: BurgeeError | None = None
    in_trouble: str = ""

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        self.statements.append(statement.sql)
        if self.trouble is not None and self.in_trouble in statement.sql:
            raise self.trouble
        return await self.environment.warehouse.query(statement, timeout)


async def test_what_was_found_once_is_not_looked_for_again_and_what_was_not_is(environment: Environment) -> None:
    """A name that is there costs one look. One that is not is looked for each time: it may have been sent meanwhile."""
    counting = Counting(environment)
    unknown = UnknownEvents(counting)  # type: ignore[arg-type]
    await environment.load(Fact("signed_up"))
    for _ in range(2):
        assert await unknown.among(environment.environment_id, ["signed_up"]) == ()
    assert len(counting.statements) == 1
    missing = (UnknownEvent("signed_in", ("signed_up",)),)
    assert await unknown.among(environment.environment_id, ["signed_in", "signed_up"]) == missing
    assert await unknown.among(environment.environment_id, ["signed_in"]) == missing
    assert sum("DISTINCT" in sql for sql in counting.statements) == 1
    await environment.load(Fact("signed_in"))
    assert await unknown.among(environment.environment_id, ["signed_in"]) == ()


@pytest.mark.parametrize("trouble", [TimedOut("too long"), Overloaded("too much", 1.0)])
async def test_an_answer_does_not_fail_because_names_cannot_be_looked_up(
    environment: Environment, trouble: BurgeeError
) -> None:
    """It is then as if all were known; the next question looks again."""
    counting = Counting(environment, trouble=trouble)
    unknown = UnknownEvents(counting)  # type: ignore[arg-type]
    assert await unknown.among(environment.environment_id, ["nope"]) == ()
    counting.trouble = None
    assert await unknown.among(environment.environment_id, ["nope"]) == (UnknownEvent("nope", ()),)


async def test_a_name_is_unknown_also_where_looking_for_others_takes_too_long(environment: Environment) -> None:
    """In a warehouse so large that its names are not read in time; it is not tried again for each question."""
    counting = Counting(environment, trouble=TimedOut("too long"), in_trouble="DISTINCT")
    unknown = UnknownEvents(counting)  # type: ignore[arg-type]
    await environment.load(Fact("signed_up"))
    for _ in range(2):
        missing = await unknown.among(environment.environment_id, ["signed_upp"])
        assert missing == (UnknownEvent("signed_upp", ()),)
    assert sum("DISTINCT" in sql for sql in counting.statements) == 1
