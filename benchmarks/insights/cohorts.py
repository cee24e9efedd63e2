"""Questions that ask for computed cohorts."""

from datetime import timedelta

from benchmarks.insights import duck
from benchmarks.insights.question import Question
from burgee.evaluation.model import Condition, Operator
from burgee_server.insights.funnel import FunnelQuery, Step, plan_funnel
from burgee_server.insights.trend import Measure, Series, TrendQuery, plan_trend
from burgee_server.insights.words import TimeRange
from burgee_server.ports.criteria import Between, Comparison, Events, Every, InOrder, Performed, Stopped, Unless
from burgee_server.ports.vocabulary import Vocabulary
from tests.fixtures.vocabulary import cohort, with_cohorts

_EXPORTED, _INVITED = Events("exported"), Events("invited")
_USERS = "SELECT day AS d, uniqExact(distinct_id) {events} AND event = 'viewed'"
_OFTEN = "(SELECT distinct_id {events} AND event = 'exported' GROUP BY distinct_id HAVING count() >= 10)"
_DUCK_USERS = (
    "SELECT date_trunc('day', timestamp) AS d, count(DISTINCT distinct_id) {{events}} AND event = 'viewed' AND {}"
    " GROUP BY ROLLUP (d)"
)
_DUCK_OFTEN = _OFTEN.replace("count()", "count(*)")


def vocabulary(span: TimeRange) -> Vocabulary:
    """The cohorts, by what was done in the span."""
    whole = Between(span.start, span.end)
    return with_cohorts(
        cohort("often", Performed(_EXPORTED, Comparison.AT_LEAST, 10, whole)),
        cohort("alone", Every((Performed(_EXPORTED, range=whole), Unless(Performed(_INVITED, range=whole))))),
        cohort("gone", Stopped(_INVITED, Between("2026-03-25", span.end))),
        cohort("routed", InOrder((_INVITED, _EXPORTED), timedelta(days=7), whole), of="company"),
    )


def _in(key: str, cohort_key: str) -> Condition:
    return Condition(key, Operator.IN_COHORT, (cohort_key,))


def _users(span: TimeRange, cohort_key: str) -> TrendQuery:
    return TrendQuery((Series("viewed", Measure.UNIQUE_USERS, filter=_in("user.key", cohort_key)),), span)


COHORTS = [
    Question(
        "users a day of a cohort: 10 times",
        plan_trend,
        lambda span: _users(span, "often"),
        f"{_USERS} AND distinct_id IN {_OFTEN} GROUP BY d WITH ROLLUP",
        _DUCK_USERS.format(f"distinct_id IN {_DUCK_OFTEN}"),
    ),
    Question(
        "users a day of a cohort: one, not another",
        plan_trend,
        lambda span: _users(span, "alone"),
        f"{_USERS} AND distinct_id IN (SELECT distinct_id {{events}} AND event = 'exported') AND distinct_id NOT IN"
        " (SELECT distinct_id {events} AND event = 'invited') GROUP BY d WITH ROLLUP",
        _DUCK_USERS.format(
            "distinct_id IN (SELECT distinct_id {events} AND event = 'exported') AND distinct_id NOT IN"
            " (SELECT distinct_id {events} AND event = 'invited')"
        ),
    ),
    Question(
        "users a day of a cohort: stopped",
        plan_trend,
        lambda span: _users(span, "gone"),
        f"{_USERS} AND distinct_id IN (SELECT distinct_id {{events}} AND event = 'invited' GROUP BY distinct_id"
        " HAVING max(timestamp) < toDateTime64('2026-03-25', 6, 'UTC')) GROUP BY d WITH ROLLUP",
        _DUCK_USERS.format(
            "distinct_id IN (SELECT distinct_id {events} AND event = 'invited' GROUP BY distinct_id"
            " HAVING max(timestamp) < '2026-03-25')"
        ),
    ),
    Question(
        "companies a day of a cohort: one, then another",
        plan_trend,
        lambda span: TrendQuery(
            (Series("viewed", Measure.UNIQUE_GROUPS, group_type="company", filter=_in("company.key", "routed")),), span
        ),
        "SELECT day AS d, uniqExact(group_company) {events} AND event = 'viewed' AND"
        " group_company IN (SELECT group_company AS c {events} AND event IN ('invited', 'exported') AND"
        " isNotNull(c) GROUP BY c HAVING windowFunnel(604800000000)(toUInt64(toUnixTimestamp64Micro(timestamp)),"
        " event = 'invited', event = 'exported') = 2) GROUP BY d WITH ROLLUP",
        "SELECT date_trunc('day', timestamp) AS d, count(DISTINCT company) {events} AND event = 'viewed' AND company IN"
        " (SELECT x.company FROM (SELECT company, timestamp AS t {events} AND event = 'invited') AS x ASOF JOIN (SELECT"
        " company, timestamp AS t {events} AND event = 'exported') AS y ON x.company = y.company AND x.t <= y.t"
        " WHERE y.t <= x.t + INTERVAL 7 DAY) GROUP BY ROLLUP (d)",
    ),
    Question(
        "funnel of 3 steps of a cohort: 10 times",
        plan_funnel,
        lambda span: FunnelQuery(
            (Step("viewed"), Step("edited"), Step("exported")), span, filter=_in("user.key", "often")
        ),
        "SELECT countIf(l >= 1), countIf(l >= 2), countIf(l >= 3) FROM (SELECT windowFunnel(1209600000000)("
        "toUInt64(toUnixTimestamp64Micro(timestamp)), event = 'viewed', event = 'edited', event = 'exported') AS l "
        f"{{events}} AND event IN ('viewed', 'edited', 'exported') AND distinct_id IN {_OFTEN} GROUP BY distinct_id)",
        f"SELECT {duck.COUNTS} FROM (SELECT a, max(l) AS l FROM ({duck.ways(steps=('viewed', 'edited', 'exported'))})"
        f" WHERE a IN {_DUCK_OFTEN} GROUP BY a)",
    ),
]
