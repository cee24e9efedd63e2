"""Events that a question names and nobody has ever sent: the answer says so, and what may have been meant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from burgee_server.errors import BurgeeError, Overloaded, TimedOut
from burgee_server.insights.asked import Asked, Terms
from burgee_server.insights.funnel import Exclusion, FunnelQuery, Step, plan_funnel
from burgee_server.insights.sql.heard import NO_OWNER
from burgee_server.insights.timerange import Span
from burgee_server.insights.trend import Series, TrendQuery, plan_trend
from burgee_server.insights.unknown import UnknownNames
from burgee_server.insights.words import UnknownName
from burgee_server.ports.actions import Matcher
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, Answer, Statement
from tests.fixtures.vocabulary import action, insights, named
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import GROUP_TYPES, MARCH, NOW, FixedClock


async def among(
    names: UnknownNames, environment_id: int, events: Sequence[str], timeout: float | None = None
) -> tuple[UnknownName, ...]:
    """Those of these events that are unknown."""
    asked = Asked(Terms(environment_id, GROUP_TYPES), Span(FIRST_TIMESTAMP, NOW, ZoneInfo("UTC")), NOW)
    return await names.among(asked, {(NO_OWNER, event) for event in events}, timeout)


async def test_what_nobody_sent_is_named_with_what_is_spelt_like_it(environment: Environment) -> None:
    """Of series, of actions, of steps and of exclusions; any event is no name, and an old event is known, too."""
    long_ago = datetime(1999, 1, 1, tzinfo=UTC)
    await environment.load(Fact("signed_up"), Fact("report_created", timestamp=long_ago), Fact("it's `odd`"))
    asking = insights(environment.warehouse, FixedClock(), named(action("doing", Matcher("report_creatd"))))

    async def unknown(plan, query):  # type: ignore[no-untyped-def]
        answered = await asking.ask(plan, query, Terms(environment.environment_id, GROUP_TYPES))
        return {each.name: each.similar for each in answered.unknown}

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
    others = UnknownNames(environment.warehouse, FixedClock())
    assert await among(others, environment.environment_id + 1_000_000, ["secret_feature_used", "secret_feature"]) == (
        UnknownName("secret_feature", ()),
        UnknownName("secret_feature_used", ()),
    )


@dataclass
class Counting:
    """A warehouse that counts its statements, and answers none, or none about names, if it is told not to."""

    environment: Environment
    statements: list[str] = field(default_factory=list)
    timeouts: list[float | None] = field(default_factory=list)
    group_columns: frozenset[str] = frozenset()
    property_columns: frozenset[str] = frozenset()
    trouble: BurgeeError | None = None
    in_trouble: str = ""

    async def query(self, statement: Statement, timeout: float | None = None) -> Answer:
        self.statements.append(statement.sql)
        self.timeouts.append(timeout)
        if self.trouble is not None and self.in_trouble in statement.sql:
            raise self.trouble
        return await self.environment.warehouse.query(statement, timeout)


async def test_what_was_found_once_is_not_looked_for_again_and_what_was_not_is(environment: Environment) -> None:
    """A name that is there costs one look. One that is not is looked for each time: it may have been sent meanwhile."""
    counting = Counting(environment)
    unknown = UnknownNames(counting, FixedClock())  # type: ignore[arg-type]
    await environment.load(Fact("signed_up"))
    for _ in range(2):
        assert await among(unknown, environment.environment_id, ["signed_up"]) == ()
    assert len(counting.statements) == 1
    missing = (UnknownName("signed_in", ("signed_up",)),)
    assert await among(unknown, environment.environment_id, ["signed_in", "signed_up"]) == missing
    assert await among(unknown, environment.environment_id, ["signed_in"]) == missing
    assert sum("DISTINCT" in sql for sql in counting.statements) == 1
    await environment.load(Fact("signed_in"))
    assert await among(unknown, environment.environment_id, ["signed_in"]) == ()


@pytest.mark.parametrize("trouble", [TimedOut("too long"), Overloaded("too much", 1.0)])
async def test_an_answer_does_not_fail_because_names_cannot_be_looked_up(
    environment: Environment, trouble: BurgeeError
) -> None:
    """It is then as if all were known; the next question looks again."""
    counting = Counting(environment, trouble=trouble)
    unknown = UnknownNames(counting, FixedClock())  # type: ignore[arg-type]
    assert await among(unknown, environment.environment_id, ["nope"]) == ()
    counting.trouble = None
    assert await among(unknown, environment.environment_id, ["nope"]) == (UnknownName("nope", ()),)


async def test_a_name_is_unknown_also_where_looking_for_others_takes_too_long(environment: Environment) -> None:
    """In a warehouse so large that its names are not read in time; it is not tried again for each question."""
    counting = Counting(environment, trouble=TimedOut("too long"), in_trouble="DISTINCT")
    unknown = UnknownNames(counting, FixedClock())  # type: ignore[arg-type]
    await environment.load(Fact("signed_up"))
    for _ in range(2):
        missing = await among(unknown, environment.environment_id, ["signed_upp"])
        assert missing == (UnknownName("signed_upp", ()),)
    assert sum("DISTINCT" in sql for sql in counting.statements) == 1


async def test_names_that_nobody_had_the_time_to_look_for_are_looked_for_by_who_has(environment: Environment) -> None:
    """What a caller with a short deadline did not find is not what there is."""
    counting = Counting(environment, trouble=TimedOut("too long"), in_trouble="DISTINCT")
    unknown = UnknownNames(counting, FixedClock())  # type: ignore[arg-type]
    await environment.load(Fact("signed_up"))
    for _ in range(2):
        missing = await among(unknown, environment.environment_id, ["signed_upp"], 2.0)
        assert missing == (UnknownName("signed_upp", ()),)
    assert sum("DISTINCT" in sql for sql in counting.statements) == 1
    counting.trouble = None
    found = UnknownName("signed_upp", ("signed_up",))
    assert await among(unknown, environment.environment_id, ["signed_upp"], 60.0) == (found,)


@dataclass
class SetClock(FixedClock):
    """Says what it is set to."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


async def test_that_nothing_is_similar_is_not_believed_for_ever(environment: Environment) -> None:
    """The question may have come before the first event did, or at a bad moment: minutes later it is looked for."""
    counting, clock = Counting(environment, trouble=TimedOut("too long"), in_trouble="DISTINCT"), SetClock()
    unknown = UnknownNames(counting, clock)  # type: ignore[arg-type]
    assert await among(unknown, environment.environment_id, ["signed_upp"]) == (UnknownName("signed_upp", ()),)
    counting.trouble = None
    await environment.load(Fact("signed_up"))
    clock.moment += timedelta(minutes=6)
    found = UnknownName("signed_upp", ("signed_up",))
    assert await among(unknown, environment.environment_id, ["signed_upp"]) == (found,)


async def test_looking_for_names_takes_half_of_the_time_that_is_left_and_two_seconds_at_most(
    environment: Environment,
) -> None:
    """In all, for however many names: else an answer that is there would be lost to the deadline of its caller."""
    await environment.load(Fact("signed_up"))
    series = tuple(Series(name) for name in ("signed_u", "signed_upp", "nothing like it"))
    for timeout, most in ((60.0, 2.0), (3.0, 1.5), (None, 2.0)):
        counting = Counting(environment)
        asking = insights(counting, FixedClock())  # type: ignore[arg-type]
        query = TrendQuery(series, MARCH)
        answered = await asking.ask(plan_trend, query, Terms(environment.environment_id, GROUP_TYPES, timeout))
        similar = {"nothing like it": (), "signed_u": ("signed_up",), "signed_upp": ("signed_up",)}
        assert {each.name: each.similar for each in answered.unknown} == similar
        sent, like = counting.timeouts[-2:]
        assert "DISTINCT" in counting.statements[-1]
        assert "UNION ALL" in counting.statements[-2]
        assert sent is not None
        assert like is not None
        assert like < sent <= most


async def test_comparing_names_is_bounded(environment: Environment) -> None:
    """Ten unknown names of a question are compared, and none that is longer than an event's may be; all are unknown."""
    await environment.load(Fact("é" * 200), Fact("opened_00"), Fact("open_it"), Fact("opened_it"), Fact("opened_00x"))
    unknown = UnknownNames(environment.warehouse, FixedClock())
    names = [f"opened_{number:02}x" for number in range(1, 21)]
    found = await among(unknown, environment.environment_id, names)
    assert [each.name for each in found] == names
    assert [len(each.similar) for each in found] == [3] * 10 + [0] * 10
    assert found[0].similar == ("opened_00x", "opened_00", "opened_it")
    long, longer = "é" * 199 + "e", "é" * 100_000
    assert await among(unknown, environment.environment_id, [long, longer]) == (
        UnknownName(long, ("é" * 200,)),
        UnknownName(longer, ()),
    )
