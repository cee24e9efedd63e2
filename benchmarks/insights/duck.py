"""SQL for DuckDB that several questions share: each written as well as we can write it there."""

_DAYS = "INTERVAL 14 DAY"
DONE = "event != '$feature_flag_called'"
"""What a question about any event leaves out."""


def ways(by: str = "distinct_id", steps: tuple[str, ...] = ("invited", "edited", "exported"), *, also: str = "") -> str:
    """A query for every way through three steps: its actor, its moments t1, t2, t3, and how far it got, l.

    From each first step to the next second, and from that to the next third. `also` is a column that all must share.
    """
    same = "".join(f" AND {{0}}.{column} = {{1}}.{column}" for column in ("a", *([also] if also else [])))[5:]

    def of(step: str) -> str:
        more = f", {also}" if also else ""
        return f"(SELECT {by} AS a, timestamp AS t{more} {{events}} AND event = '{step}')"

    first, second, third = map(of, steps)
    more = f", x.{also}" if also else ""
    return (
        f"SELECT x.a{more}, x.t AS t1, y.t AS t2, z.t AS t3, CASE WHEN z.t <= x.t + {_DAYS} THEN 3"
        f" WHEN y.t <= x.t + {_DAYS} THEN 2 ELSE 1 END AS l FROM {first} AS x"
        f" ASOF LEFT JOIN {second} AS y ON {same.format('x', 'y')} AND x.t <= y.t"
        f" ASOF LEFT JOIN {third} AS z ON {same.format('y', 'z')} AND y.t <= z.t"
    )


COUNTS = "count(*) FILTER (l >= 1) AS n1, count(*) FILTER (l >= 2) AS n2, count(*) FILTER (l >= 3) AS n3"
_LAST = "CASE l WHEN 3 THEN t3 WHEN 2 THEN t2 ELSE t1 END"
BEST = f"SELECT * FROM ({ways()}) QUALIFY row_number() OVER (PARTITION BY a ORDER BY l DESC, {_LAST}, t1 DESC) = 1"
"""Of each actor the way that got furthest, of those the one that was first there."""


def funnel(by: str, steps: tuple[str, ...]) -> str:
    """How many got how far."""
    return f"SELECT {COUNTS} FROM (SELECT a, max(l) AS l FROM ({ways(by, steps)}) GROUP BY a)"


STRICT = (
    f"SELECT {COUNTS} FROM (SELECT a, max(CASE WHEN e != 'invited' THEN 0 WHEN e2 = 'edited' AND t2 <= t"
    f" + {_DAYS} THEN"
    f" CASE WHEN e3 = 'exported' AND t3 <= t + {_DAYS} THEN 3 ELSE 2 END ELSE 1 END) AS l FROM (SELECT"
    f" distinct_id AS a,"
    " event AS e, timestamp AS t, lead(event) OVER w AS e2, lead(event, 2) OVER w AS e3, lead(timestamp)"
    " OVER w AS t2,"
    f" lead(timestamp, 2) OVER w AS t3 {{events}} AND {DONE} WINDOW w AS (PARTITION BY distinct_id ORDER"
    f" BY timestamp))"
    " GROUP BY a)"
)
_NEXT = "min(timestamp) FILTER (event = '{}') OVER w"
UNORDERED = (
    f"SELECT {COUNTS} FROM (SELECT a, max((x <= t + {_DAYS})::INTEGER + (y <= t + {_DAYS})::INTEGER"
    f" + (z <= t + {_DAYS})::INTEGER) AS l FROM (SELECT distinct_id AS a, timestamp AS t,"
    + ", ".join(
        f" coalesce({_NEXT.format(step)}, '9999-01-01'::TIMESTAMP) AS {name}"
        for step, name in (("invited", "x"), ("edited", "y"), ("exported", "z"))
    )
    + " {events} AND event IN ('invited', 'edited', 'exported') WINDOW w AS (PARTITION BY distinct_id"
    " ORDER BY timestamp"
    " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)) GROUP BY a)"
)
EXCLUDED = (
    f"SELECT {COUNTS} FROM (SELECT a, CASE WHEN bool_or(clean AND l = most) THEN any_value(most) ELSE 0 END AS l FROM"
    f" (SELECT w.*, max(l) OVER (PARTITION BY w.a) AS most, v.t IS NULL OR v.t > CASE l WHEN 3 THEN t3"
    f" ELSE t1 + {_DAYS}"
    f" END AS clean FROM ({ways()}) AS w ASOF LEFT JOIN (SELECT distinct_id AS a, timestamp AS t {{events}} AND"
    " event = 'viewed') AS v ON w.a = v.a AND w.t1 < v.t) GROUP BY a)"
)
_PARTS = (
    "SELECT CASE WHEN r <= 10 THEN country END AS part, sum(n1), sum(n2), sum(n3) FROM (SELECT *, row_number() OVER"
    " (ORDER BY n1 DESC) AS r FROM ({})) GROUP BY part"
)
FIRST_TOUCH = _PARTS.format(
    f"SELECT country, {COUNTS} FROM (SELECT a, max(l) AS l FROM ({ways()}) GROUP BY a) JOIN (SELECT distinct_id AS a,"
    " arg_min(country, timestamp) AS country {events} AND event = 'invited' GROUP BY a) USING (a) GROUP BY country"
)
ALL_STEPS = (
    f"WITH each_one AS (SELECT a, country, max(l) AS l FROM ({ways(also='country')}) GROUP BY a, country), top AS ("
    "SELECT country FROM each_one GROUP BY country ORDER BY count(*) DESC LIMIT 10)"
    f" SELECT part, {COUNTS} FROM (SELECT a, CASE WHEN country IN (SELECT country FROM top) THEN country END AS part,"
    " max(l) AS l FROM each_one GROUP BY a, part) GROUP BY part"
)
"""Each actor once in every part, also in that of all other countries together."""
PEOPLE = f"SELECT * FROM ({BEST}) WHERE l = 3 ORDER BY a LIMIT 101"
_BETWEEN = {
    name: f"epoch_us({late}) - epoch_us({early})" for name, late, early in (("2", "t2", "t1"), ("3", "t3", "t2"))
}
_WHOLE = "epoch_us(t3) - epoch_us(t1)"
TIMES = (
    f"WITH best AS ({BEST}), whole AS (SELECT min({_WHOLE}) AS low, max({_WHOLE}) AS high FROM best WHERE l = 3)"
    f" SELECT avg({_BETWEEN['2']}) FILTER (l >= 2), median({_BETWEEN['2']}) FILTER (l >= 2), avg({_BETWEEN['3']})"
    f" FILTER (l = 3), median({_BETWEEN['3']}) FILTER (l = 3), avg({_WHOLE}) FILTER (l = 3), median({_WHOLE}) FILTER"
    f" (l = 3), (SELECT list(n ORDER BY bin) FROM (SELECT (20 * ({_WHOLE} - low)) // (high - low + 1) AS"
    f" bin, count(*)"
    " AS n FROM best, whole WHERE l = 3 GROUP BY bin)) FROM best"
)
OVER_TIME = (
    f"SELECT d, {COUNTS} FROM (SELECT a, date_trunc('day', t1) AS d, max(l) AS l FROM ({ways()}) GROUP BY a, d)"
    " GROUP BY d"
)
CORRELATION = (
    f"WITH people AS (SELECT a, l = 3 AS c, t1, CASE l WHEN 3 THEN t3 ELSE t1 + {_DAYS} END AS until FROM ({BEST}))"
    " SELECT event, count(DISTINCT a) FILTER (c), count(DISTINCT a) FILTER (NOT c) FROM (SELECT event,"
    " distinct_id AS a,"
    f" timestamp AS t {{events}} AND {DONE}) JOIN people USING (a) WHERE t BETWEEN t1 AND until GROUP BY event"
)


def first_time(by: str, unit: str, periods: int, events: str) -> str:
    """A retention of everybody first seen in the span."""
    return (
        f"WITH seen AS (SELECT DISTINCT {by} AS a, date_trunc('{unit}', timestamp) AS t {{events}} AND {events}),"
        " first AS (SELECT a, min(t) AS f FROM seen GROUP BY a) SELECT f, date_diff('"
        f"{unit}', f, t) AS n, count(*) FROM seen JOIN first USING (a) GROUP BY 1, 2 HAVING n <= {periods}"
    )


def recurring(by: str, unit: str, periods: int, events: str) -> str:
    """A retention of all starts: a bit a column for each actor, shifted to where it started."""
    first, column = (f"date_trunc('{unit}', {moment})" for moment in ("min(timestamp)", "timestamp"))
    place = f"date_diff('{unit}', (SELECT {first} {{events}}), {column})"
    counts = ", ".join(f"count(*) FILTER ((q >> {n}) & 1 = 1)" for n in range(1, periods + 1))
    return (
        f"SELECT i, count(*), {counts} FROM (SELECT i, r >> i AS q FROM (SELECT bit_or(1::HUGEINT <<"
        f" ({place})::INTEGER)"
        f" AS r {{events}} AND {events} GROUP BY {by}), range(100) AS columns(i)) WHERE q & 1 = 1 GROUP BY i"
    )


ROLLING = (
    "WITH v AS (SELECT distinct_id AS a, epoch_us(timestamp) AS t {events} AND event = 'viewed'), f AS"
    " (SELECT a, min(t)"
    " AS f FROM v GROUP BY a) SELECT d, n, count(*) FROM (SELECT DISTINCT a, f // 86400000000 AS d, (t -"
    " f) // 86400000000"
    " AS n FROM v JOIN f USING (a)) WHERE n <= 30 GROUP BY d, n"
)
BY_COUNTRY = (
    f"WITH seen AS (SELECT DISTINCT distinct_id AS a, date_trunc('week', timestamp) AS t {{events}} AND"
    f" {DONE}), first AS"
    f" (SELECT distinct_id AS a, date_trunc('week', min(timestamp)) AS f, arg_min(country, timestamp) AS"
    f" c {{events}} AND"
    f" {DONE} GROUP BY a) SELECT c, f, date_diff('week', f, t) AS n, count(*) FROM seen JOIN first USING"
    f" (a) GROUP BY 1, 2, 3"
    " HAVING n <= 11"
)


def lifecycle(by: str, unit: str, events: str) -> str:
    """Who is new, there again, and back."""
    return (
        f"SELECT t, count(*) FILTER (p IS NULL), count(*) FILTER (p = t - INTERVAL 1 {unit}),"
        f" count(*) FILTER (p < t - INTERVAL 1 {unit}) FROM (SELECT t, lag(t) OVER (PARTITION BY a ORDER BY"
        f" t) AS p FROM"
        f" (SELECT DISTINCT {by} AS a, date_trunc('{unit}', timestamp) AS t {{events}} AND {events})) GROUP BY t"
    )


PATHS = (
    "WITH e AS (SELECT distinct_id AS u, timestamp AS t, event AS e, coalesce(timestamp - lag(timestamp) OVER w >"
    f" INTERVAL 3 DAY, true)::INTEGER AS cut {{events}} AND {DONE} WINDOW w AS (PARTITION BY distinct_id"
    f" ORDER BY timestamp,"
    " event)), s AS (SELECT *, sum(cut) OVER (PARTITION BY u ORDER BY t, e ROWS UNBOUNDED PRECEDING) AS"
    " session FROM e),"
    " b AS (SELECT *, max((e = 'invited')::INTEGER) OVER w AS begun, lag(e) OVER w AS before FROM s"
    " WINDOW w AS (PARTITION"
    " BY u, session ORDER BY t, e ROWS UNBOUNDED PRECEDING)), r AS (SELECT *, row_number() OVER w AS n,"
    " lead(e) OVER w AS"
    " following FROM (SELECT *, lag(e) OVER (PARTITION BY u, session ORDER BY t, e) AS same FROM b WHERE"
    " begun = 1) WHERE"
    " same IS DISTINCT FROM e WINDOW w AS (PARTITION BY u, session ORDER BY t, e)) SELECT n, e AS"
    " source, CASE WHEN n < 3"
    " THEN following END AS target, count(*) AS paths, count(DISTINCT u) FROM r WHERE n <= 3 GROUP BY 1, 2, 3"
    " ORDER BY paths DESC LIMIT 50"
)
