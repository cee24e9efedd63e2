"""Questions that are saved under a key, and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from burgee.insights.about_funnel import FunnelActorsQuery, FunnelOverTimeQuery, FunnelTimesQuery
from burgee.insights.features import FeatureUsageQuery
from burgee.insights.funnel import FunnelQuery
from burgee.insights.funnel_differences import FunnelComparisonQuery, FunnelCorrelationQuery
from burgee.insights.lifecycle import LifecycleActorsQuery, LifecycleQuery
from burgee.insights.paths import PathsQuery
from burgee.insights.retention import RetentionActorsQuery, RetentionQuery
from burgee.insights.stickiness import StickinessActorsQuery, StickinessQuery
from burgee.insights.trend import TrendQuery
from burgee.insights.words import Answered, Moment, QueryError, QueryInfo, write_time
from burgee.v1 import common_pb2, saved_pb2

KINDS: Mapping[str, Any] = {
    "trend": TrendQuery,
    "funnel": FunnelQuery,
    "funnel_actors": FunnelActorsQuery,
    "funnel_times": FunnelTimesQuery,
    "funnel_over_time": FunnelOverTimeQuery,
    "funnel_comparison": FunnelComparisonQuery,
    "funnel_correlation": FunnelCorrelationQuery,
    "retention": RetentionQuery,
    "retention_actors": RetentionActorsQuery,
    "paths": PathsQuery,
    "feature_usage": FeatureUsageQuery,
    "lifecycle": LifecycleQuery,
    "lifecycle_actors": LifecycleActorsQuery,
    "stickiness": StickinessQuery,
    "stickiness_actors": StickinessActorsQuery,
}
"""By their names on the wire, the questions that can be saved."""


@dataclass(frozen=True, slots=True)
class SavedAnswer(Answered):
    """What a saved insight was answered: `answer` is a Trend, a Funnel, …, of the `kind` that was saved.

    About the one group that it was asked for, if it was; then `info` says nothing of what others did.
    """

    key: str
    name: str
    description: str
    version: int
    kind: str
    group_key: str
    group_type: str
    answer: Any
    info: QueryInfo

    @property
    def row_names(self) -> tuple[str, ...]:
        """Those of the answer."""
        names: tuple[str, ...] = self.answer.row_names
        return names

    def to_rows(self) -> list[dict[str, Any]]:
        """Those of the answer."""
        rows: list[dict[str, Any]] = self.answer.to_rows()
        return rows


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """Asks a saved insight by its key: `client.ask(SavedQuery("reports", group_key="acme", start="last month"))`.

    `start` and `end`, `time_zone` and `compare` stand in place of what was saved. With a `group_key`, nothing but the
    events of that group are looked at: of a `group_type`, or of the type that the insight is shown to. `page_token`:
    for an insight that lists people, the page that follows.
    """

    method: ClassVar[str] = "AskInsight"
    answer: ClassVar[type] = SavedAnswer

    key: str
    group_key: str = ""
    group_type: str = ""
    start: Moment = ""
    end: Moment = ""
    time_zone: str = ""
    compare: str = ""
    page_token: str = ""

    def write(self) -> saved_pb2.AskInsightRequest:
        """See Query."""
        return saved_pb2.AskInsightRequest(
            insight_key=self.key,
            range=common_pb2.TimeRange(start=write_time(self.start), end=write_time(self.end), compare=self.compare),
            time_zone=self.time_zone,
            group_key=self.group_key,
            group_type=self.group_type,
            page_token=self.page_token,
        )

    @staticmethod
    def read(response: saved_pb2.AskInsightResponse) -> SavedAnswer:
        """See Query. Raises QueryError for a kind of answer that this client is too old to know."""
        kind = str(response.answer.WhichOneof("kind"))
        if kind not in KINDS:
            raise QueryError("UNIMPLEMENTED", f"insight {response.insight_key!r} is of a kind that is newer than this")
        answer: Any = KINDS[kind].read(getattr(response.answer, kind))
        return SavedAnswer(
            response.insight_key,
            response.name,
            response.description,
            response.insight_version,
            kind,
            response.group_key,
            response.group_type,
            answer,
            answer.info,
            asked=answer.asked,
        )
