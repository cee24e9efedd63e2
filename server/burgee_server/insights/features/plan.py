"""The question checked, its SQL, and its answer put together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from burgee.evaluation.model import USER
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.features.model import FeaturesQuery, FeatureUsage, FeatureUse
from burgee_server.insights.shares import share
from burgee_server.insights.sql.attributes import require_group_type
from burgee_server.insights.sql.columns import position_sql
from burgee_server.insights.sql.events import events_of
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.limits import MAX_CELLS, require_name
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.sql.variants import IS_DONE
from burgee_server.insights.words import QueryInfo
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, Statement, from_micros

MAX_FEATURES = 50


@dataclass(frozen=True, slots=True)
class FeaturesPlan:
    """A checked question and its statements: the use of each feature, the times of its use, and who was active."""

    query: FeaturesQuery
    columns: tuple[datetime, ...]
    statements: tuple[Statement, Statement, Statement]

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FeatureUsage:
        """The features in the order of the question."""
        uses, times, [[users, groups]] = rows
        trends = [[0] * len(self.columns) for _ in self.query.features]
        totals: dict[int, Sequence[Any]] = {}
        for feature, column, is_total, used_by, *totalled in uses:
            if is_total:
                totals[feature] = (used_by, *totalled)
            else:
                trends[feature][column] = used_by
        used = {feature: (from_micros(first), from_micros(last)) for feature, first, last in times}
        features = []
        for number, feature in enumerate(self.query.features):
            used_by, of_groups, events, days, returning = totals.get(number, (0, 0, 0, 0, 0))
            features.append(
                FeatureUse(
                    label=feature.label or feature.use.event or feature.use.action,
                    events=events,
                    users=used_by,
                    user_share=share(used_by, users),
                    groups=of_groups,
                    group_share=share(of_groups, groups),
                    events_per_user=events / used_by if used_by else math.nan,
                    days_per_user=days / used_by if used_by else math.nan,
                    returning_share=share(returning, used_by),
                    trend=tuple(trends[number]),
                    first_used_at=used[number][0] if number in used else None,
                    last_used_at=used[number][1] if number in used else None,
                )
            )
        return FeatureUsage(self.columns, tuple(features), users, groups, info)


def plan_features(query: FeaturesQuery, asked: Asked) -> FeaturesPlan:
    """Check a question and write its SQL. Raises Invalid."""
    if not 1 <= len(query.features) <= MAX_FEATURES:
        raise Invalid.of("features", f"must be 1 to {MAX_FEATURES} features")
    if query.group_type:
        require_group_type(query.group_type, asked.group_types, "group_type")
    for index, feature in enumerate(query.features):
        require_name(feature.label, f"features[{index}].label")
        if not feature.use.event and not feature.use.action:
            raise Invalid.of(f"features[{index}].use.event", "a feature is an event or an action: name one")
    columns = asked.span.columns(query.interval)
    if (cells := len(query.features) * len(columns)) > MAX_CELLS:
        raise Invalid.of(
            "interval", f"features × columns may be {MAX_CELLS:,}, these are {cells:,}: ask for fewer of one"
        )
    return FeaturesPlan(query, columns, (_uses(query, asked, columns), _times(query, asked), _active(query, asked)))


def _uses(query: FeaturesQuery, asked: Asked, columns: Sequence[datetime]) -> Statement:
    """Rows of (feature, column, is the total, users, groups, events, days of users, users on several days)."""
    scope = Scope(asked)
    day = f"toDate32(timestamp, {scope.bind(asked.span.zone.key, 'String')})"
    user, group = scope.event_key(USER).text, _group(scope, query)
    select = [f"{user} AS user", f"{group} AS owner", f"{position_sql(scope, columns)} AS column", f"{day} AS day"]
    events = _features(query, asked, scope, select)
    # First what one user did in a column and day, so that users, days and events are added up from one small table.
    each = (
        "SELECT feature, user, column, day, count() AS events, groupUniqArray(owner) AS owners"
        f" FROM ({events}) GROUP BY feature, user, column, day"
    )
    of_users = (
        "SELECT feature, column, grouping(column) AS is_total, user, sum(events) AS events, uniqExact(day) AS days,"
        f" groupUniqArrayArray(owners) AS owners FROM ({each})"
        " GROUP BY GROUPING SETS ((feature, column, user), (feature, user))"
    )
    return scope.statement(
        "SELECT feature, column, is_total, count(), uniqExactArray(owners), sum(events), sum(days),"
        f" countIf(days > 1) FROM ({of_users}) GROUP BY feature, column, is_total"
    )


def _times(query: FeaturesQuery, asked: Asked) -> Statement:
    """Rows of (feature, first used, last used), of all time up to the end of the span."""
    scope = Scope(asked)
    events = _features(query, asked, scope, ["toUnixTimestamp64Micro(timestamp) AS at"], since=FIRST_TIMESTAMP)
    return scope.statement(f"SELECT feature, min(at), max(at) FROM ({events}) GROUP BY feature")


def _active(query: FeaturesQuery, asked: Asked) -> Statement:
    """A row of (users, groups) with any event."""
    scope = Scope(asked)
    where = [IS_DONE, *FilterWriter(scope, asked).where(query.filter, "filter")]
    events = scope.events([f"{scope.event_key(USER).text} AS user", f"{_group(scope, query)} AS owner"], where)
    return scope.statement(f"SELECT uniqExact(user), uniqExact(owner) FROM ({events})")


def _group(scope: Scope, query: FeaturesQuery) -> str:
    """The group that an event names, NULL for none."""
    return scope.event_key(query.group_type).text if query.group_type else "CAST(NULL, 'Nullable(String)')"


def _features(
    query: FeaturesQuery, asked: Asked, scope: Scope, select: list[str], since: datetime | None = None
) -> str:
    """A query for the events of all features: one of two features counts for both."""
    writer = FilterWriter(scope, asked)
    uses = [
        f"({' AND '.join(events_of(feature.use, writer, f'features[{index}].use'))})"
        for index, feature in enumerate(query.features)
    ]
    where = [*writer.where(query.filter, "filter"), f"({' OR '.join(uses)})"]
    numbers = ", ".join(f"if({use}, {number}, -1)" for number, use in enumerate(uses))
    features = f"arrayJoin(arrayFilter(number -> number >= 0, [{numbers}])) AS feature"
    return scope.events([features, *select], where, since=since)
