"""Retention, lifecycle and stickiness."""

from benchmarks.insights import duck
from benchmarks.insights.duck import DONE
from benchmarks.insights.question import Question
from burgee_server.insights.lifecycle import LifecycleQuery, plan_lifecycle
from burgee_server.insights.retention import RetentionQuery, Starts, Window, plan_retention
from burgee_server.insights.stickiness import StickinessQuery, plan_stickiness
from burgee_server.insights.words import Breakdown, Happening, Interval

_VIEWED = Happening("viewed")
_WEEK = "toUInt16(intDiv(toUInt32(toMonday(day)), 7))"  # from 1970 on
_DAY = "toUInt16(toUInt32(day))"


def _bits(key: str, column: str, periods: int, events: str, first: bool) -> str:
    """SQL by hand: a bit a column for each actor, shifted to where it started, and a count for each bit.

    For up to 256 columns, and 64 where few periods are counted: those beyond fall out of the number.
    """
    number = "UInt64" if periods < 20 else "UInt256"
    counts = ", ".join(f"countIf(bitTest(toUInt64(bitShiftRight(r, i)), {n}))" for n in range(1, periods + 1))
    base = f"(SELECT min({column}) {{events}})"
    # Whoever is first seen in the span: the events are all that there are.
    start = "[bitPositionsToArray(r)[1]]" if first else "bitPositionsToArray(r)"
    return (
        f"SELECT i, count(), {counts} FROM (SELECT r, arrayJoin({start}) AS i FROM (SELECT"
        f" groupBitOr(bitShiftLeft(to{number}(1), toUInt16({column} - {base}))) AS r {{events}} AND {events}"
        f" AND {key} IS NOT NULL GROUP BY {key})) GROUP BY i"
    )


def _bits_of_two(key: str, column: str, periods: int, events: str) -> str:
    """The same for up to 512 columns, from recurring starts: bits are shifted from the second number to the first."""
    counts = ", ".join(f"countIf(bitTest(w, {n}))" for n in range(1, periods + 1))
    base = f"assumeNotNull((SELECT min({column}) {{events}}))"
    bit = "bitShiftLeft(toUInt256(1), toUInt8(c % 256))"
    onward = "bitOr(bitShiftRight(lo, i), bitShiftLeft(bitShiftLeft(hi, 1), toUInt8(255 - i)))"
    starts = "arrayConcat(bitPositionsToArray(lo), arrayMap(x -> x + 256, bitPositionsToArray(hi)))"
    return (
        f"SELECT i, count(), {counts} FROM (SELECT i, toUInt64(if(i < 256, {onward}, bitShiftRight(hi, toUInt8(i - 256)))) AS w"
        f" FROM (SELECT lo, hi, arrayJoin({starts}) AS i FROM (SELECT groupBitOrIf({bit}, c < 256) AS lo,"
        f" groupBitOrIf({bit}, c >= 256) AS hi FROM (SELECT {key}, toUInt16({column} - {base}) AS c {{events}}"
        f" AND {events} AND {key} IS NOT NULL) GROUP BY {key}))) GROUP BY i"
    )


def _pairs(key: str, column: str, periods: int, events: str) -> str:
    """SQL by hand: the columns of each actor in an array, and each with each."""
    return (
        f"SELECT i, n, count() FROM (SELECT arrayJoin(s) AS i, arrayJoin(arrayFilter(x -> x >= 0 AND x <= {periods},"
        f" arrayMap(x -> toInt32(x) - i, s))) AS n FROM (SELECT groupUniqArray({column}) AS s {{events}} AND {events}"
        f" AND {key} IS NOT NULL GROUP BY {key})) GROUP BY i, n"
    )


RETENTIONS = [
    Question(
        "retention of companies, first time, weeks (SQL: bits)",
        plan_retention,
        lambda span: RetentionQuery(range=span, interval=Interval.WEEK, count_by="company"),
        _bits("group_company", _WEEK, 11, DONE, first=True),
        duck.first_time("company", "week", 11, DONE),
    ),
    Question(
        "retention of companies, recurring, weeks (SQL: bits)",
        plan_retention,
        lambda span: RetentionQuery(range=span, interval=Interval.WEEK, starts=Starts.RECURRING, count_by="company"),
        _bits("group_company", _WEEK, 11, DONE, first=False),
        duck.recurring("company", "week", 11, DONE),
    ),
    Question(
        "retention of users, first view, weeks (SQL: bits)",
        plan_retention,
        lambda span: RetentionQuery(_VIEWED, _VIEWED, span, interval=Interval.WEEK),
        _bits("distinct_id", _WEEK, 11, "event = 'viewed'", first=True),
        duck.first_time("distinct_id", "week", 11, "event = 'viewed'"),
    ),
    Question(
        "retention of users, recurring, 30 days (SQL: bits)",
        plan_retention,
        lambda span: RetentionQuery(_VIEWED, _VIEWED, span, periods=30, starts=Starts.RECURRING),
        _bits("distinct_id", _DAY, 30, "event = 'viewed'", first=False),
        duck.recurring("distinct_id", "day", 30, "event = 'viewed'"),
    ),
    Question(
        "retention of users, recurring, 30 days (SQL: bits of two numbers)",
        plan_retention,
        lambda span: RetentionQuery(_VIEWED, _VIEWED, span, periods=30, starts=Starts.RECURRING),
        _bits_of_two("distinct_id", _DAY, 30, "event = 'viewed'"),
    ),
    Question(
        "retention of users, recurring, 30 days (SQL: pairs)",
        plan_retention,
        lambda span: RetentionQuery(_VIEWED, _VIEWED, span, periods=30, starts=Starts.RECURRING),
        _pairs("distinct_id", _DAY, 30, "event = 'viewed'"),
        duck.recurring("distinct_id", "day", 30, "event = 'viewed'"),
    ),
    Question(
        "retention of users, rolling, 30 days",
        plan_retention,
        lambda span: RetentionQuery(_VIEWED, _VIEWED, span, periods=30, window=Window.ROLLING),
        "SELECT toDate(f) AS d, n, count() FROM (SELECT arrayMin(s) AS f, arrayJoin(arrayDistinct(arrayFilter(x -> x <= 30,"
        " arrayMap(x -> intDiv(toUnixTimestamp64Micro(x) - toUnixTimestamp64Micro(f), 86400000000), s)))) AS n"
        " FROM (SELECT groupArray(timestamp) AS s {events} AND event = 'viewed' GROUP BY distinct_id)) GROUP BY d, n",
        duck.ROLLING,
    ),
    Question(
        "retention of users by country, weeks (SQL: texts)",
        plan_retention,
        lambda span: RetentionQuery(range=span, interval=Interval.WEEK, breakdown=Breakdown(("event.country",))),
        _bits("distinct_id", _WEEK, 11, DONE, first=True)
        .replace("SELECT r, arrayJoin", "SELECT c, r, arrayJoin")
        .replace("SELECT groupBitOr", "SELECT argMin(properties.country.:String, timestamp) AS c, groupBitOr")
        .replace("SELECT i, count()", "SELECT c, i, count()")
        .replace("GROUP BY i", "GROUP BY c, i"),
        duck.BY_COUNTRY,
    ),
    Question(
        "lifecycle of users, days",
        plan_lifecycle,
        lambda span: LifecycleQuery(_VIEWED, span),
        "SELECT d, sum(isNull(p)) AS fresh, sum(ifNull(p = d - 1, 0)) AS again, sum(ifNull(p < d - 1, 0)) AS back FROM"
        " (SELECT arrayJoin(arrayZip(s, arrayPushFront(arrayPopBack(CAST(s AS Array(Nullable(UInt16)))), NULL))) AS x,"
        f" x.1 AS d, x.2 AS p FROM (SELECT arraySort(groupUniqArray({_DAY})) AS s {{events}} AND event = 'viewed'"
        " GROUP BY distinct_id)) GROUP BY d",
        duck.lifecycle("distinct_id", "day", "event = 'viewed'"),
    ),
    Question(
        "lifecycle of companies, weeks",
        plan_lifecycle,
        lambda span: LifecycleQuery(range=span, interval=Interval.WEEK, count_by="company"),
        "SELECT d, sum(isNull(p)) AS fresh, sum(ifNull(p = d - 1, 0)) AS again, sum(ifNull(p < d - 1, 0)) AS back FROM"
        " (SELECT arrayJoin(arrayZip(s, arrayPushFront(arrayPopBack(CAST(s AS Array(Nullable(UInt16)))), NULL))) AS x,"
        f" x.1 AS d, x.2 AS p FROM (SELECT arraySort(groupUniqArray({_WEEK})) AS s {{events}}"
        f" AND {DONE} AND group_company IS NOT NULL GROUP BY group_company)) GROUP BY d",
        duck.lifecycle("company", "week", DONE),
    ),
    Question(
        "stickiness of users, days",
        plan_stickiness,
        lambda span: StickinessQuery(_VIEWED, span),
        f"SELECT n, count() FROM (SELECT uniqExact({_DAY}) AS n {{events}} AND event = 'viewed' GROUP BY distinct_id)"
        " GROUP BY n",
        "SELECT n, count(*) FROM (SELECT count(DISTINCT timestamp::DATE) AS n {events} AND event = 'viewed'"
        " GROUP BY distinct_id) GROUP BY n",
    ),
    Question(
        "stickiness of companies, days",
        plan_stickiness,
        lambda span: StickinessQuery(range=span, count_by="company"),
        f"SELECT n, count() FROM (SELECT uniqExact({_DAY}) AS n {{events}} AND {DONE} AND group_company IS NOT NULL"
        " GROUP BY group_company) GROUP BY n",
        "SELECT n, count(*) FROM (SELECT count(DISTINCT timestamp::DATE) AS n {events} AND "
        f"{DONE} GROUP BY company) GROUP BY n",
    ),
]
