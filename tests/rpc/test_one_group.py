"""A saved insight that is asked for one group: as if nobody else were there, whatever the question.

Each question is asked of acme where it is alone, and where others are too, and must have the same answer. The questions
are made from the descriptors, so that a new kind of them is tried without a line here.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from google.protobuf.message import Message
from grpc import StatusCode
from grpc.aio import AioRpcError

from burgee.v1 import admin_pb2, cohorts_pb2, common_pb2, features_pb2, funnel_pb2, profiles_pb2, trend_pb2
from burgee.v1 import saved_pb2 as pb
from tests.fixtures.server import Caller, caller
from tests.rpc.insight_calls import condition, event
from tests.rpc.saved_calls import ask, with_role
from tests.rpc.test_escape import HOSTILE, put, texts, whole
from tests.rpc.test_profiles import struct

KINDS = pb.InsightQuestion.DESCRIPTOR.oneofs_by_name["kind"].fields
OURS = [
    ("opened", "ann", 1),
    ("closed", "ann", 2),
    ("opened", "bob", 30),
    ("opened", "ann", 55),
    ("closed", "ann", 60),
    ("opened", "own", 61),
]
BUSY = {"performed": {"events": {"event": "opened"}, "at_least": 3, "range": {"start": "2026-01-01"}}}
"""Ann is, by what she did at secret-co."""
ATTRIBUTES = ("user.key", "company.key", "event.plan", "user.role", "company.tier", "user.$cohort/busy")


OFTEN = ("trend", "funnel", "funnel_correlation", "retention")
"""The kinds that are asked of all of time, too; others come by it in the same way."""


REFUSED = (StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND)
"""What is not shown to a group, whatever its type is called, is not there."""


@dataclass(frozen=True)
class World:
    """An environment, by who administers it and by who may ask of one group at a time."""

    admin: Caller
    portal: Caller

    async def answer(self, number: int, question: pb.InsightQuestion, **fields: object) -> object:
        """What acme is answered, but for what it cost; or with which code it, or saving the question, is refused."""
        key = f"q{number}"
        insight = pb.Insight(key=key, question=question, shown_to="company")
        try:
            await self.admin.insights.CreateInsight(pb.CreateInsightRequest(insight=insight))
        except AioRpcError as error:
            return error.code()
        try:
            answer = (await ask(self.portal, key, **{"group_key": "acme", **fields})).answer
        except AioRpcError as error:
            return error.code()
        finally:
            await self.admin.insights.DeleteInsight(pb.DeleteInsightRequest(insight_key=key))
        _without_cost(getattr(answer, str(answer.WhichOneof("kind"))))
        return answer

    async def close(self) -> None:
        """Let go of the callers."""
        await self.admin.channel.close()
        await self.portal.channel.close()


async def new_world(server, operator, project, **of_group):
    """A project of its own, in which nothing is yet; its PORTAL key is of one group, if one is named."""
    await operator.admin.CreateProject(admin_pb2.CreateProjectRequest(key=project))
    request = admin_pb2.CreateApiKeyRequest(
        project_key=project, environment_key="production", name="a", role=admin_pb2.KEY_ROLE_ADMIN
    )
    admin = caller(server.target, (await operator.admin.CreateApiKey(request)).secret)
    return World(admin, await with_role(server, admin, "PORTAL", **of_group))


def _without_cost(answer):
    info = answer.info
    assert not info.rows_read
    assert not info.unknown_events
    for name in ("elapsed", "complete_until", "end"):  # up to now, where the question has no end
        info.ClearField(name)
    if answer.HasField("previous"):
        _without_cost(answer.previous)


def _exposed(company, variant, hour):
    names = {"$feature_flag": "f", "$feature_flag_bucket_by": "company", "$feature_flag_response": variant}
    return event("$feature_flag_called", "ann", company, hour, **names)


async def _fill(admin, *, with_others):
    """What acme did; and what others did, among them ann, who works for both."""
    await admin.send(*(event(*each[:2], "acme", each[2], plan="pro", seats=each[2]) for each in OURS))
    await admin.send(_exposed("acme", "on", 0))
    profiles = {"acme": {"tier": "gold"}}
    if with_others:
        profiles["secret-co"] = {"tier": "secret"}
        await admin.send(
            _exposed("secret-co", "secret", 2),
            *(
                event(name, user, "secret-co", hour, plan="secret", seats=10_000 + hour)
                for name in ("opened", "closed", "secret")
                for user in ("ann", *(f"secret-{number}" for number in range(10)))
                for hour in range(-24, 100, 12)
            ),
        )
    for key, properties in profiles.items():
        group = {"group_type": "company", "group_key": key, "change": {"set": struct(**properties)}}
        await admin.profiles.IdentifyGroup(profiles_pb2.IdentifyGroupRequest(**group))
    for user, role in (
        ("ann", "admin"),
        ("bob", "admin"),
        ("own", "staff"),
        *([("secret-1", "secret")] if with_others else []),
    ):
        change = {"set": struct(role=role)}
        await admin.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=user, change=change))
    own = {"properties": condition("user.role", "equals", "staff")}
    for key, criterion in (("busy", BUSY), ("own", own)):
        cohort = cohorts_pb2.Cohort(key=key, group_type="user", computed={"criterion": criterion})
        await admin.cohorts.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=cohort))
    environment = {"key": "production", "internal_cohort_key": "own"}
    await admin.admin.UpdateEnvironment(admin_pb2.UpdateEnvironmentRequest(**environment))


@pytest.fixture(scope="module")
async def worlds(server, operator):
    """One where acme is alone, and one where others are, too."""
    made = [await new_world(server, operator, f"one-group-{name}") for name in ("alone", "among-others")]
    for world, with_others in zip(made, (False, True), strict=True):
        await _fill(world.admin, with_others=with_others)
    yield made
    for world in made:
        await world.close()


def plain(kind):
    """A question of a kind that can be answered, and the part of it that has a range."""
    question = pb.InsightQuestion()
    request = whole(getattr(question, kind))
    request.SetInParent()
    fields = request.DESCRIPTOR.fields_by_name
    held = next((name for name in ("funnel", "retention", "lifecycle", "stickiness") if name in fields), "")
    return question, request, getattr(request, held) if held else request


def _questions(kind: str) -> Iterator[pb.InsightQuestion]:
    """Of people, cohorts, variants, the past and all of time."""
    splits = (("user.$cohort/busy", "company.$feature/f"), ("event.plan", "user.key", "company.tier"))
    for number, split in enumerate(splits):
        question, request, asked = plain(kind)
        if "breakdown" in asked.DESCRIPTOR.fields_by_name and not kind.endswith(("actors", "correlation")):
            asked.breakdown.attributes.extend(split)
        if number == 0:
            asked.range.compare = "previous"
            asked.properties_as_of = 2
            getattr(asked.filter, "not").CopyFrom(condition("user.key", "in_cohort", "busy"))
        else:
            asked.range.CopyFrom(common_pb2.TimeRange(start="all"))
        if isinstance(request, trend_pb2.QueryTrendRequest):
            request.series[0].measure = (2, 14)[number]
            request.interval = (2, 3)[number]
            request.series.add(measure=3, group_type="company")
            request.series.add(event="opened", measure=7, property="seats")
        if isinstance(request, funnel_pb2.QueryFunnelRequest):
            request.attribution = (1, 4)[number]
        if isinstance(request, funnel_pb2.QueryFunnelCorrelationRequest):
            request.subject, request.least = 1 + number, 1
        if isinstance(request, features_pb2.QueryFeatureUsageRequest):
            request.group_type = "company"
        yield question


async def _all_the_same(worlds, asked):
    """Ask in both worlds; how many were answered."""
    answered, requests = 0, list(enumerate(asked))
    answers = [
        await asyncio.gather(*(world.answer(number, question, **fields) for number, (question, fields) in requests))
        for world in worlds
    ]
    for (_, (question, fields)), alone, among_others in zip(requests, *answers, strict=True):
        assert alone == among_others, f"{question}\n{fields}"
        if isinstance(alone, Message):
            answered += 1
        else:
            assert alone in REFUSED, f"{question}\n{fields}"
    return answered


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
async def test_an_answer_for_one_group_is_what_it_is_where_nobody_else_is(worlds, loaded, kind):
    """Of every kind: compared, split by users, companies, cohorts and variants, as of the event; and of all time."""
    await loaded()
    questions = list(_questions(kind))[: 2 if kind in OFTEN else 1]
    least = len(questions) - kind.endswith("actors")  # a page of a column is not compared, or not of all time
    assert await _all_the_same(worlds, [(question, {}) for question in questions]) >= least


async def test_no_text_of_a_saved_question_leads_out_of_the_group(worlds, loaded):
    """Names of others, and hostile ones, in every field: an answer as if they were not there, or INVALID_ARGUMENT."""
    await loaded()
    requests, tried = [], set()
    for kind in KINDS:
        for way in texts(kind.message_type):
            # Of a kind of message, wherever it is, one way to each text: the others are written by the same code.
            if way[-1].full_name in tried:
                continue
            tried.add(way[-1].full_name)
            for text in ATTRIBUTES if way[-1].name in ("attribute", "attributes") else ("secret", HOSTILE[0]):
                question, request, _ = plain(kind.name)
                put(request, way, text)
                requests.append((question, {}))
    assert await _all_the_same(worlds, requests) > len(requests) / 3


async def test_nothing_that_is_asked_otherwise_leads_out_of_the_group(worlds, loaded):
    """Neither a key that is written as SQL, nor a type, a range, a zone or a token."""
    await loaded()
    question, _, _ = plain("stickiness_actors")
    requests = [
        (question, {name: text})
        for name in ("group_key", "group_type", "time_zone", "page_token")
        for text in (*HOSTILE, "user", "acme' OR company = 'secret-co")
    ]
    requests += [(question, {"range": {name: HOSTILE[0]}}) for name in ("start", "end", "compare")]
    requests += [(question, {"group_key": ""}), (question, {"range": {"start": "all"}})]
    assert await _all_the_same(worlds, requests) >= 4


async def test_others_are_there_and_would_be_seen_by_whoever_may(worlds, loaded):
    """Else nothing above could fail."""
    await loaded()
    await asyncio.gather(*(_see(world) for world in worlds))
    found = [await ask(world.admin, "seen") for world in worlds]
    alone, all_ = ({row.breakdown.value: row.total for row in each.answer.trend.rows} for each in found)
    assert alone == {"not in": 3}
    assert all_["in"] > 40


async def _see(world):
    question = {"trend": {"series": [{"event": "opened"}], "breakdown": {"attributes": ["user.$cohort/busy"]}}}
    question["trend"]["range"] = {"start": "2026-03-01", "end": "2026-03-08"}
    insight = pb.Insight(key="seen", question=pb.InsightQuestion(**question))
    await world.admin.insights.CreateInsight(pb.CreateInsightRequest(insight=insight))
