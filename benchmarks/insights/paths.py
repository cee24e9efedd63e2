"""Paths."""

from datetime import timedelta

from benchmarks.insights import duck
from benchmarks.insights.question import Question
from burgee_server.insights.paths import PathsQuery, plan_paths
from burgee_server.insights.words import Happening

PATHS = [
    Question(
        "paths of 3 steps after an invitation",
        plan_paths,
        lambda span: PathsQuery(start_event=Happening("invited"), range=span, gap=timedelta(days=3), steps=3),
        "SELECT n, way[n] AS source, way[n + 1] AS target, count() AS paths, uniqExact(u) FROM (SELECT u, arraySlice("
        "arrayCompact(arraySlice(names, arrayFirstIndex(name -> name = 'invited', names))), 1, 3) AS way,"
        " arrayJoin(arrayEnumerate(way)) AS n FROM (SELECT u, arrayMap(e -> e.2, arrayJoin(arraySplit((e, b) -> e.1 - b.1 >"
        " 259200000000, es, arrayPushFront(arrayPopBack(es), es[1])))) AS names FROM (SELECT distinct_id AS u,"
        " arraySort(groupArray((toUnixTimestamp64Micro(timestamp), event))) AS es {events}"
        f" AND {duck.DONE} GROUP BY u))"
        " WHERE has(names, 'invited')) GROUP BY n, source, target ORDER BY paths DESC LIMIT 50",
        duck.PATHS,
    ),
]
