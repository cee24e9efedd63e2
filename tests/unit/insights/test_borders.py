"""Events are placed by their days and quarters of an hour where that is enough, and none is lost or counted twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burgee_server.insights.retention import RetentionQuery, plan_retention
from burgee_server.insights.sql import borders, columns
from burgee_server.insights.trend import Measure, Series, TrendQuery
from burgee_server.insights.words import Breakdown, Interval, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.warehouse import Fact, new_environment
from tests.unit.insights.asking import ask, trend

_START, _MIDDLE = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 16, tzinfo=UTC)
# Around the midnights of six zones, in winter and, from 8 and 29 March on, in summer.
_MOMENTS = st.builds(
    lambda day, minutes, micros: _START + timedelta(days=day, minutes=minutes, microseconds=micros),
    st.sampled_from([1, 2, 28, 55, 57, 58]) | st.integers(0, 59),  # those of borders, and any
    st.sampled_from([0, 4 * 60, 5 * 60, 13 * 60, 18 * 60 + 15, 22 * 60, 23 * 60, 12 * 60]),
    st.sampled_from([-1, 0, 1]),
)
_ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin", "Europe/London"]
)
_RANGES = st.sampled_from(
    [
        TimeRange("2026-02-02", "2026-03-30"),
        TimeRange("2026-02-02", "2026-03-28T12:00:00Z"),
        TimeRange("2026-02-03T04:00:00.000001Z", "2026-03-28T12:00:00Z"),
    ]
)


def _moment(text: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


@settings(max_examples=20, deadline=None)
@given(st.lists(_MOMENTS, max_size=15), _RANGES, _ZONES, st.sampled_from(["day", "week", "month"]), st.booleans())
async def test_every_event_is_in_its_column_and_in_no_other(
    warehouse: ClickHouseWarehouse, made: list[datetime], range_: TimeRange, zone: str, interval: str, by_company: bool
) -> None:
    """In six time zones, over days on which clocks change, and in ranges that begin and end in the midst of a day."""
    environment = new_environment(warehouse)
    start, end = _moment(range_.start, zone), _moment(range_.end, zone)
    made = [*made, *(moment + timedelta(microseconds=off) for moment in (start, end) for off in (-1, 0, 1))]
    facts = [Fact(timestamp=at, distinct_id=str(number), groups={"company": "acme"}) for number, at in enumerate(made)]
    await environment.load(Fact("other", timestamp=_MIDDLE, groups={"company": "acme"}), *facts)
    series = Series("seen", Measure.TOTAL if by_company else Measure.UNIQUE_USERS)
    breakdown = Breakdown(("company.key",)) if by_company else None
    answer = await trend(environment, TrendQuery((series,), range_, zone, Interval(interval), breakdown=breakdown))

    borders = [*answer.columns[1:], end]
    expected = [0] * len(borders)
    for at in made:
        if start <= at < end:
            expected[next(number for number, border in enumerate(borders) if at < border)] += 1
    rows = [row for row in answer.rows if sum(row.values)]
    assert [list(row.values) for row in rows] == ([expected] if sum(expected) else [])
    assert [row.total for row in rows] == ([sum(expected)] if sum(expected) else [])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(_MOMENTS, st.sampled_from("abc")), max_size=15), _RANGES, _ZONES)
async def test_who_came_back_is_the_same_as_by_timestamps_alone(
    warehouse: ClickHouseWarehouse, made: list[tuple[datetime, str]], range_: TimeRange, zone: str
) -> None:
    """A retention by week places starts and returns alike, whatever it goes by."""
    environment = new_environment(warehouse)
    facts = [Fact(timestamp=at, distinct_id=who) for at, who in made]
    await environment.load(Fact("other", timestamp=_MIDDLE), *facts)
    query = RetentionQuery(range=range_, time_zone=zone, interval=Interval.WEEK, periods=5)
    found = await ask(environment, plan_retention, query)
    with pytest.MonkeyPatch.context() as patched:
        for module in (borders, columns):
            patched.setattr(module, "quarter_of", lambda _: None)
        patched.setattr(borders, "_FEWEST_DAYS", 1 << 16)
        by_time = await ask(environment, plan_retention, query)
    assert replace(found, info=by_time.info) == by_time
