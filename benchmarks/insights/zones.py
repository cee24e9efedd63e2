"""What a time zone costs, and a range that ends in the middle of a day: the same insights beside whole days in UTC.

`python -m benchmarks.insights.zones DIRECTORY [ROUNDS]`: of a directory that has events, in turns; medians, ratios of
pairs, first of the time that an answer takes and then of the processor time.
"""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks.insights.data import fill
from burgee_server.insights.asked import Terms
from burgee_server.insights.lifecycle import LifecycleQuery, plan_lifecycle
from burgee_server.insights.retention import RetentionQuery, plan_retention
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Happening, Interval, TimeRange
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from tests.fixtures.vocabulary import insights

_BY_COMPANY = Breakdown(("company.key",))
_COMPANIES = Series(measure=Measure.UNIQUE_GROUPS, group_type="company")
INSIGHTS: dict[str, tuple[Any, Callable[[TimeRange, str], Any]]] = {
    "events a day": (plan_trend, lambda span, zone: TrendQuery((Series("viewed"),), span, zone)),
    "users a day": (plan_trend, lambda span, zone: TrendQuery((Series("viewed", Measure.UNIQUE_USERS),), span, zone)),
    "companies a week": (plan_trend, lambda span, zone: TrendQuery((_COMPANIES,), span, zone, Interval.WEEK)),
    "events by company, months": (
        plan_trend,
        lambda span, zone: TrendQuery((Series(),), span, zone, Interval.MONTH, breakdown=_BY_COMPANY),
    ),
    "events by company, quarters": (
        plan_trend,
        lambda span, zone: TrendQuery((Series(),), span, zone, Interval.QUARTER, breakdown=_BY_COMPANY),
    ),
    "retention of companies, weeks": (
        plan_retention,
        lambda span, zone: RetentionQuery(
            count_by="company", start_event=Happening("viewed"), range=span, time_zone=zone, interval=Interval.WEEK
        ),
    ),
    "lifecycle of users, days": (plan_lifecycle, lambda span, zone: LifecycleQuery(range=span, time_zone=zone)),
}
_ZONES = ("America/New_York", "Asia/Kathmandu")


async def run(directory: Path, rounds: int) -> None:
    """Ask everything and print the table."""
    dsn = f"chdb://{directory / 'events' if (directory / 'events').exists() else directory}"
    warehouse = await ClickHouseWarehouse.open(dsn)
    span = await asyncio.to_thread(fill, dsn, 0)
    asking = insights(warehouse, SystemClock())
    until_now = TimeRange(f"{span.start:%Y-%m-%d}", f"{span.end:%Y-%m-%d}T17:23:45.678901")
    ways = [(span.range, "UTC"), (until_now, "UTC")]
    ways += [(range_, zone) for zone in _ZONES for range_ in (span.range, until_now)]
    print(f"{span.events:,} events; medians of {rounds}\n")
    print("| | UTC, s | until now |", " | ".join(f"{each} | until now" for each in _ZONES), "|")
    print(f"|---{'|---:' * len(ways)}|")
    for name, (plan, query) in INSIGHTS.items():
        times: list[list[tuple[float, float]]] = []
        for _ in range(rounds):
            times.append([])
            for range_, zone in ways:
                began, used = perf_counter(), process_time()
                await asking.ask(plan, query(range_, zone), Terms(1, {"company"}))
                times[-1].append((perf_counter() - began, process_time() - used))
        cells = [f"{median(each[0][0] for each in times):.3f}"]
        for way in range(1, len(ways)):
            wall, cpu = (median(each[way][of] / each[0][of] for each in times) for of in (0, 1))
            cells.append(f"{wall:.2f}, {cpu:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    await warehouse.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    asked = parser.parse_args()
    asyncio.run(run(asked.directory, asked.rounds))


if __name__ == "__main__":
    main()
