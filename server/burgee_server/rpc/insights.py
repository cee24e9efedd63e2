"""InsightService."""

from datetime import UTC, datetime, timedelta
from typing import Any

from burgee.v1 import insights_pb2 as pb
from burgee.v1 import insights_pb2_grpc
from burgee_server.insights import Insights
from burgee_server.insights.model import QueryInfo
from burgee_server.ports.journal import Journal
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id
from burgee_server.rpc.questions import funnel_query, trend_query, write_funnel, write_trend


class InsightServicer(insights_pb2_grpc.InsightServiceServicer):
    """Trends and funnels. A query is given up at its caller's deadline, or after `longest_seconds`."""

    def __init__(self, insights: Insights, group_types: GroupTypes, journal: Journal, longest_seconds: float) -> None:
        self._insights = insights
        self._group_types = group_types
        self._journal = journal
        self._longest_seconds = longest_seconds

    async def QueryTrend(self, request: pb.QueryTrendRequest, context: Any) -> pb.QueryTrendResponse:
        """How much, over time."""
        query = trend_query(request)
        complete_until = await self._journal.complete_until()
        group_types = await self._group_types.known(environment_id())
        trend = await self._insights.trend(environment_id(), query, group_types, self._timeout(context))
        response = write_trend(trend)
        _write_info(response.info, trend.info, complete_until)
        return response

    async def QueryFunnel(self, request: pb.QueryFunnelRequest, context: Any) -> pb.QueryFunnelResponse:
        """How many got from step to step."""
        query = funnel_query(request)
        complete_until = await self._journal.complete_until()
        group_types = await self._group_types.known(environment_id())
        funnel = await self._insights.funnel(environment_id(), query, group_types, self._timeout(context))
        response = write_funnel(funnel)
        _write_info(response.info, funnel.info, complete_until)
        return response

    def _timeout(self, context: Any) -> float:
        remaining = context.time_remaining()
        return self._longest_seconds if remaining is None else min(remaining, self._longest_seconds)


def _write_info(message: pb.QueryInfo, info: QueryInfo, complete_until: float) -> None:
    message.elapsed.FromTimedelta(timedelta(seconds=info.elapsed_seconds))
    message.rows_read = info.rows_read
    message.complete_until.FromDatetime(datetime.fromtimestamp(complete_until, UTC))
    message.start.FromDatetime(info.start)
    message.end.FromDatetime(info.end)
