"""Feature usage: which features are used, by how many, how often, and since when no longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from burgee.insights.words import (
    Answered,
    Asking,
    Happening,
    QueryInfo,
    read_info,
    read_moment,
    whole,
    write_happening,
    write_word,
)
from burgee.v1 import features_pb2, questions_pb2


@dataclass(frozen=True, slots=True)
class Feature:
    """What counts as using a feature: an event's name, or a Happening; and what to call it."""

    use: str | Happening
    label: str = ""


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """How one feature is used. Shares are 0 to 1; means of nobody are NaN; `trend` has the users of each column.

    `first_used_at` and `last_used_at` are of all time up to the end of the range; None: never.
    """

    label: str
    events: int
    users: int
    user_share: float
    groups: int
    group_share: float
    events_per_user: float
    days_per_user: float
    returning_share: float
    trend: tuple[int, ...]
    first_used_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FeatureUsage(Answered):
    """The features in the order of the question, and all who were active: what shares are of."""

    features: tuple[FeatureUse, ...]
    columns: tuple[datetime, ...]
    active_users: int
    active_groups: int
    info: QueryInfo

    row_names: ClassVar[tuple[str, ...]] = tuple(name for name in FeatureUse.__slots__ if name != "trend")

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a feature, with everything but its trend."""
        return [{name: getattr(feature, name) for name in self.row_names} for feature in self.features]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureUsageQuery(Asking):
    """Asks which features are used, by how many users and groups of a type, how often, and when last.

    `interval`, of the trends, is hour, day, week, month, quarter or year.
    """

    method: ClassVar[str] = "QueryFeatureUsage"
    answer: ClassVar[type] = FeatureUsage

    features: Sequence[str | Feature]
    group_type: str = ""
    interval: str = "day"

    def write(self) -> features_pb2.QueryFeatureUsageRequest:
        """See Query."""
        return features_pb2.QueryFeatureUsageRequest(
            features=[_write_feature(feature) for feature in self.features],
            interval=write_word(questions_pb2.Interval, "interval", self.interval),
            group_type=self.group_type,
            **self.words(),
        )

    @staticmethod
    @whole
    def read(response: features_pb2.QueryFeatureUsageResponse) -> FeatureUsage:
        """See Query."""
        return FeatureUsage(
            tuple(map(_read_use, response.features)),
            tuple(map(read_moment, response.columns)),
            response.active_users,
            response.active_groups,
            read_info(response.info),
        )


def _write_feature(feature: str | Feature) -> features_pb2.Feature:
    named = Feature(feature) if isinstance(feature, str) else feature
    return features_pb2.Feature(use=write_happening(named.use), label=named.label)


def _read_use(use: features_pb2.FeatureUse) -> FeatureUse:
    return FeatureUse(
        use.label,
        use.events,
        use.users,
        use.user_share,
        use.groups,
        use.group_share,
        use.events_per_user,
        use.days_per_user,
        use.returning_share,
        tuple(use.trend),
        read_moment(use.first_used_at) if use.HasField("first_used_at") else None,
        read_moment(use.last_used_at) if use.HasField("last_used_at") else None,
    )
