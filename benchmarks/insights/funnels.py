"""Funnels: each form beside SQL written by hand for just that funnel."""

from typing import Any

from benchmarks.insights import duck
from benchmarks.insights.question import Question
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
from burgee_server.insights.words import Breakdown, Interval, TimeRange

_NAMES = ("invited", "edited", "exported")
STEPS = tuple(map(Step, _NAMES))
DAYS_14 = 14 * 86_400_000_000

EVENTS = "{events}"
_OF_STEPS = f"{EVENTS} AND event IN ('invited', 'edited', 'exported')"
_KIND = "multiIf(event = 'invited', 1, event = 'edited', 2, event = 'exported', 3, {other})"
_AT = "toUInt64(toUnixTimestamp64Micro(timestamp))"
_FUNNEL = "SELECT countIf(l >= 1), countIf(l >= 2), countIf(l >= 3) FROM ({})"


def _mark(other: int = 0) -> str:
    return f"{_AT} * 8 + {_KIND.format(other=other)}"


def _marks(other: int = 0) -> str:
    return f"arraySort(groupArray({_mark(other)})) AS e"


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
    f" {DAYS_14}, 3, 2), 1), 0), s, s2, s3, t, t2, t3)) AS l {EVENTS} AND {duck.DONE} GROUP BY distinct_id"
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
    f" SELECT if(clean, most, 0) AS l {EVENTS} AND event IN ('invited', 'edited', 'exported', 'viewed')"
    " GROUP BY distinct_id"
)
_COUNTS = "countIf(l >= 1) AS n1, countIf(l >= 2) AS n2, countIf(l >= 3) AS n3"
_TOP = (
    "SELECT if(r <= 10, v, NULL) AS part, sum(n1), sum(n2), sum(n3)"
    " FROM (SELECT *, row_number() OVER (ORDER BY n1 DESC) AS r FROM ({})) GROUP BY part"
)
_TEXT = "properties.country.:String"
_ANY = f"if(isNotNull({_TEXT}), {_TEXT}, toJSONString(properties.country))"
_REACHED_FORWARD = f"{_FORWARD} SELECT multiIf(has3, 3, r2[-1] > 0, 2, r1[-1] > 0, 1, 0) AS l"
_ARRAYS = f"WITH {_marks()}, {_REACHED_FORWARD}"


def _first(value: str) -> str:
    touched = f"argMinIf({value}, timestamp, event = 'invited') AS v"
    return _TOP.format(
        f"SELECT v, {_COUNTS} FROM ({_ARRAYS}, {touched} {_OF_STEPS} GROUP BY distinct_id) WHERE l > 0 GROUP BY v"
    )


def _all(value: str) -> str:
    """Each actor once in every part, also in that of all other values together.

    What each did is sorted by value and cut: grouped by both, it took a third more (docs/decisions/0102).
    """
    found = f"SELECT distinct_id AS u, groupArray({_mark()}) AS m, groupArray(ifNull({value}, '')) AS c {_OF_STEPS} GROUP BY u"
    ordered = (
        "SELECT u, arraySort((x, y) -> (y, x), m, c) AS ms, arraySort(c) AS cs,"
        f" arrayMap((x, y) -> x != y, cs, arrayShiftRight(cs, 1)) AS b FROM ({found})"
    )
    cut = "arraySplit((x, begins) -> begins, ms, b), arraySplit((x, begins) -> begins, cs, b)"
    runs = f"arrayFilter(run -> arrayExists(x -> x % 8 = 1, run.1), arrayZip({cut}))"
    each = (
        f"WITH {_REACHED_FORWARD}, u, v FROM"
        f" (SELECT u, arrayJoin({runs}) AS run, run.1 AS e, run.2[1] AS v FROM ({ordered}))"
    )
    return (
        f"SELECT part, {_COUNTS} FROM (SELECT if(r <= 10, v, NULL) AS part, person.1 AS u, max(person.2) AS l FROM (SELECT"
        " v, people, row_number() OVER (ORDER BY length(people) DESC) AS r FROM (SELECT v, groupArray((u, l)) AS people"
        f" FROM ({each}) WHERE l > 0 GROUP BY v)) ARRAY JOIN people AS person GROUP BY part, u) GROUP BY part"
    )


def _best(select: str) -> str:
    """Of each actor the way that got furthest, of those the one that was first there."""
    return (
        f"WITH {_marks()}, {_ORDERED}, {_WAYS}, arrayMax(x -> x.4, w) AS l, arrayReduce('min', arrayMap(x ->"
        " (multiIf(l = 3, x.3, l = 2, x.2, x.1), -toInt64(x.1), x), arrayFilter(x -> x.4 = l, w))).3 AS best"
        f" SELECT {select} {_OF_STEPS} GROUP BY distinct_id"
    )


_PEOPLE = (
    f"SELECT * FROM ({_best('distinct_id AS u, l, best.1 AS t1, best.2 AS t2, best.3 AS t3')})"
    " WHERE l = 3 ORDER BY u LIMIT 101"
)
_TIMES = (
    "SELECT avgIf(t2 - t1, l >= 2), medianExactIf(t2 - t1, l >= 2), avgIf(t3 - t2, l = 3),"
    " medianExactIf(t3 - t2, l = 3), avgIf(t3 - t1, l = 3), medianExactIf(t3 - t1, l = 3),"
    " histogramIf(20)(t3 - t1, l = 3)"
    f" FROM ({_best('l, best.1 AS t1, best.2 AS t2, best.3 AS t3')})"
)
_OVER_TIME = (
    "SELECT d, countIf(r >= 1), countIf(r >= 2), countIf(r >= 3) FROM (SELECT u, toDate(fromUnixTimestamp64Micro("
    "toInt64(x.1))) AS d, max(x.4) AS r FROM (SELECT u, arrayJoin(arrayFilter(x -> x.4 > 0, w)) AS x FROM ("
    f"WITH {_marks()}, {_ORDERED}, {_WAYS} SELECT distinct_id AS u, w {_OF_STEPS} GROUP BY u)) GROUP BY u, d)"
    " GROUP BY d"
)
_CORRELATION = (
    "SELECT e, countIf(c), countIf(NOT c) FROM (SELECT e, u, any(c) AS c FROM (SELECT event AS e, distinct_id AS u,"
    f" {_AT} AS at {EVENTS} AND {duck.DONE}) AS events INNER JOIN (SELECT u, l = 3 AS c, t1, if(l = 3, t3, t1 + {DAYS_14}) AS until"
    f" FROM ({_best('distinct_id AS u, l, best.1 AS t1, best.3 AS t3')}) WHERE l > 0) AS people USING u"
    " WHERE at BETWEEN t1 AND until GROUP BY e, u) GROUP BY e"
)


def _funnel(span: TimeRange, **more: Any) -> FunnelQuery:
    return FunnelQuery(STEPS, span, **more)


_BY_COUNTRY = Breakdown(("event.country",), 10)


def _all_steps(span: TimeRange) -> FunnelQuery:
    return _funnel(span, breakdown=_BY_COUNTRY, attribution=Attribution.ALL_STEPS)


FUNNELS = [
    Question(
        "funnel by user (SQL: windowFunnel)",
        plan_funnel,
        _funnel,
        _window_funnel("distinct_id"),
        duck.funnel("distinct_id", _NAMES),
    ),
    Question(
        "funnel by user (SQL: arrays)",
        plan_funnel,
        _funnel,
        _forward("distinct_id"),
        duck.funnel("distinct_id", _NAMES),
    ),
    Question(
        "funnel by company (SQL: windowFunnel)",
        plan_funnel,
        lambda span: _funnel(span, count_by="company"),
        _window_funnel("group_company"),
        duck.funnel("company", _NAMES),
    ),
    Question(
        "funnel by company (SQL: arrays)",
        plan_funnel,
        lambda span: _funnel(span, count_by="company"),
        _forward("group_company"),
        duck.funnel("company", _NAMES),
    ),
    Question("funnel, strict", plan_funnel, lambda span: _funnel(span, order=Order.STRICT), _STRICT, duck.STRICT),
    Question(
        "funnel, unordered", plan_funnel, lambda span: _funnel(span, order=Order.UNORDERED), _UNORDERED, duck.UNORDERED
    ),
    Question(
        "funnel with an exclusion",
        plan_funnel,
        lambda span: _funnel(span, exclusions=(Exclusion("viewed"),)),
        _EXCLUDED,
        duck.EXCLUDED,
    ),
    Question(
        "funnel by country, first touch (SQL: texts)",
        plan_funnel,
        lambda span: _funnel(span, breakdown=_BY_COUNTRY),
        _first(_TEXT),
        duck.FIRST_TOUCH,
    ),
    Question(
        "funnel by country, first touch (SQL: any)",
        plan_funnel,
        lambda span: _funnel(span, breakdown=_BY_COUNTRY),
        _first(_ANY),
        duck.FIRST_TOUCH,
    ),
    Question("funnel by country, all steps (SQL: texts)", plan_funnel, _all_steps, _all(_TEXT), duck.ALL_STEPS),
    Question("funnel by country, all steps (SQL: any)", plan_funnel, _all_steps, _all(_ANY), duck.ALL_STEPS),
    Question(
        "people of a funnel, a page",
        plan_funnel_actors,
        lambda span: FunnelActorsQuery(_funnel(span), 3),
        _PEOPLE,
        duck.PEOPLE,
    ),
    Question(
        "times of a funnel",
        plan_funnel_times,
        lambda span: FunnelTimesQuery(_funnel(span), bins=20),
        _TIMES,
        duck.TIMES,
    ),
    Question(
        "funnel over time",
        plan_funnel_over_time,
        lambda span: FunnelOverTimeQuery(_funnel(span), Interval.DAY),
        _OVER_TIME,
        duck.OVER_TIME,
    ),
    Question(
        "correlation with converting",
        plan_funnel_correlation,
        lambda span: FunnelCorrelationQuery(_funnel(span)),
        _CORRELATION,
        duck.CORRELATION,
    ),
]
