"""Whatever is written into whatever text of whatever question: another environment is never seen, and nothing breaks.

The questions are made from the descriptors of InsightService, so that a new one is tried without a line here.
"""

import asyncio
import json
from collections.abc import Iterator
from math import isfinite

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode
from grpc.aio import AioRpcError

from burgee.v1 import admin_pb2, capture_pb2, common_pb2, insights_pb2, profiles_pb2, trend_pb2
from tests.fixtures.server import caller

METHODS = [
    each for each in insights_pb2.DESCRIPTOR.services_by_name["InsightService"].methods if each.name.startswith("Query")
]
AT = 1_772_323_200_000_000  # 2026-03-01 00:00 UTC
THEIRS = 40
NAMES = (
    "x' OR 1=1 OR environment_id != 0) -- `\"\\ 日本🦄",
    "`.:String) OR (1=1",
    "a.b {environment_id:UInt32} {p3:String} %s %(x)s",
)
HOSTILE = ("".join(NAMES), "\0\n'; DROP TABLE events; --")
ATTRIBUTES = ("attribute", "attributes", "name_by", "properties")
TRIED: set[str] = set()
NEEDED = {"series": 1, "steps": 2, "features": 2}
"""How many a question must have at least."""
PLAIN = {"event": "opened", "start": "2026-03-01", "end": "2026-03-08", "step": 1, "columns": 1}


def whole(message: Message) -> Message:
    """A question that can be answered, or a part of one."""
    for field in message.DESCRIPTOR.fields:
        if field.name in NEEDED and field.message_type:
            for _ in range(NEEDED[field.name]):
                whole(getattr(message, field.name).add())
        elif field.name in ("range", "use") or (field.message_type and field.message_type.name.startswith("Query")):
            whole(getattr(message, field.name))
        elif field.name in ("first", "second"):
            getattr(message, field.name).filter.condition.CopyFrom(_condition())
        elif field.name in PLAIN and not field.is_repeated and field.message_type is None:
            setattr(message, field.name, PLAIN[field.name])
        elif field.name in ("outcome", "subject", "stage"):
            setattr(message, field.name, 1)
        elif field.name == "column":
            message.column.FromMicroseconds(AT)
    return message


def texts(descriptor: Descriptor, within: tuple[str, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """The ways to every text in a kind of message. Of filters, to a condition: a tree of them has the same texts."""
    for field in descriptor.fields:
        of = field.message_type
        if field.type == FieldDescriptor.TYPE_STRING or (of and of.full_name == "google.protobuf.Value"):
            yield (field,)
        elif of and of.file.package == "burgee.v1" and of.full_name not in within and field.name not in (
            "all", "any", "not", "combination",
        ):  # fmt: skip
            for way in texts(of, (*within, of.full_name)):
                yield (field, *way)


def put(message: Message, way: tuple[FieldDescriptor, ...], text: str) -> None:
    """Write a text there, and whatever makes the server look at it."""
    field, *rest = way
    if rest:
        inner = getattr(message, field.name)
        if field.is_repeated:
            inner = inner[0] if inner else inner.add()
        else:
            inner.SetInParent()
        put(inner, tuple(rest), text)
    elif field.message_type:
        getattr(message, field.name).add(string_value=text)
    elif field.is_repeated:
        getattr(message, field.name).append(text)
    else:
        setattr(message, field.name, text)
    if isinstance(message, common_pb2.Condition):
        message.MergeFrom(_condition(*(["operator"] if message.attribute else ["operator", "attribute"])))
        if not message.values:
            message.values.add(string_value="pro")
    if isinstance(message, trend_pb2.TrendSeries):
        message.measure = {
            "property": trend_pb2.MEASURE_SUM, "group_type": trend_pb2.MEASURE_UNIQUE_GROUPS,
        }.get(field.name, message.measure)  # fmt: skip
    if field.name == "action" and not rest:
        message.ClearField("event")


def _condition(*fields: str) -> common_pb2.Condition:
    condition = common_pb2.Condition()
    if "attribute" in fields or not fields:
        condition.attribute = "event.plan"
    condition.operator = common_pb2.OPERATOR_NOT_EQUALS
    if not fields:
        condition.values.add(string_value="pro")
    return condition


def numbers(message: Message) -> Iterator[float]:
    """Every number in an answer, but for what it cost and times."""
    for field, value in message.ListFields():
        if field.name in ("info", "asked"):
            continue
        for each in value if field.is_repeated else [value]:
            if isinstance(each, Message):
                if each.DESCRIPTOR.file.package == "burgee.v1":
                    yield from numbers(each)
            elif isinstance(each, int | float) and isfinite(each):
                yield each


@pytest.fixture(scope="module")
async def two(server, operator):
    """Somebody with a few events under hostile names, and somebody else with many under secret ones."""
    somebody = []
    for number, key in enumerate(("escape-mine", "escape-theirs")):
        await operator.admin.CreateProject(admin_pb2.CreateProjectRequest(key=key))
        made = await operator.admin.CreateApiKey(
            admin_pb2.CreateApiKeyRequest(
                project_key=key, environment_key="production", name="tests", role=admin_pb2.KEY_ROLE_ADMIN
            )
        )
        somebody.append(caller(server.target, made.secret))
        names = ["opened", "opened", *NAMES] * (1 if number == 0 else THEIRS)
        await somebody[-1].send(
            *(
                capture_pb2.Event(
                    event=name,
                    distinct_id=name if number == 0 else f"secret-{index // 5}",
                    groups={"company": name if number == 0 else f"secret-{index // 5}"},
                    properties_json=json.dumps({name: name if number == 0 else "secret", "plan": "free"}),
                    timestamp_micros=AT + index,
                )
                for index, name in enumerate(names)
            )
        )
        for name in NAMES:
            properties = Struct()
            properties.update({name: name if number == 0 else "secret"})
            change = {"change": {"set": properties}}
            await somebody[-1].profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=name, **change))
            group = {"group_type": "company", "group_key": name, **change}
            await somebody[-1].profiles.IdentifyGroup(profiles_pb2.IdentifyGroupRequest(**group))
            alias = {"distinct_id": name, "alias": f"{'mine' if number == 0 else 'secret'} {name}"}
            await somebody[-1].profiles.AliasPerson(profiles_pb2.AliasPersonRequest(**alias))
    yield somebody
    for each in somebody:
        await each.channel.close()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_no_text_of_a_question_leads_out_of_its_environment(two, loaded, method):
    """Hostile names in every field: an answer with nothing of theirs, or INVALID_ARGUMENT."""
    mine, _ = two
    await loaded()
    ask, kind = getattr(mine.insights, method.name), GetMessageClass(method.input_type)
    plain = whole(kind())
    await ask(plain)  # else nothing below would be tried

    requests = []
    for way in texts(method.input_type):
        prefixes = ("company.", "", "event.", "user.") if way[-1].name in ATTRIBUTES else ("",)
        words = [*(f"{prefix}{HOSTILE[0]}" for prefix in prefixes), HOSTILE[1]]
        # The same field of the same kind of message elsewhere: one text tells whether it is written in another way.
        for text in words[:1] if way[-1].full_name in TRIED else words:
            request = kind()
            request.CopyFrom(plain)
            put(request, way, text)
            requests.append(request)
        TRIED.add(way[-1].full_name)
    assert requests

    answered = 0
    for start in range(0, len(requests), 8):
        batch = requests[start : start + 8]
        for request, answer in zip(batch, await asyncio.gather(*map(ask, batch), return_exceptions=True), strict=True):
            if isinstance(answer, AioRpcError):
                assert answer.code() is StatusCode.INVALID_ARGUMENT, f"{answer.code()} {answer.details()}\n{request}"
                continue
            answered += 1
            answer.ClearField("asked")
            assert "secret" not in str(answer), request
            assert max(numbers(answer), default=0) < THEIRS, f"{request}\n{answer}"
    assert answered > len(requests) / 4, f"only {answered} of {len(requests)} were answered"


async def test_hostile_names_are_just_names(two, loaded):
    """Each is found as the event, the user, the company and the property that it is."""
    mine, _ = two
    await loaded()
    for name in NAMES:
        for attribute in (f"event.{name}", f"user.{name}", f"company.{name}", "user.key", "company.key"):
            is_it = common_pb2.Condition(attribute=attribute, operator=common_pb2.OPERATOR_EQUALS)
            is_it.values.add(string_value=name)
            request = whole(trend_pb2.QueryTrendRequest())
            request.series[0].event = name
            request.filter.condition.CopyFrom(is_it)
            request.breakdown.attributes.append(attribute)
            answer = await mine.insights.QueryTrend(request)
            assert [(row.breakdown.value, row.total) for row in answer.rows] == [(name, 1)], attribute
