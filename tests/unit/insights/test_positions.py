"""In which column of time an event lies: by its day, its quarter of an hour or its timestamp, in any time zone."""

from bisect import bisect_right
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from burgee_server.insights.asked import Asked, Terms
from burgee_server.insights.sql.borders import MICROS
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.timerange import Span
from burgee_server.insights.words import Interval
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP, to_micros
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples

_MICROSECOND = timedelta(microseconds=1)
_QUARTER = timedelta(minutes=15)
_OF_2009 = 39 * 365 * 1440

# Clocks that skip a day, that are set back at midnight, that change by half an hour, whose days begin now here and now
# there of a day of UTC, and one that was 44 minutes and a half behind UTC.
_ODD = ["Pacific/Apia", "America/Sao_Paulo", "Australia/Lord_Howe", "Atlantic/Azores", "Europe/London",
        "America/St_Johns", "Africa/Monrovia", "Africa/Casablanca", "Asia/Kathmandu"]  # fmt: skip
_ZONES = st.sampled_from(_ODD) | st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
_DAYS_OF = {Interval.HOUR: 2, Interval.DAY: 1_500, Interval.WEEK: 3_000, Interval.MONTH: 9_000, Interval.YEAR: 30_000}


def _events(scope: Scope, moments: list[datetime]) -> str:
    """As Scope.events() has them, if all that is asked for is when."""
    micros = scope.bind([to_micros(moment) for moment in moments], "Array(Int64)")
    return (
        "(SELECT timestamp, toDate(timestamp) AS day, toUInt8(toHour(timestamp) * 4 + intDiv(toMinute(timestamp), 15))"
        f" AS quarter_hour FROM (SELECT fromUnixTimestamp64Micro(arrayJoin({micros}), 'UTC') AS timestamp)) AS events"
    )


@examples(80)
@given(
    _ZONES,
    st.sampled_from([*_DAYS_OF]),
    st.integers(-10 * 1440, 130 * 365 * 1440) | st.integers(_OF_2009, _OF_2009 + 18 * 365 * 1440),
    st.floats(0, 1),
    st.randoms(use_true_random=False),
)
async def test_a_moment_lies_in_the_column_that_the_clocks_there_say(
    warehouse: ClickHouseWarehouse, zone: str, interval: Interval, minutes: int, length: float, random: Random
) -> None:
    """On both sides of where columns begin, to the microsecond, and anywhere; before the first it is in the first."""
    start = FIRST_TIMESTAMP + timedelta(minutes=minutes)
    span = Span(start, start + timedelta(hours=1, days=_DAYS_OF[interval] * length), ZoneInfo(zone))
    columns = span.columns(interval)
    borders = random.sample(columns, min(len(columns), 30))
    moments = [border + off for border in borders for off in (-_QUARTER, -_MICROSECOND, timedelta(), _MICROSECOND)]
    moments += [start + (span.end - start) * random.random() for _ in range(10)]
    moments = [moment for moment in moments if FIRST_TIMESTAMP <= moment < LAST_TIMESTAMP]

    scope = Scope(Asked(Terms(1, ()), span, span.end))
    sql = position_sql(scope, columns).replace(scope.borders.placed(()), MICROS)
    statement = scope.statement(f"SELECT {MICROS}, {sql} FROM {_events(scope, moments)}")
    found = dict(map(tuple, (await warehouse.query(statement)).rows))
    assert found == {to_micros(moment): max(bisect_right(columns, moment) - 1, 0) for moment in moments}
