"""What the insights cost over hand-written SQL: the same questions, the same rows, interleaved; medians.

`python -m benchmarks.insights [EVENTS] [DIRECTORY]`: five million in a temporary directory.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any

import clickhouse_connect

from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Interval, TimeRange
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from tests.fixtures.vocabulary import insights

ROUNDS = 7
SPAN = TimeRange("2026-01-01", "2026-04-01")

# 90 days, in the order in which events come in, late by up to an hour; 50,000 users of 2,000 companies.
FILL = """
INSERT INTO events SELECT
    1, ['viewed', 'viewed', 'viewed', 'edited', 'exported', 'invited'][1 + intHash64(number) % 6],
    fromUnixTimestamp64Micro(toInt64(1767225600000000 + number * intDiv(90 * 86400000000, {events:UInt64})
        + intHash64(number + 1) % 3600000000), 'UTC') AS at,
    generateUUIDv4(), concat('user-', toString(intHash64(number + 2) % 50000 AS user)),
    CAST(concat('{"company":"company-', toString(user % 2000), '"}'), 'JSON'),
    CAST(concat('{"plan":"', ['free', 'team', 'pro'][1 + user % 3], '","amount":', toString(number % 997),
                ',"country":"c', toString(intHash64(number + 3) % 150), '"}') AS properties, 'JSON'), properties, at
FROM numbers({first:UInt64}, {count:UInt64})
"""

WHERE = (
    "FROM events FINAL WHERE environment_id = 1 AND timestamp >= toDateTime64('2026-01-01', 6, 'UTC')"
    " AND timestamp < toDateTime64('2026-04-01', 6, 'UTC')"
)

Question = tuple[str, TrendQuery | FunnelQuery, str]

QUESTIONS: list[Question] = [
    (
        "events a day",
        TrendQuery((Series("viewed"),), SPAN),
        f"SELECT toDate(timestamp) AS d, count() {WHERE} AND event = 'viewed' GROUP BY d WITH ROLLUP",
    ),
    (
        "users a day",
        TrendQuery((Series("viewed", Measure.UNIQUE_USERS),), SPAN),
        f"SELECT toDate(timestamp) AS d, uniqExact(distinct_id) {WHERE} AND event = 'viewed' GROUP BY d WITH ROLLUP",
    ),
    (
        "users a day in Berlin",
        TrendQuery((Series("viewed", Measure.UNIQUE_USERS),), SPAN, "Europe/Berlin"),
        "SELECT toDate(timestamp, 'Europe/Berlin') AS d, uniqExact(distinct_id) "
        f"{WHERE} AND event = 'viewed' GROUP BY d WITH ROLLUP",
    ),
    (
        "companies a week on a plan",
        TrendQuery(
            (
                Series(
                    measure=Measure.UNIQUE_GROUPS,
                    group_type="company",
                    filter=Condition("event.plan", Operator.EQUALS, ("pro",)),
                ),
            ),
            SPAN,
            interval=Interval.WEEK,
        ),
        f"SELECT toMonday(timestamp) AS w, uniqExact(groups.company.:String) {WHERE}"
        " AND properties.plan.:String = 'pro' AND groups.company.:String IS NOT NULL GROUP BY w WITH ROLLUP",
    ),
    (
        "sum of an amount a day (SQL: whole)",
        TrendQuery((Series("exported", Measure.SUM, "amount"),), SPAN),
        f"SELECT toDate(timestamp) AS d, sum(properties.amount.:Int64) {WHERE} AND event = 'exported'"
        " GROUP BY d WITH ROLLUP",
    ),
    (
        "sum of an amount a day (SQL: any)",
        TrendQuery((Series("exported", Measure.SUM, "amount"),), SPAN),
        "SELECT toDate(timestamp) AS d, sum(coalesce(toFloat64(properties.amount.:Int64),"
        f" properties.amount.:Float64)) {WHERE} AND event = 'exported' GROUP BY d WITH ROLLUP",
    ),
    (
        "users a day by country, top 5",
        TrendQuery((Series("viewed", Measure.UNIQUE_USERS),), SPAN, breakdown=Breakdown(("event.country",), 5)),
        f"WITH top AS (SELECT properties.country.:String AS c {WHERE} AND event = 'viewed' GROUP BY c"
        " ORDER BY uniqExact(distinct_id) DESC LIMIT 5) SELECT if(c IN top, c, 'other') AS part, d, uniqExact(u)"
        f" FROM (SELECT properties.country.:String AS c, toDate(timestamp) AS d, distinct_id AS u {WHERE}"
        " AND event = 'viewed') GROUP BY part, d WITH ROLLUP",
    ),
    (
        "funnel of 3 steps by user",
        FunnelQuery((Step("viewed"), Step("edited"), Step("exported")), SPAN),
        "SELECT countIf(l >= 1), countIf(l >= 2), countIf(l >= 3) FROM (SELECT windowFunnel(1209600000000)("
        "toUInt64(toUnixTimestamp64Micro(timestamp)), event = 'viewed', event = 'edited', event = 'exported') AS l "
        f"{WHERE} AND event IN ('viewed', 'edited', 'exported') GROUP BY distinct_id)",
    ),
    (
        "funnel of 3 steps by company",
        FunnelQuery((Step("invited"), Step("edited"), Step("exported")), SPAN, count_by="company"),
        "SELECT countIf(l >= 1), countIf(l >= 2), countIf(l >= 3) FROM (SELECT windowFunnel(1209600000000)("
        "toUInt64(toUnixTimestamp64Micro(timestamp)), event = 'invited', event = 'edited', event = 'exported') AS l "
        f"{WHERE} AND event IN ('invited', 'edited', 'exported') GROUP BY groups.company.:String)",
    ),
]


async def seconds(ask: Callable[[], Awaitable[Any]]) -> float:
    """How long one answer takes."""
    started = perf_counter()
    await ask()
    return perf_counter() - started


def fill(dsn: str, events: int) -> None:
    """Write the events that are not there yet, in inserts of half a million, as one large import would."""
    client = clickhouse_connect.get_client(dsn=dsn)
    there = int(client.query("SELECT count() FROM events").result_rows[0][0])
    for first in range(there, events, 500_000):
        client.command(FILL, parameters={"first": first, "count": min(500_000, events - first), "events": events})
    client.close()


async def run(events: int, directory: str) -> None:
    """Fill the directory, ask everything, print the table."""
    warehouse = await ClickHouseWarehouse.open(f"chdb://{directory}")
    started = perf_counter()
    await asyncio.to_thread(fill, f"chdb://{directory}", events)
    print(f"{events:,} events in {directory} ({perf_counter() - started:.0f} s)\n")
    print(f"{'':36}{'insight':>9}{'SQL':>10}{'ratio':>8}")
    asking = insights(warehouse, SystemClock())
    for name, question, sql in QUESTIONS:
        if isinstance(question, TrendQuery):
            asked = lambda query=question: asking.ask(plan_trend, query, 1, {"company"})  # noqa: E731
        else:
            asked = lambda query=question: asking.ask(plan_funnel, query, 1, {"company"})  # noqa: E731
        by_hand = lambda sql=sql: warehouse.query(Statement(sql))  # noqa: E731
        pairs = [(await seconds(asked), await seconds(by_hand)) for _ in range(ROUNDS)]
        insight, hand = (median(times) for times in zip(*pairs, strict=True))
        print(f"{name:36}{insight:>7.3f} s{hand:>8.3f} s{insight / hand:>8.2f}", flush=True)
    await warehouse.close()


def main() -> None:
    """The command."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    if len(sys.argv) > 2:
        asyncio.run(run(events, sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(events, directory))


if __name__ == "__main__":
    main()
