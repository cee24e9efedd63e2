"""Saved insights: questions as they are kept, and what may be asked otherwise than it was saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from burgee.v1 import saved_pb2 as pb
from burgee.wire import WireError
from burgee_server.errors import Invalid
from burgee_server.insights.uses import actions_of, cohorts_of
from burgee_server.ports.saved import InsightContents, SavedInsight
from burgee_server.rpc.questions.kinds import kind_of
from burgee_server.rpc.questions.words import below, question_of, violations_of
from burgee_server.rpc.timestamps import timestamp

_ASKED = ("range", "time_zone", "page_token")
"""What is wrong with these is wrong with the request that asks, as well as with the question that was saved."""


def read_question(question: pb.InsightQuestion) -> Any:
    """The request that asks it, a copy: to read one fills in what is not given. Raises Invalid."""
    kind = question.WhichOneof("kind")
    if kind is None:
        raise Invalid.of("insight.question", "must be a question of some kind")
    return getattr(_copy(question), kind)


def read_contents(insight: pb.Insight) -> InsightContents:
    """What is to be kept. Raises Invalid."""
    request = read_question(insight.question)
    with within(insight.question, "insight.question"):
        query = kind_of(request).read(request)
    return InsightContents(
        MessageToDict(insight.question, preserving_proto_field_name=True),
        insight.name,
        insight.description,
        tuple(insight.tags),
        insight.shown_to,
        actions_of(query),
        cohorts_of(query),
    )


def write_insight(saved: SavedInsight) -> pb.Insight:
    """As it is kept."""
    contents = saved.contents
    return pb.Insight(
        key=saved.key,
        name=contents.name,
        description=contents.description,
        tags=contents.tags,
        question=question_in(saved),
        shown_to=contents.shown_to,
        version=saved.version,
        created_at=timestamp(saved.created_at),
        updated_at=timestamp(saved.updated_at),
    )


def question_in(saved: SavedInsight) -> pb.InsightQuestion:
    """The question that was saved."""
    return ParseDict(dict(saved.contents.question), pb.InsightQuestion())


def changed(question: pb.InsightQuestion, asked: pb.AskInsightRequest) -> Any:
    """The request that asks a saved question, with what is asked otherwise than it was saved. Raises Invalid."""
    request = read_question(question)
    timed = question_of(request)
    if asked.range.start or asked.range.end:
        timed.range.start, timed.range.end = asked.range.start, asked.range.end
    if asked.range.compare:
        timed.range.compare = asked.range.compare
    if asked.time_zone:
        timed.time_zone = asked.time_zone
    if asked.page_token:
        if "page_token" not in request.DESCRIPTOR.fields_by_name:
            raise Invalid.of("page_token", "has no place here: the answer has no pages")
        request.page_token = asked.page_token
    return request


@contextmanager
def within(question: pb.InsightQuestion, path: str, *, is_asked: bool = False) -> Iterator[None]:
    """What is wrong with a question is wrong with the field that holds it, at `path`.

    When it is asked, what may be asked otherwise is a field of the request that asks.
    """
    try:
        yield
    except (Invalid, WireError) as error:
        kind = str(question.WhichOneof("kind"))
        request = getattr(question, kind)
        raise Invalid(
            *(
                violation
                if is_asked and _is_of_request(violation.field)
                else replace(violation, field=f"{path}.{kind}.{below(request, violation).field}")
                for violation in violations_of(error)
            )
        ) from error


def _is_of_request(field: str) -> bool:
    return field.partition(".")[0] in _ASKED


def _copy(message: Message) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
