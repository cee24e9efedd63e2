"""Answers by the variant of a flag that whoever it is drawn by had when the event happened: split, and filtered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from burgee.evaluation import Condition, Operator
from burgee_server.insights.features import Feature, FeaturesQuery, plan_features
from burgee_server.insights.funnel import FunnelQuery, Step
from burgee_server.insights.lifecycle import LifecycleQuery, plan_lifecycle
from burgee_server.insights.paths import PathsQuery, plan_paths
from burgee_server.insights.retention import RetentionQuery, Starts, plan_retention
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Happening, Interval, TimeRange
from tests.fixtures.vocabulary import cohort, with_cohorts
from tests.fixtures.warehouse import Environment, Fact
from tests.unit.insights.asking import MARCH, ask, funnel, trend

FLAG = "company.$feature/new-reports"


def at(day: int, hour: int = 12, month: int = 3) -> datetime:
    """A moment of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def exposed(who: str, moment: datetime, variant: str, drawn_by: str = "company", flag: str = "new-reports") -> Fact:
    """What a client captures at a check: `who` is the company, or the user."""
    properties = {
        "$feature_flag": flag,
        "$feature_flag_response": variant,
        "$feature_flag_bucket_by": drawn_by,
    }
    company = {} if drawn_by == "user" else {"company": who}
    return Fact("$feature_flag_called", who if drawn_by == "user" else "somebody", moment, company, properties)


async def parts(environment: Environment, attribute: str, *more: str, event: str = "used") -> dict[str, float]:
    """How many events by what they are split into; the missing ones are ""."""
    query = TrendQuery((Series(event),), MARCH, breakdown=Breakdown((attribute, *more)))
    return {str(row.part): row.total for row in (await trend(environment, query)).rows}


async def test_events_count_for_the_variant_of_their_moment(environment: Environment) -> None:
    """Before the first exposure for none; at its very moment and after for it; after a change for the next."""
    acme = {"company": "acme"}
    await environment.load(
        exposed("acme", at(5), "off"),
        exposed("acme", at(9), "on"),
        exposed("acme", at(9), "other flag", flag="another"),
        *(Fact("used", name, moment, acme) for name in ("ann", "bob") for moment in (at(4), at(5), at(8), at(10))),
        Fact("used", "eve", at(10), {"company": "globex"}),
        Fact("used", "joe", at(10)),
    )
    assert await parts(environment, "company.$feature/new-reports") == {"": 4, "off": 4, "on": 2}
    assert await parts(environment, "company.$feature/nothing") == {"": 10}
    assert await parts(environment, "user.$feature/new-reports") == {"": 10}
    assert await parts(environment, "company.$feature/new-reports", "company.key") == {
        " / acme": 2,
        "off / acme": 4,
        "on / acme": 2,
        " / globex": 1,
        "": 1,
    }


async def test_an_exposure_before_the_range_still_holds(environment: Environment) -> None:
    """And a flag that draws by a property of the company is the company's."""
    await environment.load(
        exposed("acme", at(3, month=1), "on", drawn_by="company.region"),
        Fact("used", "ann", at(2), {"company": "acme"}),
    )
    assert await parts(environment, "company.$feature/new-reports") == {"on": 1}


async def test_of_users_it_is_the_users_own(environment: Environment) -> None:
    """Whoever the company is."""
    await environment.load(
        exposed("ann", at(1), "on", drawn_by="user"),
        exposed("acme", at(1), "off"),
        Fact("used", "ann", at(2), {"company": "acme"}),
    )
    assert await parts(environment, "user.$feature/new-reports") == {"on": 1}
    assert await parts(environment, "company.$feature/new-reports") == {"off": 1}


async def test_a_funnel_is_split_by_the_variant_at_the_first_step(environment: Environment) -> None:
    """So that those who came in before the rollout are not counted for it."""
    await environment.load(
        exposed("acme", at(5), "on"),
        *(Fact(event, "ann", moment, {"company": "acme"}) for event, moment in (("a", at(6)), ("b", at(7)))),
        *(Fact(event, "bob", moment, {"company": "acme"}) for event, moment in (("a", at(4)), ("b", at(7)))),
        *(Fact(event, "eve", moment, {"company": "zed"}) for event, moment in (("a", at(6)),)),
    )
    query = FunnelQuery((Step("a"), Step("b")), MARCH, breakdown=Breakdown(("company.$feature/new-reports",)))
    rows = {str(row.part): [step.count for step in row.steps] for row in (await funnel(environment, query)).rows}
    assert rows == {"on": [1, 1], "": [2, 1]}


async def test_a_first_time_is_of_the_variant_that_one_had_then(environment: Environment) -> None:
    """Not of what came later."""
    acme = {"company": "acme"}
    await environment.load(
        exposed("acme", at(3), "off"),
        exposed("acme", at(5), "on"),
        *(Fact("a", "ann", at(day), acme) for day in (4, 6)),
    )
    breakdown = Breakdown(("company.$feature/new-reports",))
    query = TrendQuery((Series("a", Measure.FIRST_TIME),), MARCH, breakdown=breakdown)
    assert [(str(row.part), row.total) for row in (await trend(environment, query)).rows] == [("off", 1)]


async def test_what_ones_own_people_were_shown_their_company_had(environment: Environment) -> None:
    """It is told once an hour, by whoever comes first; what they do is left out all the same."""
    acme, mine = {"company": "acme"}, cohort("team")
    exposure = replace(exposed("acme", at(3), "on"), distinct_id="eve")
    await environment.load(exposure, *(Fact("used", who, at(4), acme) for who in ("ann", "eve")))
    query = TrendQuery((Series("used"),), MARCH, breakdown=Breakdown(("company.$feature/new-reports",)))
    ours = with_cohorts(mine, internal_cohort_key="team")
    answer = await ask(environment, plan_trend, query, ours, {"team": ["eve"]})
    assert [(str(row.part), row.total) for row in answer.rows] == [("on", 1)]


async def on_and_off(environment: Environment) -> None:
    """acme gets the feature on the 3rd and loses it on the 10th; globex never has it. Both are there every day."""
    days = [
        Fact(name, f"{company[0]}-ann", at(day, hour), {"company": company})
        for company in ("acme", "globex")
        for day in range(1, 15)
        for hour, name in ((9, "opened"), (12, "used"))
    ]
    await environment.load(*days, exposed("acme", at(3, 9), "on"), exposed("acme", at(10, 9), "off"))


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        (Condition(FLAG, Operator.EQUALS, ("on",)), 7),
        (Condition(FLAG, Operator.IN, ("on", "off")), 12),
        (Condition(FLAG, Operator.IS_SET), 12),
        (Condition(FLAG, Operator.IS_NOT_SET), 2 + 14),
        (Condition(FLAG, Operator.NOT_EQUALS, ("on",)), 7 + 14),
        (Condition(FLAG, Operator.STARTS_WITH, ("of",)), 5),
        (Condition("user.$feature/new-reports", Operator.IS_SET), 0),
    ],
)
async def test_a_filter_asks_for_the_variant_of_the_moment(
    environment: Environment, condition: Condition, days: float
) -> None:
    """From the moment of the exposure on, and up to that of the next; of who was never given one, it is missing."""
    await on_and_off(environment)
    answer = await trend(environment, TrendQuery((Series("used"),), MARCH, filter=condition))
    assert answer.rows[0].total == days


async def test_what_is_not_split_is_asked_for_each_variant(environment: Environment) -> None:
    """Lifecycles, paths and features by a filter; so every question is about what was done with a feature."""
    await on_and_off(environment)
    on = Condition(FLAG, Operator.EQUALS, ("on",))
    lifecycle = LifecycleQuery(range=MARCH, interval=Interval.DAY, count_by="company", filter=on)
    columns = (await ask(environment, plan_lifecycle, lifecycle)).columns
    assert [each.column.day for each in columns if each.new or each.dormant] == [3, 10]
    paths = PathsQuery(Happening("opened"), range=MARCH, gap=timedelta(hours=4), filter=on)
    edges = (await ask(environment, plan_paths, paths)).edges
    assert [(each.source, each.target, each.paths) for each in edges] == [("opened", "used", 7)]
    features = FeaturesQuery((Feature(Happening("used")),), range=MARCH, filter=on)
    usage = await ask(environment, plan_features, features)
    assert (usage.features[0].events, usage.features[0].users, usage.active_users) == (7, 1, 1)


async def test_returns_after_the_range_are_told_by_the_exposures_of_then(environment: Environment) -> None:
    """A retention looks beyond the range for who came back; the company has lost the feature meanwhile."""
    await on_and_off(environment)
    on = Condition(FLAG, Operator.EQUALS, ("on",))
    asked = TimeRange("2026-03-08", "2026-03-09")
    query = RetentionQuery(range=asked, interval=Interval.DAY, periods=3, starts=Starts.RECURRING, filter=on)
    [table] = (await ask(environment, plan_retention, query)).tables
    assert [cell.count for cell in table.rows[0].cells] == [1, 1, 0, 0]


async def test_of_an_event_it_is_a_property(environment: Environment) -> None:
    """As other systems send it."""
    await environment.load(Fact("used", properties={"$feature/x": "on"}))
    assert await parts(environment, "event.$feature/x") == {"on": 1}
