"""What feature usage is asked and answers: plain frozen values. Words and limits are those of features.proto."""

from dataclasses import dataclass
from datetime import datetime

from burgee.evaluation import Filter
from burgee_server.insights.words import LATELY, Happening, Interval, QueryInfo, TimeRange


@dataclass(frozen=True, slots=True)
class Feature:
    """What counts as using a feature, of a name or of an action, and what to call it."""

    use: Happening
    label: str = ""


@dataclass(frozen=True, slots=True)
class FeaturesQuery:
    """Asks for the usage of features. `group_type`: whose breadth is counted, too; empty: of no groups."""

    features: tuple[Feature, ...]
    range: TimeRange = LATELY
    time_zone: str = ""
    interval: Interval = Interval.DAY
    group_type: str = ""
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """How one feature is used. Shares are 0 to 1, and 0 of nobody; a mean of nobody is NaN.

    `trend` has the users of each column. `first_used_at` and `last_used_at` are of all time up to the end of the span.
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
class FeatureUsage:
    """The answer to a FeaturesQuery: the features in the order of the question, and all who were active."""

    columns: tuple[datetime, ...]
    features: tuple[FeatureUse, ...]
    active_users: int
    active_groups: int
    info: QueryInfo
