"""Feature usage against golden cases, and against plain Python over made-up events."""

import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee.evaluation import Condition, Filter, Operator
from burgee_server.errors import Invalid
from burgee_server.insights.features import Feature, FeaturesQuery, FeatureUsage, plan_features
from burgee_server.insights.words import Happening, Interval, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples
from tests.fixtures.warehouse import Environment, Fact, new_environment
from tests.unit.insights.asking import MARCH, ask
from tests.unit.insights.facts import facts
from tests.unit.insights.reference import by, once

BERLIN = ZoneInfo("Europe/Berlin")


def feature(event: str = "", label: str = "", filter_: Filter | None = None, action: str = "") -> Feature:
    """One that is used by these events."""
    return Feature(Happening(event, action, filter_), label)


def at(day: int, hour: int = 12, month: int = 3) -> datetime:
    """A moment of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


async def usage(environment: Environment, *features: Feature, **asked: Any) -> FeatureUsage:
    """Ask for the usage of features in March, by user and by company."""
    return await ask(
        environment, plan_features, FeaturesQuery(features, **({"range": MARCH, "group_type": "company"} | asked))
    )


async def test_a_feature_is_told_by_who_uses_it_how_often_and_since_when(environment: Environment) -> None:
    """Adoption is of all who were active at all, whatever they did; the last use may be long ago."""
    acme, globex = {"company": "acme"}, {"company": "globex"}
    await environment.load(
        *(Fact("export", "ann", at(day), acme) for day in (2, 2, 3)),
        Fact("export", "bob", at(3), acme),
        Fact("share", "eve", at(5, month=1), globex),
        Fact("seen", "eve", at(4), globex),
        Fact("seen", "joe", at(4)),
    )
    answer = await usage(environment, feature("export", label="Export"), feature("share"), feature("never"))
    export, share, never = answer.features
    assert (answer.active_users, answer.active_groups) == (4, 2)
    assert (export.label, export.events, export.users, export.user_share) == ("Export", 4, 2, 0.5)
    assert (export.groups, export.group_share) == (1, 0.5)
    assert (export.events_per_user, export.days_per_user, export.returning_share) == (2, 1.5, 0.5)
    assert export.trend[:4] == (0, 1, 2, 0)
    assert (export.first_used_at, export.last_used_at) == (at(2), at(3))
    assert (share.events, share.users, share.user_share, share.groups) == (0, 0, 0, 0)
    assert (share.first_used_at, share.last_used_at) == (at(5, month=1), at(5, month=1))
    assert math.isnan(share.events_per_user)
    assert math.isnan(share.days_per_user)
    assert (never.first_used_at, never.last_used_at) == (None, None)


async def test_an_event_may_be_the_use_of_several_features(environment: Environment) -> None:
    """Each told apart by its filter; the filter of the question holds for all, and for who was active."""
    await environment.load(
        *(Fact("export", name, properties={"as": kind}) for name, kind in (("ann", "pdf"), ("bob", "csv")))
    )
    as_pdf = feature("export", filter_=Condition("event.as", Operator.EQUALS, ("pdf",)), label="pdf")
    answer = await usage(environment, feature("export"), as_pdf)
    assert [(feature.label, feature.users) for feature in answer.features] == [("export", 2), ("pdf", 1)]
    only_bob = Condition("user.key", Operator.EQUALS, ("bob",))
    answer = await usage(environment, feature("export"), as_pdf, filter=only_bob)
    assert [feature.users for feature in answer.features] == [1, 0]
    assert answer.active_users == 1


@pytest.mark.parametrize("time_zone", ["UTC", "Pacific/Apia"])
async def test_days_count_in_a_year_of_them(environment: Environment, time_zone: str) -> None:
    """More than a number has bits; one day in UTC, and two where the clocks are 13 hours ahead, counts as such."""
    await environment.load(*(Fact("export", "ann", at(*when)) for when in ((2, 1), (2, 10), (2, 11), (29, 3))))
    answer = await usage(
        environment, feature("export"), range=TimeRange("2025-06-01", "2026-04-01"), time_zone=time_zone
    )
    assert answer.features[0].events == 4
    assert answer.features[0].days_per_user == (2 if time_zone == "UTC" else 3)


async def test_without_a_group_type_no_groups_are_counted(environment: Environment) -> None:
    """And nobody is missing for it."""
    await environment.load(Fact("export", groups={"company": "acme"}))
    answer = await usage(environment, feature("export"), group_type="")
    assert (answer.features[0].users, answer.features[0].groups, answer.active_groups) == (1, 0, 0)


BAD: list[tuple[tuple[Feature, ...], dict[str, Any], str]] = [
    ((), {}, "features"),
    ((feature("x"),) * 51, {}, "features"),
    ((feature("x"), feature()), {}, "features[1].use.event"),
    ((feature("x" * 201),), {}, "features[0].use.event"),
    ((feature("x", label="y" * 201),), {}, "features[0].label"),
    ((feature(action="nothing"),), {}, "features[0].use.action"),
    ((feature("x", filter_=Condition("x", Operator.IS_SET)),), {}, "features[0].use.filter.condition.attribute"),
    ((feature("x"),), {"group_type": "planet"}, "group_type"),
    ((feature("x"),) * 50, {"range": TimeRange("-300d"), "interval": Interval.HOUR}, "interval"),
    ((feature("x"),), {"range": TimeRange("-50y"), "interval": Interval.HOUR}, "interval"),
]


@pytest.mark.parametrize(("features", "asked", "field"), BAD)
async def test_what_cannot_be_asked_is_refused_by_its_field(
    warehouse: ClickHouseWarehouse, features: tuple[Feature, ...], asked: dict[str, Any], field: str
) -> None:
    """Before anything is asked of the warehouse."""
    with pytest.raises(Invalid) as error:
        await usage(new_environment(warehouse), *features, **asked)
    assert error.value.violations[0].field == field


@examples(8)
@given(made=facts(), interval=st.sampled_from([Interval.DAY, Interval.WEEK, Interval.MONTH]))
async def test_usage_is_what_plain_python_makes_of_the_events(
    warehouse: ClickHouseWarehouse, made: list[Fact], interval: Interval
) -> None:
    """Over duplicates, ties and the night in which Berlin's clocks change."""
    environment = new_environment(warehouse)
    if made:
        await environment.load(*made)
    start, end = (datetime(2026, month, day, tzinfo=BERLIN) for month, day in ((3, 28), (4, 1)))
    asked = {"range": TimeRange("2026-03-28", "2026-04-01"), "time_zone": "Europe/Berlin", "interval": interval}
    answer = await usage(environment, feature("a"), feature("b"), **asked)
    ever = [fact for fact in once(made) if fact.timestamp < end]
    inside = [fact for fact in ever if fact.timestamp >= start]
    active = {fact.distinct_id for fact in inside}
    companies = {fact.groups["company"] for fact in inside if "company" in fact.groups}
    assert (answer.active_users, answer.active_groups) == (len(active), len(companies))
    for use in answer.features:
        mine = [fact for fact in inside if fact.event == use.label]
        users = by(mine, lambda fact: fact.distinct_id)
        days = {name: {fact.timestamp.astimezone(BERLIN).date() for fact in of} for name, of in users.items()}
        assert (use.events, use.users) == (len(mine), len(users))
        assert use.groups == len({fact.groups["company"] for fact in mine if "company" in fact.groups})
        if users:
            assert use.user_share == len(users) / len(active)
            assert use.days_per_user == pytest.approx(sum(map(len, days.values())) / len(users))
            assert use.returning_share == sum(len(on) > 1 for on in days.values()) / len(users)
        for column, following, number in zip(answer.columns, [*answer.columns[1:], end], use.trend, strict=True):
            assert number == len({fact.distinct_id for fact in mine if column <= fact.timestamp < following})
        times = [fact.timestamp for fact in ever if fact.event == use.label]
        assert (use.first_used_at, use.last_used_at) == (min(times, default=None), max(times, default=None))
