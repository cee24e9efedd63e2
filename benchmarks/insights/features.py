"""Feature usage."""

from benchmarks.insights.question import Question
from burgee_server.insights.features import Feature, FeaturesQuery, plan_features
from burgee_server.insights.words import Happening, Interval

FEATURES = [
    Question(
        "usage of 3 features, by user and company",
        plan_features,
        lambda span: FeaturesQuery(
            tuple(Feature(Happening(name)) for name in ("edited", "exported", "invited")),
            span,
            interval=Interval.WEEK,
            group_type="company",
        ),
        """
        SELECT f, w, count(), uniqExactArray(cs), sum(n), sum(days), countIf(days > 1) FROM (
            SELECT f, w, u, sum(n) AS n, uniqExact(d) AS days, groupUniqArray(c) AS cs FROM (
                SELECT event AS f, toMonday(day) AS w, distinct_id AS u, day AS d,
                    any(group_company) AS c, count() AS n
                {events} AND event IN ('edited', 'exported', 'invited') GROUP BY f, w, u, d
            ) GROUP BY GROUPING SETS ((f, w, u), (f, u))
        ) GROUP BY f, w
        UNION ALL SELECT event, toDate(min(timestamp)), toUnixTimestamp(max(timestamp)), 0, 0, 0, 0
            {events} AND event IN ('edited', 'exported', 'invited') GROUP BY event
        UNION ALL SELECT '', toDate(0), uniqExact(distinct_id), uniqExact(group_company), 0, 0, 0 {events}
            AND event != '$feature_flag_called'
        """,
        """
        WITH used AS (
            SELECT event AS f, date_trunc('week', timestamp) AS w, distinct_id AS u, timestamp::DATE AS d, company,
                count(*) AS n
            {events} AND event IN ('edited', 'exported', 'invited') GROUP BY 1, 2, 3, 4, 5
        )
        SELECT f, w, count(DISTINCT u), count(DISTINCT company), sum(n), count(DISTINCT (u, d)) FROM used
            GROUP BY GROUPING SETS ((f, w), (f))
        UNION ALL SELECT '', NULL, count(DISTINCT distinct_id), count(DISTINCT company), 0, 0 {events}
            AND event != '$feature_flag_called'
        """,
    ),
]
