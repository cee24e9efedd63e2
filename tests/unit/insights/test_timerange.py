"""What a range means, and where its columns begin."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.errors import Invalid
from burgee_server.insights.timerange import NAMED, Span, span
from burgee_server.insights.words import Interval, TimeRange

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana",
         "Africa/Cairo", "Pacific/Apia", "America/Sao_Paulo"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("now", "", "2026-03-31T12:30:00"),
        ("-36h", "Europe/Berlin", "2026-03-30T00:30:00"),
        ("-3d", "", "2026-03-28T12:30:00"),
        ("-3d", "Europe/Berlin", "2026-03-28T13:30:00"),  # 14:30 on both days; the clocks changed between
        ("-2w", "", "2026-03-17T12:30:00"),
        ("-1m", "", "2026-02-28T12:30:00"),
        ("-1y", "", "2025-03-31T12:30:00"),
        ("2026-03-01", "Europe/Berlin", "2026-02-28T23:00:00"),
        ("2026-03-01T10:15", "Europe/Berlin", "2026-03-01T09:15:00"),
        ("2026-03-01T10:15:30.25", "", "2026-03-01T10:15:30.250000"),
        ("2026-03-01T10:15:30.000001+05:45", "Europe/Berlin", "2026-03-01T04:30:30.000001"),
        ("2016-12-31T23:59:60", "", "2017-01-01T00:00:00"),  # a leap second
        ("2017-01-01T00:59:60.5", "Europe/Berlin", "2017-01-01T00:00:00.500000"),
        ("2016-12-31T23:59:60Z", "Europe/Berlin", "2017-01-01T00:00:00"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00"),  # a time that the clocks left out
        ("2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T00:30:00"),  # a time that came twice: the first
    ],
)
def test_a_bound_is_read_in_the_zone_of_the_query(text: str, zone: str, utc: str) -> None:
    """Every form of a bound, over changes of the clocks and months of any length."""
    assert span(TimeRange(text, "2099-01-01"), zone, NOW).start == datetime.fromisoformat(utc + "+00:00")


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [  # NOW is Tuesday, 31 March, 14:30 in Berlin, two days after its clocks were set forward
        ("today", "2026-03-31T00:00+02:00", "2026-03-31T14:30+02:00"),
        ("yesterday", "2026-03-30T00:00+02:00", "2026-03-31T00:00+02:00"),
        ("this week", "2026-03-30T00:00+02:00", "2026-03-31T14:30+02:00"),
        ("last week", "2026-03-23T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("this month", "2026-03-01T00:00+01:00", "2026-03-31T14:30+02:00"),
        ("last month", "2026-02-01T00:00+01:00", "2026-03-01T00:00+01:00"),
        ("this quarter", "2026-01-01T00:00+01:00", "2026-03-31T14:30+02:00"),
        ("last quarter", "2025-10-01T00:00+02:00", "2026-01-01T00:00+01:00"),
        ("this year", "2026-01-01T00:00+01:00", "2026-03-31T14:30+02:00"),
        ("last year", "2025-01-01T00:00+01:00", "2026-01-01T00:00+01:00"),
        ("all", "2025-07-04T00:00+02:00", "2026-03-31T14:30+02:00"),
    ],
)
def test_a_span_may_be_named(name: str, start: str, end: str) -> None:
    """In the zone of the query; "all" begins with the day of the first event there."""
    asked = span(TimeRange(name), "Europe/Berlin", NOW, first=datetime(2025, 7, 3, 22, 15, tzinfo=UTC))
    assert (asked.start, asked.end) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_named_span_is_never_empty(name: str) -> None:
    """Not even in the moment in which day, week, month, quarter and year begin."""
    begin = datetime(2029, 1, 1, tzinfo=UTC)
    asked = span(TimeRange(name), "", begin)
    assert asked.start < asked.end
    assert asked.end - begin <= timedelta(microseconds=1)


def test_an_empty_range_is_the_last_thirty_days() -> None:
    """As TimeRange says."""
    asked = span(TimeRange(), "", NOW)
    assert (asked.start, asked.end) == (NOW - timedelta(days=30), NOW)


@pytest.mark.parametrize(
    ("range_", "zone", "field"),
    [
        (TimeRange("last fortnight"), "", "range.start"),
        (TimeRange("today", "now"), "", "range.end"),
        (TimeRange("all", "now"), "", "range.end"),
        (TimeRange("-30d", "today"), "", "range.end"),
        (TimeRange("2026-02-30"), "", "range.start"),
        (TimeRange("-99999y"), "", "range.start"),
        (TimeRange("1899-12-31"), "", "range.start"),
        (TimeRange("-30d", "2300-01-02"), "", "range.end"),
        (TimeRange("-30d", "1772323200"), "", "range.end"),
        (TimeRange("-30d", "9999-12-31T23:59:59-23:00"), "", "range.end"),
        (TimeRange("0001-01-01"), "Asia/Tokyo", "range.start"),
        (TimeRange("now", "now"), "", "range"),
        (TimeRange("2026-03-02", "2026-03-01"), "", "range"),
        (TimeRange(), "Mars/Base", "time_zone"),
        (TimeRange(), "../etc/passwd", "time_zone"),
        (TimeRange(), "Europe", "time_zone"),
        (TimeRange(), "right/UTC", "time_zone"),
        (TimeRange(), "posix/Europe/Berlin", "time_zone"),
        (TimeRange(), "localtime", "time_zone"),
        (TimeRange(), "\0", "time_zone"),
    ],
)
def test_a_bad_range_names_its_field(range_: TimeRange, zone: str, field: str) -> None:
    """Nonsense, overflow, dates that are none, backward spans and unknown zones are the caller's to mend."""
    with pytest.raises(Invalid) as error:
        span(range_, zone, NOW)
    assert [violation.field for violation in error.value.violations] == [field]


def starts(interval: Interval, zone: str, start: str, end: str) -> list[str]:
    """The columns as local times."""
    columns = span(TimeRange(start, end), zone, NOW).columns(interval)
    return [column.astimezone(ZoneInfo(zone)).strftime("%m-%dT%H:%M%z") for column in columns]


def test_days_are_as_long_as_the_clocks_make_them() -> None:
    """23 hours in March; every column begins at local midnight."""
    assert starts(Interval.DAY, "Europe/Berlin", "2026-03-28", "2026-03-31") == [
        "03-28T00:00+0100",
        "03-29T00:00+0100",
        "03-30T00:00+0200",
    ]


def test_an_hour_may_come_twice_or_not_at_all() -> None:
    """2 a.m. is left out in March and counted twice, apart, in October; half-hour zones begin at their own hours."""
    assert starts(Interval.HOUR, "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T04:00") == [
        "03-29T01:00+0100",
        "03-29T03:00+0200",
    ]
    assert starts(Interval.HOUR, "Europe/Berlin", "2025-10-26T01:00", "2025-10-26T03:00") == [
        "10-26T01:00+0200",
        "10-26T02:00+0200",
        "10-26T02:00+0100",
    ]
    assert starts(Interval.HOUR, "Asia/Kathmandu", "2026-03-01T10:20", "2026-03-01T12:00") == [
        "03-01T10:00+0545",
        "03-01T11:00+0545",
    ]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """The first column begins before the range if the range does not begin with it."""
    assert starts(Interval.WEEK, "UTC", "2026-03-05", "2026-03-17") == [
        "03-02T00:00+0000",
        "03-09T00:00+0000",
        "03-16T00:00+0000",
    ]
    assert starts(Interval.MONTH, "Europe/Berlin", "2026-01-31", "2026-04-01") == [
        "01-01T00:00+0100",
        "02-01T00:00+0100",
        "03-01T00:00+0100",
    ]


def test_too_many_columns_are_refused() -> None:
    """10,000 at most: a wider interval is asked for, and nothing is cut off."""
    assert len(span(TimeRange("-10000h"), "", NOW.replace(minute=0)).columns(Interval.HOUR)) == 10_000
    with pytest.raises(Invalid, match="interval"):
        span(TimeRange("-10001h"), "", NOW.replace(minute=0)).columns(Interval.HOUR)


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 2_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    hours=st.integers(1, 24 * 60),
    interval=st.sampled_from(Interval),
)
def test_columns_follow_the_local_calendar(zone: str, start: datetime, hours: int, interval: Interval) -> None:
    """They cover the span in order, and every moment lies in the column of its local unit."""
    end = start + timedelta(hours=hours)
    columns = Span(start, end, ZoneInfo(zone)).columns(interval)
    assert columns[0] <= start
    assert columns[-1] < end
    assert list(columns) == sorted(set(columns))
    for moment in (start + (end - start) * part / 50 for part in range(50)):
        column = max(column for column in columns if column <= moment)
        assert _unit(column, interval, zone) == _unit(moment, interval, zone)


def _unit(moment: datetime, interval: Interval, zone: str) -> object:
    local = moment.astimezone(ZoneInfo(zone))
    match interval:
        case Interval.HOUR:
            return local.date(), local.hour
        case Interval.DAY:
            return local.date()
        case Interval.WEEK:
            return local.isocalendar()[:2]
        case Interval.MONTH:
            return local.year, local.month
        case Interval.QUARTER:
            return local.year, (local.month - 1) // 3
        case Interval.YEAR:
            return local.year
