"""Answers questions of every kind, asked as they are or by the key under which they are saved."""

from collections.abc import Collection
from typing import Any

from burgee.v1 import saved_pb2
from burgee_server.errors import Invalid, Overloaded
from burgee_server.insights import Insights, OneGroup, Terms
from burgee_server.ports.journal import Journal
from burgee_server.ports.saved import SavedInsight
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.limits import QueryLimits
from burgee_server.rpc.questions.kinds import kind_of
from burgee_server.rpc.questions.saved import changed, question_in, read_question, within
from burgee_server.rpc.questions.words import (
    inside,
    question_of,
    read_properties_as_of,
    write_asked,
    write_info,
    write_unknown,
)

MAX_ANSWER_BYTES = 64 << 20
"""How large an answer may be when it is sent, with that of the span beside it: so much our clients read."""


class Answering:
    """A query is given up at its caller's deadline, or after `longest_seconds`."""

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

    async def answer(self, request: Any, context: Any) -> Any:
        """The response to a request that is a question. Raises Invalid with its fields."""
        with inside(request):
            return await self._answer(request, context, None)

    async def ask(
        self, saved: SavedInsight, request: saved_pb2.AskInsightRequest, context: Any
    ) -> saved_pb2.AskInsightResponse:
        """The response to a saved question, of nothing but one group if the request names one.

        Raises Invalid with the fields of the request, or of the question as it was saved.
        """
        group = _group(saved, request)
        if request.group_type not in ("", saved.contents.shown_to, *await self._group_types.known(environment_id())):
            raise Invalid.of("group_type", f"there is no group type {request.group_type!r} here")
        question = question_in(saved)
        with within(question, "insight.question", is_asked=True):
            answer = await self._answer(changed(question, request), context, group)
        if not principal().reads_all:
            answer.ClearField("asked")  # it may name others; what the answer to compare with was asked is not in there
        return saved_pb2.AskInsightResponse(
            insight_key=saved.key,
            name=saved.contents.name or saved.key,
            description=saved.contents.description,
            insight_version=saved.version,
            group_key=group.key if group else "",
            group_type=group.group_type if group else "",
            answer=saved_pb2.InsightAnswer(**{str(question.WhichOneof("kind")): answer}),
        )

    async def check(self, insight: saved_pb2.Insight) -> None:
        """Raise Invalid for a question that nobody could ask now, or not of one of the groups that it is shown to."""
        group_types = await self._group_types.known(environment_id())
        with within(insight.question, "insight.question"):
            request = read_question(insight.question)
            kind = kind_of(request)
            shown_to = OneGroup(insight.shown_to, "") if insight.shown_to else None
            terms = _terms(request, group_types, self._longest_seconds, shown_to)
            await self._insights.check(kind.plan, kind.read(request), terms)

    async def _answer(self, request: Any, context: Any, confined_to: OneGroup | None) -> Any:
        """The response to a question, with what was asked and what it cost."""
        kind = kind_of(request)
        with self._limits.turn(principal()):
            query = kind.read(request)
            complete_until = await self._journal.complete_until()
            group_types = await self._group_types.known(environment_id())
            terms = _terms(request, group_types, self._timeout(context), confined_to)
            answered = await self._insights.ask(kind.plan, query, terms)
        response = kind.write(answered.answer)
        write_info(answered.answer.info, complete_until, response.info)
        write_unknown(answered.unknown, response.info)
        previous = answered.previous
        write_asked(request, answered.answer.info, previous.info if previous else None, response)
        if previous is not None:
            response.previous.CopyFrom(kind.write(previous))
            write_info(previous.info, complete_until, response.previous.info)
        if response.ByteSize() > MAX_ANSWER_BYTES:
            most = f"{MAX_ANSWER_BYTES >> 20} MiB"
            raise Overloaded(f"the answer is larger than {most}: ask for fewer parts or columns, or shorter texts", 5)
        return response

    def _timeout(self, context: Any) -> float:
        remaining = context.time_remaining()
        return self._longest_seconds if remaining is None else min(remaining, self._longest_seconds)


def _terms(request: Any, group_types: Collection[str], timeout: float, confined_to: OneGroup | None) -> Terms:
    """The terms of a request that is a question, of whoever calls. Raises Invalid."""
    return Terms(
        environment_id(),
        group_types,
        timeout,
        read_properties_as_of(request),
        question_of(request).include_internal,
        confined_to,
        principal().api_key_id,
    )


def _group(saved: SavedInsight, request: saved_pb2.AskInsightRequest) -> OneGroup | None:
    """The group that the answer is confined to; None: it is about all. Raises Invalid."""
    group_type = request.group_type or saved.contents.shown_to
    if not request.group_key:
        if request.group_type:
            raise Invalid.of("group_key", "must not be empty where there is a group type")
        return None
    if not group_type:
        raise Invalid.of("group_type", "must not be empty: the insight is not shown to groups of any type by itself")
    return OneGroup(group_type, request.group_key)
