"""The log: what is in it, and what never is."""

import asyncio
import io
import itertools
import json
import logging

import grpc
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from google.protobuf import descriptor_pool, message_factory
from sqlalchemy.exc import IntegrityError

from burgee.v1 import admin_pb2, capture_pb2, cohorts_pb2, flag_admin_pb2, flags_pb2, profiles_pb2
from burgee_server.logs import JsonLines, TextLines, log_of_loop
from burgee_server.rpc.call import REQUEST_ID
from burgee_server.rpc.permissions import NEEDED
from tests.fixtures.server import SECRET, caller
from tests.rpc.conftest import refused

MARK = "hush-7f3a"
"""In everything that a caller sends and nobody may find in the log."""
FACTORIES = {"text": TextLines, "json": JsonLines}


@pytest.fixture
def written():
    """What is logged during a test, as text and as JSON, down to DEBUG."""
    root, ours = logging.getLogger(), logging.getLogger("burgee_server")
    level, streams, handlers = ours.level, {}, []
    for name, formatter in FACTORIES.items():
        handler = logging.StreamHandler(streams.setdefault(name, io.StringIO()))
        handler.setFormatter(formatter())
        handlers.append(handler)
        root.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    yield lambda name: streams[name].getvalue()
    ours.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def filled(descriptor, depth=0):
    """A message with the mark in every text, and something in everything else."""
    message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if is_map and field.message_type.fields_by_name["value"].type == field.TYPE_STRING:
            getattr(message, field.name)[MARK] = MARK
        elif field.type == field.TYPE_STRING:
            value = json.dumps({MARK: MARK}) if field.name.endswith("_json") else f"{MARK}-{field.name}"
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
        elif field.message_type is not None and not is_map and depth < 4:
            inner = filled(field.message_type, depth + 1)
            if field.is_repeated:
                getattr(message, field.name).append(inner)
            else:
                getattr(message, field.name).CopyFrom(inner)
    return message


async def send(somebody, path, message):
    """Call a method by its path; what came back, or its error."""
    service, _, name = path[1:].rpartition("/")
    method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    answer = message_factory.GetMessageClass(method.output_type).FromString
    raw = message.SerializeToString()
    try:
        if method.server_streaming:
            stream = somebody.channel.unary_stream(path, response_deserializer=answer)(raw, timeout=10)
            await stream.read()
            return stream.cancel()
        return await somebody.channel.unary_unary(path, response_deserializer=answer)(raw, timeout=10)
    except grpc.aio.AioRpcError as error:
        return error


async def test_nothing_that_a_caller_sends_to_any_method_is_in_the_log(admin, server, written):
    """Every text of every request of every method marked, with a good key, a wrong key and a key in the wrong place."""
    stranger = caller(server.target, f"{MARK}-a-key-that-nobody-knows")
    codes = set()
    for path in NEEDED:
        service, _, name = path[1:].rpartition("/")
        request = filled(descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type)
        for somebody in (admin, stranger):
            outcome = await send(somebody, path, request)
            codes.add(outcome.code() if isinstance(outcome, grpc.aio.AioRpcError) else grpc.StatusCode.OK)
    await stranger.channel.close()

    assert {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED} <= codes
    assert grpc.StatusCode.INTERNAL not in codes
    _check(written, admin)


async def test_nothing_of_what_is_stored_is_in_the_log(admin, loaded, written):
    """Events, profiles, cohorts and flags that are good, asked for in every way."""
    properties = {"plan": MARK}
    event = capture_pb2.Event(
        event="seen", distinct_id=MARK, groups={"company": MARK}, properties_json=json.dumps(properties)
    )
    await admin.send(event)
    change = profiles_pb2.PropertyChange()
    change.set.update(properties)
    await admin.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=MARK, change=change))
    await admin.profiles.IdentifyGroup(
        profiles_pb2.IdentifyGroupRequest(group_type="company", group_key=MARK, change=change)
    )
    rule = flags_pb2.Rule(distribution=flags_pb2.Distribution(rollout=100_000))
    rule.conditions.add(attribute="user.plan", operator=1).values.add(string_value=MARK)
    flag = flags_pb2.Flag(key="beta", enabled=True, rules=[rule])
    await admin.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag))
    await loaded()
    context = flags_pb2.EvaluationContext(distinct_id=MARK, groups={"company": MARK})
    assert (await admin.flags.Explain(flags_pb2.ExplainRequest(flag_key="beta", context=context))).ByteSize()
    assert (await admin.profiles.ListEvents(profiles_pb2.ListEventsRequest(distinct_id=MARK))).events
    await admin.profiles.DeletePerson(profiles_pb2.DeletePersonRequest(distinct_id=MARK))
    await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="other", role=admin_pb2.KEY_ROLE_READER))

    _check(written, admin)


FAULTS = {
    "python": KeyError(MARK),
    "sqlalchemy": IntegrityError("INSERT", {"value": MARK}, ValueError(f"DETAIL: Key (key)=({MARK})")),
    "clickhouse": DatabaseError(f"Cannot parse row {MARK}"),
    "chained": RuntimeError(MARK),
}
FAULTS["chained"].__cause__ = OSError(28, "No space left on device", MARK)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_logged_with_its_place_and_kind_and_never_with_its_text(
    admin, server, written, monkeypatch, fault
):
    """Exceptions quote what they came upon; the caller is told which request the log speaks of."""

    async def broken(*_arguments, **_named):
        raise FAULTS[fault]

    monkeypatch.setattr(server.house.stores.access, "audit_entries", broken)
    request = admin_pb2.ListAuditEntriesRequest()
    with refused(grpc.StatusCode.INTERNAL) as refusal:
        await admin.admin.ListAuditEntries(request, metadata=((REQUEST_ID, "ticket-17"),))

    assert "ticket-17" in refusal.message
    _check(written, admin)
    [entry] = [each for each in _entries(written) if each["level"] == "ERROR"]
    assert entry["request_id"] == "ticket-17"
    assert type(FAULTS[fault]).__name__ in entry["exception"][0]
    assert any("in broken" in line for line in entry["exception"])
    assert ("No space left" in written("text")) is (fault == "chained")


async def test_a_request_has_the_id_that_its_caller_gave_it_or_a_new_one(admin):
    """In the trailing metadata of errors, of answers if it was given; what does not look like an id is not taken."""
    seen = []
    for given in ("ticket-17", "", "two words", "x" * 129):
        metadata = ((REQUEST_ID, given),) if given else ()
        call = admin.flags.EvaluateAll(flags_pb2.EvaluateAllRequest(), metadata=metadata)
        await call
        seen.append(dict(await call.trailing_metadata()).get(REQUEST_ID))
        with pytest.raises(grpc.aio.AioRpcError) as missing:
            await admin.flags.Evaluate(flags_pb2.EvaluateRequest(), metadata=metadata)
        seen.append(dict(missing.value.trailing_metadata())[REQUEST_ID])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await admin.cohorts.GetCohort(
            cohorts_pb2.GetCohortRequest(cohort_key="none"), metadata=((REQUEST_ID, "ticket-18"),)
        )
    with pytest.raises(grpc.aio.AioRpcError) as turned_away:
        await admin.capture.GetBatch(capture_pb2.GetBatchRequest(), metadata=(("authorization", "Bearer no"),))

    assert seen[:2] == ["ticket-17", "ticket-17"]
    assert seen[2::2] == [None, None, None]
    assert len(set(seen[3::2])) == 3
    assert not {"two words", "x" * 129} & set(seen)
    assert dict(caught.value.trailing_metadata())[REQUEST_ID] == "ticket-18"
    assert dict(turned_away.value.trailing_metadata())[REQUEST_ID]


async def test_a_call_is_in_the_log_of_debugging_with_its_id_code_and_key(admin, written):
    """As a line for people and as fields for machines; the key by its id."""
    [key] = (await admin.admin.ListApiKeys(admin_pb2.ListApiKeysRequest())).api_keys
    await admin.flags.EvaluateAll(flags_pb2.EvaluateAllRequest(), metadata=((REQUEST_ID, "ticket-19"),))

    [entry] = [each for each in _entries(written) if each.get("request_id") == "ticket-19"]
    assert entry["method"] == "/burgee.v1.FlagService/EvaluateAll"
    assert (entry["code"], entry["api_key_id"]) == ("OK", key.api_key_id)
    assert "FlagService/EvaluateAll OK" in written("text")
    assert "request_id=ticket-19" in written("text")


async def test_a_task_that_nobody_waited_for_is_logged_without_its_text(written):
    """asyncio itself would write down the task, and with it what it raised."""
    log_of_loop(
        asyncio.get_running_loop(), {"message": "Task exception was never retrieved", "exception": KeyError(MARK)}
    )

    assert "Task exception was never retrieved" in written("text")
    assert "KeyError" in written("text")
    assert MARK not in written("text") + written("json")


def _entries(written):
    return [json.loads(line) for line in written("json").splitlines()]


def _check(written, admin):
    """There is a log, every line of it can be read, and nothing in it is anybody's."""
    assert _entries(written)
    for name, word in itertools.product(FACTORIES, (MARK, admin.secret, SECRET)):
        assert word not in written(name)
