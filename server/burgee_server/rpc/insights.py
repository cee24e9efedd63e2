"""InsightService."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from burgee.v1 import insights_pb2_grpc, saved_pb2
from burgee_server.errors import BurgeeError, Invalid, Stopping
from burgee_server.insights import SavedInsights
from burgee_server.ports.saved import SavedInsight
from burgee_server.rpc.answering import Answering
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.changes import named, require_version
from burgee_server.rpc.errors import code_of
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.questions.saved import read_contents, write_insight
from burgee_server.rpc.shown import is_shown, shown, take_own_group

MAX_TOGETHER = 50
"""How many saved insights may be asked in one call."""

_key = partial(named, field="insight_key")


class InsightServicer(insights_pb2_grpc.InsightServiceServicer):
    """A method an insight, its request and its response those of the wire; and the insights that are saved."""

    def __init__(self, answering: Answering, saved: SavedInsights) -> None:
        self._answering = answering
        self._saved = saved

    async def QueryTrend(self, request: Any, context: Any) -> Any:
        """How much, over time."""
        return await self._answering.answer(request, context)

    async def QueryFunnel(self, request: Any, context: Any) -> Any:
        """How many got from step to step."""
        return await self._answering.answer(request, context)

    async def QueryFunnelActors(self, request: Any, context: Any) -> Any:
        """Who reached a step, or was lost there."""
        return await self._answering.answer(request, context)

    async def QueryFunnelTimes(self, request: Any, context: Any) -> Any:
        """How long it takes."""
        return await self._answering.answer(request, context)

    async def QueryFunnelOverTime(self, request: Any, context: Any) -> Any:
        """Conversion by when they entered."""
        return await self._answering.answer(request, context)

    async def QueryFunnelComparison(self, request: Any, context: Any) -> Any:
        """Whether two sides convert differently."""
        return await self._answering.answer(request, context)

    async def QueryFunnelCorrelation(self, request: Any, context: Any) -> Any:
        """What goes with converting."""
        return await self._answering.answer(request, context)

    async def QueryRetention(self, request: Any, context: Any) -> Any:
        """Who comes back."""
        return await self._answering.answer(request, context)

    async def QueryRetentionActors(self, request: Any, context: Any) -> Any:
        """Who is behind a cell of a retention."""
        return await self._answering.answer(request, context)

    async def QueryPaths(self, request: Any, context: Any) -> Any:
        """What people do after an event, before one, or from one to another."""
        return await self._answering.answer(request, context)

    async def QueryFeatureUsage(self, request: Any, context: Any) -> Any:
        """Which features are used, by how many, and how often."""
        return await self._answering.answer(request, context)

    async def QueryLifecycle(self, request: Any, context: Any) -> Any:
        """Who is new, returns, comes back to life or goes dormant."""
        return await self._answering.answer(request, context)

    async def QueryLifecycleActors(self, request: Any, context: Any) -> Any:
        """Who is at a stage in a column."""
        return await self._answering.answer(request, context)

    async def QueryStickiness(self, request: Any, context: Any) -> Any:
        """In how many columns everybody was active."""
        return await self._answering.answer(request, context)

    async def QueryStickinessActors(self, request: Any, context: Any) -> Any:
        """Who was active in a number of columns."""
        return await self._answering.answer(request, context)

    async def CreateInsight(
        self, request: saved_pb2.CreateInsightRequest, _context: Any
    ) -> saved_pb2.CreateInsightResponse:
        """Keep a question."""
        asked = request.insight
        saved = await self._saved.create(
            environment_id(),
            asked.key,
            read_contents(asked),
            lambda: self._answering.check(asked),
            principal().name,
            request.change_note,
        )
        return saved_pb2.CreateInsightResponse(insight=write_insight(saved))

    async def UpdateInsight(
        self, request: saved_pb2.UpdateInsightRequest, _context: Any
    ) -> saved_pb2.UpdateInsightResponse:
        """Change a saved insight."""
        require_version(request.expected_version)
        asked = request.insight
        saved = await self._saved.update(
            environment_id(),
            _key(asked.key, field="insight.key"),
            read_contents(asked),
            lambda: self._answering.check(asked),
            request.expected_version,
            principal().name,
            request.change_note,
        )
        return saved_pb2.UpdateInsightResponse(insight=write_insight(saved))

    async def GetInsight(self, request: saved_pb2.GetInsightRequest, _context: Any) -> saved_pb2.GetInsightResponse:
        """One saved insight."""
        saved = await self._saved.get(environment_id(), _key(request.insight_key))
        return saved_pb2.GetInsightResponse(insight=write_insight(saved))

    async def ListInsights(
        self, request: saved_pb2.ListInsightsRequest, _context: Any
    ) -> saved_pb2.ListInsightsResponse:
        """A page of saved insights."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        after = position[0] if position else ""
        found = await self._saved.page(environment_id(), tag=request.tag, after=after, limit=limit)
        response = saved_pb2.ListInsightsResponse()
        if (last := fill(response.insights, found, limit, write_insight)) is not None:
            response.next_page_token = page_token(last.key)
        return response

    async def DeleteInsight(
        self, request: saved_pb2.DeleteInsightRequest, _context: Any
    ) -> saved_pb2.DeleteInsightResponse:
        """Take a saved insight away."""
        await self._saved.delete(environment_id(), _key(request.insight_key), principal().name, request.change_note)
        return saved_pb2.DeleteInsightResponse()

    async def AskInsight(self, request: saved_pb2.AskInsightRequest, context: Any) -> saved_pb2.AskInsightResponse:
        """Ask a saved question."""
        take_own_group(request, principal())
        saved = await shown(self._saved, _key(request.insight_key), request.group_type, principal())
        return await self._answering.ask(saved, request, context)

    async def AskInsights(
        self, request: saved_pb2.AskInsightsRequest, context: Any
    ) -> AsyncIterator[saved_pb2.AskInsightsResponse]:
        """Ask saved questions, one after another."""
        take_own_group(request, principal())
        asked = saved_pb2.AskInsightRequest(
            range=request.range,
            time_zone=request.time_zone,
            group_key=request.group_key,
            group_type=request.group_type,
        )
        for saved in await self._meant(request):
            try:
                answered = await self._answering.ask(saved, asked, context)
                yield saved_pb2.AskInsightsResponse(answered=answered)
            except Stopping:
                raise
            except BurgeeError as error:
                failed = saved_pb2.InsightFailure(insight_key=saved.key, code=code_of(error).name, message=str(error))
                yield saved_pb2.AskInsightsResponse(failed=failed)

    async def _meant(self, request: saved_pb2.AskInsightsRequest) -> Sequence[SavedInsight]:
        """The insights that are to be asked. Raises Invalid, NotFound."""
        if bool(request.insight_keys) is bool(request.tag):
            raise Invalid.of("insight_keys", "either these, or the tag of all that are meant")
        if request.insight_keys:
            if len(request.insight_keys) > MAX_TOGETHER:
                raise Invalid.of("insight_keys", f"at most {MAX_TOGETHER}")
            return [await shown(self._saved, key, request.group_type, principal()) for key in request.insight_keys]
        tagged = await self._saved.tagged(environment_id(), request.tag)
        found = [each for each in tagged if is_shown(each, request.group_type, principal())]
        if len(found) > MAX_TOGETHER:
            raise Invalid.of("tag", f"at most {MAX_TOGETHER} insights may have it, to be asked together")
        return found
