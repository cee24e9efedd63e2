"""Trends."""

from itertools import pairwise

from benchmarks.insights.duck import DONE
from benchmarks.insights.question import Question
from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.trend import FormulaQuery, Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import Breakdown, Interval

_DAY = "date_trunc('day', timestamp)"
_BERLIN = "timezone('Europe/Berlin', timezone('UTC', timestamp))"
_TOP = (
    "WITH top AS (SELECT {of} AS c {{events}} AND event = 'viewed' GROUP BY c ORDER BY {users} DESC LIMIT 5)"
    " SELECT if(c IN (SELECT c FROM top), c, 'other') AS part, d, {count}"
    " FROM (SELECT {of} AS c, {day} AS d, distinct_id AS u {{events}} AND event = 'viewed') GROUP BY {by}"
)
# Month by month: ClickHouse counts the keys of one column by their numbers, and those of two keys four times slower.
_MONTHS = [f"{2025 + month // 12}-{month % 12 + 1:02}-01" for month in range(11, 25)]
_EACH_MONTH = " UNION ALL ".join(
    f"SELECT group_company AS c, toDate('{begin}') AS m, count() AS n {{events}} AND {DONE} AND indexHint(timestamp >="
    f" toDateTime64('{begin}', 6, 'UTC') AND timestamp < toDateTime64('{end}', 6, 'UTC')) AND day >= toDate('{begin}')"
    f" AND day < toDate('{end}') GROUP BY c"
    for begin, end in pairwise(_MONTHS)
)
_BY_COMPANY = (
    "SELECT if(r <= 10, c, 'other') AS part, cell.1 AS month, sum(cell.2) FROM (SELECT c, cells, row_number() OVER"
    " (ORDER BY total DESC) AS r FROM (SELECT c, sum(n) AS total, groupArray((m, n)) AS cells"
    f" FROM ({_EACH_MONTH}) GROUP BY c)) ARRAY JOIN cells AS cell GROUP BY part, month WITH ROLLUP"
)

TRENDS = [
    Question(
        "events a day",
        plan_trend,
        lambda span: TrendQuery((Series("viewed"),), span),
        "SELECT day AS d, count() {events} AND event = 'viewed' GROUP BY d WITH ROLLUP",
        f"SELECT {_DAY} AS d, count(*) {{events}} AND event = 'viewed' GROUP BY ROLLUP (d)",
    ),
    Question(
        "users a day",
        plan_trend,
        lambda span: TrendQuery((Series("viewed", Measure.UNIQUE_USERS),), span),
        "SELECT day AS d, uniqExact(distinct_id) {events} AND event = 'viewed' GROUP BY d WITH ROLLUP",
        f"SELECT {_DAY} AS d, count(DISTINCT distinct_id) {{events}} AND event = 'viewed' GROUP BY ROLLUP (d)",
    ),
    Question(
        "users a day in Berlin",
        plan_trend,
        lambda span: TrendQuery((Series("viewed", Measure.UNIQUE_USERS),), span, "Europe/Berlin"),
        "SELECT toDate(timestamp, 'Europe/Berlin') AS d, uniqExact(distinct_id) {events} AND event = 'viewed'"
        " GROUP BY d WITH ROLLUP",
        f"SELECT {_DAY.replace('timestamp', _BERLIN)} AS d, count(DISTINCT distinct_id) {{events}} AND event = 'viewed'"
        " GROUP BY ROLLUP (d)",
    ),
    Question(
        "events by company, top 10",
        plan_trend,
        lambda span: TrendQuery((Series(),), span, interval=Interval.MONTH, breakdown=Breakdown(("company.key",))),
        _BY_COMPANY,
        f"WITH top AS (SELECT company {{events}} AND {DONE} GROUP BY company ORDER BY count(*) DESC LIMIT 10) SELECT CASE"
        " WHEN company IN (SELECT company FROM top) THEN company ELSE 'other' END AS part, date_trunc('month', timestamp)"
        f" AS m, count(*) {{events}} AND {DONE} GROUP BY ROLLUP (part, m)",
    ),
    Question(
        "companies a week on a plan",
        plan_trend,
        lambda span: TrendQuery(
            (
                Series(
                    measure=Measure.UNIQUE_GROUPS,
                    group_type="company",
                    filter=Condition("event.plan", Operator.EQUALS, ("pro",)),
                ),
            ),
            span,
            interval=Interval.WEEK,
        ),
        "SELECT toMonday(day) AS w, uniqExact(group_company) {events}"
        f" AND {DONE} AND properties.plan.:String = 'pro' AND group_company IS NOT NULL GROUP BY w WITH ROLLUP",
        "SELECT date_trunc('week', timestamp) AS w, count(DISTINCT company) {events}"
        f" AND {DONE} AND plan = 'pro' GROUP BY ROLLUP (w)",
    ),
    Question(
        "sum of an amount a day (SQL: whole)",
        plan_trend,
        lambda span: TrendQuery((Series("exported", Measure.SUM, "amount"),), span),
        "SELECT day AS d, sum(properties.amount.:Int64) {events} AND event = 'exported' GROUP BY d WITH ROLLUP",
        f"SELECT {_DAY} AS d, sum(amount) {{events}} AND event = 'exported' GROUP BY ROLLUP (d)",
    ),
    Question(
        "sum of an amount a day (SQL: any)",
        plan_trend,
        lambda span: TrendQuery((Series("exported", Measure.SUM, "amount"),), span),
        "SELECT day AS d, sum(coalesce(toFloat64(properties.amount.:Int64),"
        " properties.amount.:Float64)) {events} AND event = 'exported' GROUP BY d WITH ROLLUP",
        f"SELECT {_DAY} AS d, sum(amount) {{events}} AND event = 'exported' GROUP BY ROLLUP (d)",
    ),
    Question(
        "users a day by country, top 5",
        plan_trend,
        lambda span: TrendQuery(
            (Series("viewed", Measure.UNIQUE_USERS),), span, breakdown=Breakdown(("event.country",), 5)
        ),
        _TOP.format(
            of="properties.country.:String",
            users="uniqExact(distinct_id)",
            count="uniqExact(u)",
            day="day",
            by="part, d WITH ROLLUP",
        ),
        _TOP.format(
            of="country",
            users="count(DISTINCT distinct_id)",
            count="count(DISTINCT u)",
            day=_DAY,
            by="ROLLUP (part, d)",
        ),
    ),
    Question(
        "users active in 7 days, a day",
        plan_trend,
        lambda span: TrendQuery((Series("viewed", Measure.WEEKLY_ACTIVE),), span),
        "SELECT d, uniqExact(u) FROM (SELECT arrayJoin(arrayMap(n -> day + n, range(7))) AS d,"
        " distinct_id AS u {events} AND event = 'viewed' GROUP BY d, u) GROUP BY d",
        f"WITH days AS (SELECT DISTINCT {_DAY}::DATE AS d, distinct_id AS u {{events}} AND event = 'viewed')"
        " SELECT d + n::INTEGER, count(DISTINCT u) FROM days, range(7) AS offsets(n) GROUP BY 1",
    ),
    Question(
        "first exports, a day",
        plan_trend,
        lambda span: TrendQuery((Series("exported", Measure.FIRST_TIME),), span),
        "SELECT toDate(first) AS d, count() FROM (SELECT min(timestamp) AS first {events} AND event = 'exported'"
        " GROUP BY distinct_id) GROUP BY d WITH ROLLUP",
        "SELECT date_trunc('day', first) AS d, count(*) FROM (SELECT min(timestamp) AS first {events}"
        " AND event = 'exported' GROUP BY distinct_id) GROUP BY ROLLUP (d)",
    ),
    Question(
        "exports for each company, and of views",
        plan_trend,
        lambda span: TrendQuery(
            (Series("exported", per="company"), Series("exported"), Series("viewed")),
            span,
            formulas=(FormulaQuery("B / C"),),
        ),
        "SELECT day AS d, countIf(event = 'exported') / uniqExactIf(group_company,"
        " event = 'exported'), countIf(event = 'exported') / countIf(event = 'viewed') {events}"
        " AND event IN ('viewed', 'exported') GROUP BY d WITH ROLLUP",
        f"SELECT {_DAY} AS d, count(*) FILTER (event = 'exported') / count(DISTINCT company) FILTER (event = 'exported'),"
        " count(*) FILTER (event = 'exported') / count(*) FILTER (event = 'viewed') {events}"
        " AND event IN ('viewed', 'exported') GROUP BY ROLLUP (d)",
    ),
]
