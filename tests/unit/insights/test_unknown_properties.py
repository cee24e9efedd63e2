"""Properties by which a question goes and that nobody has: the answer says so, and what may have been meant."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from burgee.evaluation import USER, AllOf, AnyOf, Condition, Not, Operator
from burgee_server.errors import TimedOut
from burgee_server.insights.asked import Asked, Terms
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.named import properties_of
from burgee_server.insights.paths import PathsQuery, plan_paths
from burgee_server.insights.timerange import Span
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.unknown import UnknownNames
from burgee_server.insights.words import AsOf, Breakdown, Happening, UnknownName
from burgee_server.ports.actions import Matcher
from burgee_server.ports.criteria import Having, InCohort, Some
from burgee_server.ports.vocabulary import Vocabulary
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, ProfileRow, ProfileVersion
from tests.fixtures.vocabulary import action, cohort, insights, named
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import GROUP_TYPES, MARCH, NOW, FixedClock
from tests.unit.insights.test_unknown import Counting, SetClock


def is_set(attribute: str) -> Condition:
    """The least that can be asked of an attribute."""
    return Condition(attribute, Operator.IS_SET)


async def unknown(
    environment: Environment, query: Any, plan: Any = plan_trend, vocabulary: Vocabulary | None = None, **terms: Any
) -> dict[str, tuple[str, ...]]:
    """The attributes that nobody has, and what is like them."""
    asking = insights(environment.warehouse, FixedClock(), vocabulary)
    answered = await asking.ask(plan, query, Terms(environment.environment_id, GROUP_TYPES, **terms))
    return {f"{each.owner}.{each.name}": each.similar for each in answered.unknown if each.owner}


@pytest.fixture
async def used(environment: Environment) -> Environment:
    """An event with every kind of property, a user, a company, and a team that had a property once."""
    odd = {"it's `odd`": 1, "a.b": 2, "shape": {"size": {"x": 1}}, "seats": 5, "tags": [], "paid": False}
    await environment.load(Fact("opened", properties=odd, groups={"company": "acme"}))
    mine = environment.environment_id
    await environment.warehouse.load_profiles(
        [ProfileRow(mine, USER, "ann", {"role": "admin"}, 1), ProfileRow(mine, "company", "acme", {"plan": "pro"}, 2)]
    )
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    await environment.warehouse.load_profile_versions([ProfileVersion(mine, "team", "red", long_ago, {"size": 3}, 1)])
    return environment


async def test_what_nobody_has_is_named_with_what_is_spelt_like_it(used: Environment) -> None:
    """Of events, users and groups, whatever it is named and whatever its values are; each owner has its own."""
    there = ["event.it's `odd`", "event.a.b", "event.shape", "event.seats", "event.tags", "event.paid"]
    there += ["user.role", "company.plan", "user.key", "company.key"]
    wrong = [
        "event.seat",
        "event.plan",
        "event.a",
        "event.it's odd",
        "user.rol",
        "user.seats",
        "company.plann",
        "team.size",
    ]
    query = TrendQuery((Series(),), MARCH, filter=AnyOf(tuple(map(is_set, [*there, *wrong]))))
    assert await unknown(used, query) == {
        "event.seat": ("seats",),
        "event.plan": (),
        "event.a": (),
        "event.it's odd": ("it's `odd`",),
        "user.rol": ("role",),
        "user.seats": (),
        "company.plann": ("plan",),
        "team.size": (),
    }


async def test_a_property_that_a_group_had_once_is_known_to_questions_about_the_time_of_events(
    used: Environment,
) -> None:
    """A group had it once; to those about now it is not."""
    query = TrendQuery((Series(),), MARCH, filter=is_set("team.size"))
    assert await unknown(used, query, properties_as_of=AsOf.EVENT) == {}


async def test_properties_of_every_part_of_a_question_are_looked_for(used: Environment) -> None:
    """Series, steps, breakdowns, names of paths; actions and cohorts that it names, and cohorts in cohorts."""
    summed = TrendQuery(
        (Series("opened", Measure.SUM, "seatz"),), MARCH, breakdown=Breakdown(("company.plam", "user.key"))
    )
    assert await unknown(used, summed) == {"event.seatz": ("seats",), "company.plam": ("plan",)}
    steps = Step("opened", AllOf((Not(is_set("event.payd")), is_set("event.paid")))), Step("opened")
    assert await unknown(used, FunnelQuery(steps, MARCH), plan_funnel) == {"event.payd": ("paid",)}
    assert await unknown(used, PathsQuery(None, None, range=MARCH, name_by="sh4pe"), plan_paths) == {
        "event.sh4pe": ("shape",)
    }

    inner = cohort("inner", Having(is_set("user.roll")))
    outer = cohort("outer", Some((InCohort("inner"), Having(is_set("user.role")))))
    vocabulary = named(
        action("doing", Matcher("opened", is_set("event.seatss"))), cohorts={"inner": inner, "outer": outer}
    )
    member = Condition("user.key", Operator.IN_COHORT, ("outer",))
    asked = TrendQuery((Series(action="doing"),), MARCH, filter=member)
    assert await unknown(used, asked, vocabulary=vocabulary) == {"event.seatss": ("seats",), "user.roll": ("role",)}
    by_cohort = TrendQuery((Series(),), MARCH, breakdown=Breakdown(("user.$cohort/outer", "company.$feature/new")))
    assert await unknown(used, by_cohort, vocabulary=vocabulary) == {"user.roll": ("role",)}


def test_what_is_no_property_of_a_user_or_a_group_is_one_of_an_event() -> None:
    """Keys, cohorts and variants have their own meanings, but for events, of which anything may be a property."""
    attributes = ("event.key", "event.$feature/x", "user.key", "user.$cohort/x", "company.$feature/x", "company.a.b")
    found = properties_of(TrendQuery((Series(),), breakdown=Breakdown(attributes)), Vocabulary())
    assert found == {("event", "key"), ("event", "$feature/x"), ("company", "a.b")}
    assert properties_of(Happening("a"), Vocabulary()) == frozenset()


async def test_twenty_properties_of_an_owner_are_looked_for(used: Environment) -> None:
    """The first by name: each may be a look at all events."""
    many = TrendQuery((Series(),), MARCH, filter=AnyOf(tuple(is_set(f"event.none{number:02}") for number in range(30))))
    assert list(await unknown(used, many)) == [f"event.none{number:02}" for number in range(20)]


async def test_a_property_that_cannot_be_looked_for_in_time_is_put_off(
    used: Environment,
) -> None:
    """It would wait for two seconds, each time, for nothing; minutes later it is tried again."""
    slow, clock = Counting(used, trouble=TimedOut("too long"), in_trouble="isNotNull(properties."), SetClock()
    names = UnknownNames(slow, clock)  # type: ignore[arg-type]
    asked = Asked(Terms(used.environment_id, GROUP_TYPES), Span(FIRST_TIMESTAMP, NOW, ZoneInfo("UTC")), NOW)
    for _ in range(3):
        assert await names.among(asked, {("event", "seat")}) == ()
    assert len(slow.statements) == 1
    assert await names.among(asked, {("event", "seat")}, 3.0) == ()
    assert len(slow.statements) == 1
    slow.trouble = None
    clock.moment += timedelta(minutes=6)
    assert await names.among(asked, {("event", "seat")}) == (UnknownName("seat", ("seats",), "event"),)


async def test_whoever_has_no_time_puts_nothing_off_for_those_who_have(used: Environment) -> None:
    """A caller with a deadline of a tenth of a second says nothing of what two seconds would find."""
    slow = Counting(used, trouble=TimedOut("too long"), in_trouble="isNotNull(properties.")
    names = UnknownNames(slow, FixedClock())  # type: ignore[arg-type]
    asked = Asked(Terms(used.environment_id, GROUP_TYPES), Span(FIRST_TIMESTAMP, NOW, ZoneInfo("UTC")), NOW)
    for _ in range(2):
        assert await names.among(asked, {("event", "seat")}, 0.1) == ()
    assert len(slow.statements) == 1
    slow.trouble = None
    assert await names.among(asked, {("event", "seat")}) == (UnknownName("seat", ("seats",), "event"),)
