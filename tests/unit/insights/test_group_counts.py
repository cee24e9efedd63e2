"""Trends by group: counted column by column where keys have a column, and the same as in plain Python."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from burgee_server.insights.trend import Series, TrendQuery
from burgee_server.insights.words import Breakdown, Interval, Part, PartKind, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.warehouse import Fact, new_environment
from tests.unit.insights.asking import trend

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
# Around the midnights of two zones, to the microsecond: a day says nothing of the one whose midnight is not its own.
MOMENTS = st.builds(
    lambda day, hour, micros: MIDNIGHT + timedelta(days=day, hours=hour, microseconds=micros),
    st.integers(0, 16),
    st.sampled_from([0, 12, 23]),
    st.sampled_from([-1, 0, 1]),
)
FACTS = st.lists(st.tuples(MOMENTS, st.sampled_from(["", "acme", "globex", "umbrella"])), max_size=20)
RANGES = [TimeRange("2026-03-02", "2026-03-16"), TimeRange("2026-03-02T12:00:00Z", "2026-03-15T23:00:00.000001Z")]


@settings(max_examples=12, deadline=None)
@given(FACTS, st.sampled_from(RANGES), st.sampled_from(["UTC", "Europe/Berlin"]), st.sampled_from(["day", "week"]))
async def test_events_of_each_company_are_in_their_columns(
    warehouse: ClickHouseWarehouse, made: list[tuple[datetime, str]], range_: TimeRange, zone: str, interval: str
) -> None:
    """At the borders of columns and of the range; the greatest company apart, all others together, and none."""
    environment = new_environment(warehouse)
    await environment.load(
        Fact(timestamp=datetime(2026, 2, 1, tzinfo=UTC)),
        *(Fact(timestamp=at, groups={"company": company} if company else {}) for at, company in made),
    )
    query = TrendQuery((Series(),), range_, zone, Interval(interval), breakdown=Breakdown(("company.key",), 1))
    answer = await trend(environment, query)

    here = ZoneInfo(zone)
    start, end = (datetime.fromisoformat(text) for text in (range_.start, range_.end))
    start, end = (moment if moment.tzinfo else moment.replace(tzinfo=here) for moment in (start, end))
    inside = [(at, company) for at, company in made if start <= at < end]
    sizes = Counter(company for _, company in inside if company)
    first = min(sizes, key=lambda company: (-sizes[company], company), default="")

    def part(company: str) -> Part:
        if not company:
            return Part(PartKind.MISSING)
        return Part(PartKind.VALUE, company) if company == first else Part(PartKind.OTHER)

    expected: dict[Part, list[int]] = {}
    borders = [*answer.columns[1:], end]
    for at, company in inside:
        line = expected.setdefault(part(company), [0] * len(borders))
        line[next(number for number, border in enumerate(borders) if at < border)] += 1
    assert {row.part: list(row.values) for row in answer.rows} == expected
    assert {row.part: row.total for row in answer.rows} == {each: sum(line) for each, line in expected.items()}
