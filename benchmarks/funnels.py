"""What each form of a funnel costs over SQL written by hand for just that funnel: interleaved; medians.

`python -m benchmarks.funnels [EVENTS] [DIRECTORY]`: a million in a temporary directory.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks.insights import SPAN, WHERE, fill, seconds
from burgee_server.insights.funnel import (
    Attribution,
    Exclusion,
    FunnelActorsQuery,
    FunnelCorrelationQuery,
    FunnelOverTimeQuery,
    FunnelQuery,
    FunnelTimesQuery,
    Order,
    Step,
    plan_funnel,
    plan_funnel_actors,
    plan_funnel_correlation,
    plan_funnel_over_time,
    plan_funnel_times,
)
from burgee_server.insights.words import Breakdown, Interval
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from burgee_server.storage.clock import SystemClock
from tests.fixtures.vocabulary import insights

ROUNDS = 5
STEPS = (Step("invited"), Step("edited"), Step("exported"))
DAYS_14 = 14 * 86_400_000_000

_OF_STEPS = f"{WHERE} AND event IN ('invited', 'edited', 'exported')"
_KIND = "multiIf(event = 'invited', 1, event = 'edited', 2, event = 'exported', 3, {other})"
_AT = "toUInt64(toUnixTimestamp64Micro(timestamp))"
_FUNNEL = "SELECT countIf(l >= 1), countIf(l >= 2), countIf(l >= 3) FROM ({})"


def _marks(other: int = 0) -> str:
    return f"arraySort(groupArray({_AT} * 8 + {_KIND.format(other=other)})) AS e"


_UNPACKED = "arrayMap(x -> x % 8, e) AS s, arrayMap(x -> intDiv(x, 8), e) AS t"


def _next(kind: int, name: str) -> str:
    return f"arrayReverseFill(x -> x > 0, arrayMap((k, m) -> if(k = {kind}, m, 0), s, t)) AS {name}"


_FOUND_2 = "arrayMap((k, m, z) -> if(k = 2, (m, z), (toUInt64(0), toUInt64(0))), s, t, g3)"
_NEXT_2 = f"arrayReverseFill(x -> x.1 > 0, {_FOUND_2}) AS g2"
_REACHED = f"if(z.1 BETWEEN 1 AND m + {DAYS_14}, if(z.2 BETWEEN 1 AND m + {DAYS_14}, 3, 2), 1)"
_ORDERED = f"{_UNPACKED}, {_next(3, 'g3')}, {_NEXT_2}"
_WAYS = f"arrayMap((k, m, z) -> (m, z.1, z.2, if(k = 1, {_REACHED}, 0)), s, t, g2) AS w"
# The latest first step before each event is enough to count.
_FORWARD = (
    f"{_UNPACKED}, arrayFill(x -> x > 0, arrayMap((k, m) -> if(k = 1, m, 0), s, t)) AS r1,"
    f" arrayFill(x -> x > 0, arrayMap((k, m, r) -> if(k = 2 AND r > 0 AND m - r <= {DAYS_14}, r, 0), s, t, r1)) AS r2,"
    f" arrayExists((k, m, r) -> k = 3 AND r > 0 AND m - r <= {DAYS_14}, s, t, r2) AS has3"
)


def _forward(key: str) -> str:
    reached = "multiIf(has3, 3, r2[-1] > 0, 2, r1[-1] > 0, 1, 0)"
    return _FUNNEL.format(f"WITH {_marks()}, {_FORWARD} SELECT {reached} AS l {_OF_STEPS} GROUP BY {key}")


def _window_funnel(key: str) -> str:
    conditions = "event = 'invited', event = 'edited', event = 'exported'"
    return _FUNNEL.format(f"SELECT windowFunnel({DAYS_14})({_AT}, {conditions}) AS l {_OF_STEPS} GROUP BY {key}")


_STRICT = _FUNNEL.format(
    f"WITH {_marks(7)}, {_UNPACKED}, arrayShiftLeft(s, 1) AS s2, arrayShiftLeft(s, 2) AS s3,"
    " arrayShiftLeft(t, 1) AS t2, arrayShiftLeft(t, 2) AS t3"
    f" SELECT arrayMax(arrayMap((a, b, c, m, n, o) -> if(a = 1, if(b = 2 AND n - m <= {DAYS_14}, if(c = 3 AND o - m <="
    f" {DAYS_14}, 3, 2), 1), 0), s, s2, s3, t, t2, t3)) AS l {WHERE} GROUP BY distinct_id"
)
_UNORDERED = _FUNNEL.format(
    f"WITH {_marks()}, {_UNPACKED}, {_next(1, 'a')}, {_next(2, 'b')}, {_next(3, 'c')}"
    " SELECT arrayMax(arrayMap((m, x, y, z) ->"
    f" (x BETWEEN 1 AND m + {DAYS_14}) + (y BETWEEN 1 AND m + {DAYS_14}) + (z BETWEEN 1 AND m + {DAYS_14}),"
    f" t, a, b, c)) AS l {_OF_STEPS} GROUP BY distinct_id"
)
_EXCLUDED = _FUNNEL.format(
    f"WITH {_marks()}, {_ORDERED}, arrayReverseFill(x -> x > 0, arrayMap((k, m) -> if(k = 0, m, 0), s, t)) AS x,"
    f" arrayMap((k, m, z) -> if(k = 1, {_REACHED}, 0), s, t, g2) AS r, arrayMax(r) AS most,"
    f" arrayExists((n, m, z, v) -> n = most AND (v = 0 OR v > if(n = 3, z.2, m + {DAYS_14})), r, t, g2, x) AS clean"
    f" SELECT if(clean, most, 0) AS l {WHERE} AND event IN ('invited', 'edited', 'exported', 'viewed')"
    " GROUP BY distinct_id"
)
_COUNTS = "countIf(l >= 1) AS n1, countIf(l >= 2) AS n2, countIf(l >= 3) AS n3"
_TOP = (
    "SELECT if(r <= 10, v, NULL) AS part, sum(n1), sum(n2), sum(n3)"
    " FROM (SELECT *, row_number() OVER (ORDER BY n1 DESC) AS r FROM ({})) GROUP BY part"
)
_TEXT = "properties.country.:String"
_ANY = f"if(isNotNull({_TEXT}), {_TEXT}, toJSONString(properties.country))"
_ARRAYS = f"WITH {_marks()}, {_FORWARD} SELECT multiIf(has3, 3, r2[-1] > 0, 2, r1[-1] > 0, 1, 0) AS l"


def _first(value: str) -> str:
    touched = f"argMinIf({value}, timestamp, event = 'invited') AS v"
    return _TOP.format(
        f"SELECT v, {_COUNTS} FROM ({_ARRAYS}, {touched} {_OF_STEPS} GROUP BY distinct_id) WHERE l > 0 GROUP BY v"
    )


def _all(value: str) -> str:
    return _TOP.format(
        f"SELECT v, {_COUNTS} FROM ({_ARRAYS}, {value} AS v {_OF_STEPS} GROUP BY distinct_id, v) WHERE l > 0 GROUP BY v"
    )


_BEST = (
    f"WITH {_marks()}, {_ORDERED}, {_WAYS}, arrayMax(x -> x.4, w) AS l, arrayReduce('min', arrayMap(x ->"
    " (multiIf(l = 3, x.3, l = 2, x.2, x.1), -toInt64(x.1), x), arrayFilter(x -> x.4 = l, w))).3 AS best"
    " SELECT {} " + f"{_OF_STEPS} GROUP BY distinct_id"
)
_PEOPLE = (
    f"SELECT * FROM ({_BEST.format('distinct_id AS u, l, best.1 AS t1, best.2 AS t2, best.3 AS t3')})"
    " WHERE l = 3 ORDER BY u LIMIT 101"
)
_TIMES = (
    "SELECT avgIf(t2 - t1, l >= 2), medianExactIf(t2 - t1, l >= 2), avgIf(t3 - t2, l = 3),"
    " medianExactIf(t3 - t2, l = 3), avgIf(t3 - t1, l = 3), medianExactIf(t3 - t1, l = 3),"
    " histogramIf(20)(t3 - t1, l = 3)"
    f" FROM ({_BEST.format('l, best.1 AS t1, best.2 AS t2, best.3 AS t3')})"
)
_OVER_TIME = (
    "SELECT d, countIf(r >= 1), countIf(r >= 2), countIf(r >= 3) FROM (SELECT u, toDate(fromUnixTimestamp64Micro("
    "toInt64(x.1))) AS d, max(x.4) AS r FROM (SELECT u, arrayJoin(arrayFilter(x -> x.4 > 0, w)) AS x FROM ("
    f"WITH {_marks()}, {_ORDERED}, {_WAYS} SELECT distinct_id AS u, w {_OF_STEPS} GROUP BY u)) GROUP BY u, d)"
    " GROUP BY d"
)
_CORRELATION = (
    "SELECT e, countIf(c), countIf(NOT c) FROM (SELECT e, u, any(c) AS c FROM (SELECT event AS e, distinct_id AS u,"
    f" {_AT} AS at {WHERE}) AS events INNER JOIN (SELECT u, l = 3 AS c, t1, if(l = 3, t3, t1 + {DAYS_14}) AS until"
    f" FROM ({_BEST.format('distinct_id AS u, l, best.1 AS t1, best.3 AS t3')}) WHERE l > 0) AS people USING u"
    " WHERE at BETWEEN t1 AND until GROUP BY e, u) GROUP BY e"
)

FUNNEL = FunnelQuery(STEPS, SPAN)
BY_COUNTRY = FunnelQuery(STEPS, SPAN, breakdown=Breakdown(("event.country",), 10))
ALL_STEPS = replace(BY_COUNTRY, attribution=Attribution.ALL_STEPS)
QUESTIONS: list[tuple[str, Callable[..., Any], Any, str]] = [
    ("by user (SQL: windowFunnel)", plan_funnel, FUNNEL, _window_funnel("distinct_id")),
    ("by user (SQL: arrays)", plan_funnel, FUNNEL, _forward("distinct_id")),
    (
        "by company (SQL: windowFunnel)",
        plan_funnel,
        FunnelQuery(STEPS, SPAN, count_by="company"),
        _window_funnel("groups.company.:String"),
    ),
    (
        "by company (SQL: arrays)",
        plan_funnel,
        FunnelQuery(STEPS, SPAN, count_by="company"),
        _forward("groups.company.:String"),
    ),
    ("strict", plan_funnel, FunnelQuery(STEPS, SPAN, order=Order.STRICT), _STRICT),
    ("unordered", plan_funnel, FunnelQuery(STEPS, SPAN, order=Order.UNORDERED), _UNORDERED),
    ("with an exclusion", plan_funnel, FunnelQuery(STEPS, SPAN, exclusions=(Exclusion("viewed"),)), _EXCLUDED),
    ("by country, first touch (SQL: texts)", plan_funnel, BY_COUNTRY, _first(_TEXT)),
    ("by country, first touch (SQL: any)", plan_funnel, BY_COUNTRY, _first(_ANY)),
    ("by country, all steps (SQL: texts)", plan_funnel, ALL_STEPS, _all(_TEXT)),
    ("by country, all steps (SQL: any)", plan_funnel, ALL_STEPS, _all(_ANY)),
    ("people, a page", plan_funnel_actors, FunnelActorsQuery(FUNNEL, 3), _PEOPLE),
    ("times", plan_funnel_times, FunnelTimesQuery(FUNNEL, bins=20), _TIMES),
    ("over time", plan_funnel_over_time, FunnelOverTimeQuery(FUNNEL, Interval.DAY), _OVER_TIME),
    ("correlation", plan_funnel_correlation, FunnelCorrelationQuery(FUNNEL), _CORRELATION),
]


async def run(events: int, directory: str) -> None:
    """Fill the directory, ask everything, print the table."""
    warehouse = await ClickHouseWarehouse.open(f"chdb://{directory}")
    await asyncio.to_thread(fill, f"chdb://{directory}", events)
    print(f"{events:,} events in {directory}\n\n{'':38}{'insight':>9}{'SQL':>10}{'ratio':>8}")
    asking = insights(warehouse, SystemClock())
    for name, plan, query, sql in QUESTIONS:
        asked = lambda plan=plan, query=query: asking.ask(plan, query, 1, {"company"})  # noqa: E731
        by_hand = lambda sql=sql: warehouse.query(Statement(sql))  # noqa: E731
        pairs = [(await seconds(asked), await seconds(by_hand)) for _ in range(ROUNDS)]
        insight, hand = (median(times) for times in zip(*pairs, strict=True))
        ratio = median(ours / theirs for ours, theirs in pairs)  # of each pair: both met the same neighbours
        print(f"{name:38}{insight:>7.3f} s{hand:>8.3f} s{ratio:>8.2f}", flush=True)
    await warehouse.close()


def main() -> None:
    """The command."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        asyncio.run(run(events, sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(events, directory))


if __name__ == "__main__":
    main()
