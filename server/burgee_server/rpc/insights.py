"""InsightService."""

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from burgee.v1 import (
    features_pb2,
    funnel_pb2,
    insights_pb2_grpc,
    lifecycle_pb2,
    paths_pb2,
    retention_pb2,
    stickiness_pb2,
    trend_pb2,
)
from burgee_server.errors import Overloaded
from burgee_server.insights import Insights
from burgee_server.insights.asked import Answer, Asked, Plan, Question
from burgee_server.insights.features import plan_features
from burgee_server.insights.funnel import (
    plan_funnel,
    plan_funnel_actors,
    plan_funnel_comparison,
    plan_funnel_correlation,
    plan_funnel_over_time,
    plan_funnel_times,
)
from burgee_server.insights.lifecycle import plan_lifecycle, plan_lifecycle_actors
from burgee_server.insights.paths import plan_paths
from burgee_server.insights.retention import plan_retention, plan_retention_actors
from burgee_server.insights.stickiness import plan_stickiness, plan_stickiness_actors
from burgee_server.insights.trend import plan_trend
from burgee_server.ports.journal import Journal
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.limits import QueryLimits
from burgee_server.rpc.questions import about_funnel as about
from burgee_server.rpc.questions.features import read_features, write_features
from burgee_server.rpc.questions.funnel import read_funnel, write_funnel
from burgee_server.rpc.questions.lifecycle import (
    read_lifecycle,
    read_lifecycle_actors,
    write_lifecycle,
    write_lifecycle_actors,
)
from burgee_server.rpc.questions.paths import read_paths, write_paths
from burgee_server.rpc.questions.retention import (
    read_retention,
    read_retention_actors,
    write_retention,
    write_retention_actors,
)
from burgee_server.rpc.questions.stickiness import (
    read_stickiness,
    read_stickiness_actors,
    write_stickiness,
    write_stickiness_actors,
)
from burgee_server.rpc.questions.trend import read_trend, write_trend
from burgee_server.rpc.questions.words import (
    Response,
    inside,
    question_of,
    read_properties_as_of,
    write_asked,
    write_info,
)

QuestionT = TypeVar("QuestionT", bound=Question)
AnswerT = TypeVar("AnswerT", bound=Answer)
RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Response)


MAX_ANSWER_BYTES = 64 << 20
"""How large an answer may be when it is sent, with that of the span beside it: so much our clients read."""


class InsightServicer(insights_pb2_grpc.InsightServiceServicer):
    """A method an insight. A query is given up at its caller's deadline, or after `longest_seconds`."""

    def __init__(
        self,
        insights: Insights,
        group_types: GroupTypes,
        journal: Journal,
        longest_seconds: float,
        limits: QueryLimits,
    ) -> None:
        self._insights = insights
        self._group_types = group_types
        self._journal = journal
        self._longest_seconds = longest_seconds
        self._limits = limits

    async def QueryTrend(self, request: trend_pb2.QueryTrendRequest, context: Any) -> trend_pb2.QueryTrendResponse:
        """How much, over time."""
        return await self._answer(plan_trend, read_trend, write_trend, request, context)

    async def QueryFunnel(self, request: funnel_pb2.QueryFunnelRequest, context: Any) -> funnel_pb2.QueryFunnelResponse:
        """How many got from step to step."""
        return await self._answer(plan_funnel, read_funnel, write_funnel, request, context)

    async def QueryFunnelActors(
        self, request: funnel_pb2.QueryFunnelActorsRequest, context: Any
    ) -> funnel_pb2.QueryFunnelActorsResponse:
        """Who reached a step, or was lost there."""
        return await self._answer(plan_funnel_actors, about.read_actors, about.write_actors, request, context)

    async def QueryFunnelTimes(
        self, request: funnel_pb2.QueryFunnelTimesRequest, context: Any
    ) -> funnel_pb2.QueryFunnelTimesResponse:
        """How long it takes."""
        return await self._answer(plan_funnel_times, about.read_times, about.write_times, request, context)

    async def QueryFunnelOverTime(
        self, request: funnel_pb2.QueryFunnelOverTimeRequest, context: Any
    ) -> funnel_pb2.QueryFunnelOverTimeResponse:
        """Conversion by when they entered."""
        return await self._answer(plan_funnel_over_time, about.read_over_time, about.write_over_time, request, context)

    async def QueryFunnelComparison(
        self, request: funnel_pb2.QueryFunnelComparisonRequest, context: Any
    ) -> funnel_pb2.QueryFunnelComparisonResponse:
        """Whether two sides convert differently."""
        return await self._answer(
            plan_funnel_comparison, about.read_comparison, about.write_comparison, request, context
        )

    async def QueryFunnelCorrelation(
        self, request: funnel_pb2.QueryFunnelCorrelationRequest, context: Any
    ) -> funnel_pb2.QueryFunnelCorrelationResponse:
        """What goes with converting."""
        return await self._answer(
            plan_funnel_correlation, about.read_correlation, about.write_correlation, request, context
        )

    async def QueryRetention(
        self, request: retention_pb2.QueryRetentionRequest, context: Any
    ) -> retention_pb2.QueryRetentionResponse:
        """Who comes back."""
        return await self._answer(plan_retention, read_retention, write_retention, request, context)

    async def QueryPaths(self, request: paths_pb2.QueryPathsRequest, context: Any) -> paths_pb2.QueryPathsResponse:
        """What people do after an event, before one, or from one to another."""
        return await self._answer(plan_paths, read_paths, write_paths, request, context)

    async def QueryFeatureUsage(
        self, request: features_pb2.QueryFeatureUsageRequest, context: Any
    ) -> features_pb2.QueryFeatureUsageResponse:
        """Which features are used, by how many, and how often."""
        return await self._answer(plan_features, read_features, write_features, request, context)

    async def QueryRetentionActors(
        self, request: retention_pb2.QueryRetentionActorsRequest, context: Any
    ) -> retention_pb2.QueryRetentionActorsResponse:
        """Who is behind a cell of a retention."""
        read, write = read_retention_actors, write_retention_actors
        return await self._answer(plan_retention_actors, read, write, request, context)

    async def QueryLifecycle(
        self, request: lifecycle_pb2.QueryLifecycleRequest, context: Any
    ) -> lifecycle_pb2.QueryLifecycleResponse:
        """Who is new, returns, comes back to life or goes dormant."""
        return await self._answer(plan_lifecycle, read_lifecycle, write_lifecycle, request, context)

    async def QueryLifecycleActors(
        self, request: lifecycle_pb2.QueryLifecycleActorsRequest, context: Any
    ) -> lifecycle_pb2.QueryLifecycleActorsResponse:
        """Who is at a stage in a column."""
        read, write = read_lifecycle_actors, write_lifecycle_actors
        return await self._answer(plan_lifecycle_actors, read, write, request, context)

    async def QueryStickiness(
        self, request: stickiness_pb2.QueryStickinessRequest, context: Any
    ) -> stickiness_pb2.QueryStickinessResponse:
        """In how many columns everybody was active."""
        return await self._answer(plan_stickiness, read_stickiness, write_stickiness, request, context)

    async def QueryStickinessActors(
        self, request: stickiness_pb2.QueryStickinessActorsRequest, context: Any
    ) -> stickiness_pb2.QueryStickinessActorsResponse:
        """Who was active in a number of columns."""
        read, write = read_stickiness_actors, write_stickiness_actors
        return await self._answer(plan_stickiness_actors, read, write, request, context)

    async def _answer(
        self,
        plan: Callable[[QuestionT, Asked], Plan[AnswerT]],
        read: Callable[[RequestT], QuestionT],
        write: Callable[[AnswerT], ResponseT],
        request: RequestT,
        context: Any,
    ) -> ResponseT:
        """The response to a question, with what was asked and what it cost."""
        with inside(request), self._limits.turn(principal()):
            query, properties_as_of = read(request), read_properties_as_of(request)
            complete_until = await self._journal.complete_until()
            group_types = await self._group_types.known(environment_id())
            answered = await self._insights.ask(
                plan,
                query,
                environment_id(),
                group_types,
                self._timeout(context),
                properties_as_of,
                include_internal=question_of(request).include_internal,
            )
        response = write(answered.answer)
        write_info(answered.answer.info, complete_until, response.info)
        for each in answered.unknown:
            response.info.unknown_events.add(event=each.event, similar=each.similar)
        previous = answered.previous
        write_asked(request, answered.answer.info, previous.info if previous else None, response)
        if previous is not None:
            response.previous.CopyFrom(write(previous))
            write_info(previous.info, complete_until, response.previous.info)
        if response.ByteSize() > MAX_ANSWER_BYTES:
            most = f"{MAX_ANSWER_BYTES >> 20} MiB"
            raise Overloaded(f"the answer is larger than {most}: ask for fewer parts or columns, or shorter texts", 5)
        return response

    def _timeout(self, context: Any) -> float:
        remaining = context.time_remaining()
        return self._longest_seconds if remaining is None else min(remaining, self._longest_seconds)
