"""The question checked, its SQL, and its answer put together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from burgee_server.insights.sql.positions import Positions
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.sql.variants import IS_DONE
from burgee_server.insights.words import QueryInfo
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP, Statement, from_micros

MAX_FEATURES = 50


@dataclass(frozen=True, slots=True)
class FeaturesPlan:
    """A checked question and its statements: the use of each feature, the times of its use, who was active, and the
    groups of each, if they are asked for."""

    query: FeaturesQuery
    columns: tuple[datetime, ...]
    statements: tuple[Statement, ...]

    def answer(self, rows: Sequence[Sequence[Sequence[Any]]], info: QueryInfo) -> FeatureUsage:
        """The features in the order of the question."""
        uses, times, [[users, groups]], *owners = rows
        of_feature: dict[int, int] = {feature: count for each in owners for feature, count in each}
        trends = [[0] * len(self.columns) for _ in self.query.features]
        totals: dict[int, Sequence[Any]] = {}
        for feature, column, used_by, *totalled in uses:
            if column < 0:
                totals[feature] = (used_by, *totalled)
            else:
                trends[feature][column] = used_by
        used = {feature: (from_micros(first), from_micros(last)) for feature, first, last in times}
        features = []
        for number, feature in enumerate(self.query.features):
            used_by, events, days, returning = totals.get(number, (0, 0, 0, 0))
            of_groups = of_feature.get(number, 0)
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
        require_group_type(query.group_type, asked.terms.group_types, "group_type")
    for index, feature in enumerate(query.features):
        require_name(feature.label, f"features[{index}].label")
        if not feature.use.event and not feature.use.action:
            raise Invalid.of(f"features[{index}].use.event", "a feature is an event or an action: name one")
    columns = asked.span.columns(query.interval)
    if (cells := len(query.features) * len(columns)) > MAX_CELLS:
        raise Invalid.of(
            "interval", f"features × columns may be {MAX_CELLS:,}, these are {cells:,}: ask for fewer of one"
        )
    owners = [_owners(query, asked)] if query.group_type else []
    statements = (_uses(query, asked, columns), _times(query, asked), _active(query, asked), *owners)
    return FeaturesPlan(query, columns, statements)


def _uses(query: FeaturesQuery, asked: Asked, columns: Sequence[datetime]) -> Statement:
    """Rows of (feature, column or -1 for the total, users, events, days of users, users on several days)."""
    scope = Scope(asked)
    day, count = _days(asked, scope)
    weeks, days = Positions("columns", len(columns)), Positions("days", count)
    select = [f"{scope.event_key(USER).text} AS user", f"{position_sql(scope, columns)} AS column", f"{day} AS day"]
    events = _features(query, asked, scope, select)
    # One row a feature and user is enough to add up users, days and events from.
    of_users = (
        f"SELECT feature, count() AS events, {weeks.gathered(of='column')}, {days.gathered(of='day')}"
        f" FROM ({events}) GROUP BY feature, user"
    )
    places = f"arrayPushFront(arrayMap(column -> toInt32(column), {weeks.listed}), -1)"
    each = f"SELECT feature, events, {days.size} AS active, arrayJoin({places}) AS place FROM ({of_users})"
    return scope.statement(
        f"SELECT feature, place, count(), sum(events), sum(active), countIf(active > 1) FROM ({each})"
        " GROUP BY feature, place"
    )


def _days(asked: Asked, scope: Scope) -> tuple[str, int]:
    """The number of the day that an event was on in the time zone, from 0, as SQL; and how many there are at most."""
    zone, start = asked.span.zone, max(asked.span.start, FIRST_TIMESTAMP)
    # A day before the first, because clocks may be set back from a day into the one before.
    first = (start.astimezone(zone).date() - timedelta(days=1) - FIRST_TIMESTAMP.date()).days
    is_utc = zone.key == "UTC"
    day = "toInt32(events.day)" if is_utc else f"toInt32(toDate32(timestamp, {scope.bind(zone.key, 'String')}))"
    count = (min(asked.span.end, LAST_TIMESTAMP) - start).days + 4
    return f"toUInt16({day} - {scope.bind(first, 'Int32')})", max(count, 1)


def _owners(query: FeaturesQuery, asked: Asked) -> Statement:
    """Rows of (feature, groups)."""
    scope = Scope(asked)
    events = _features(query, asked, scope, [f"{scope.event_key(query.group_type).text} AS owner"])
    return scope.statement(f"SELECT feature, uniqExact(owner) FROM ({events}) GROUP BY feature")


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
