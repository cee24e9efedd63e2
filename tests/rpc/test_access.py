"""Keys, roles, and the walls between environments, over real gRPC."""

import contextlib

import grpc
import pytest
from google.protobuf import descriptor_pool
from grpc import StatusCode
from sqlalchemy import update

from burgee.v1 import admin_pb2 as pb
from burgee.v1 import capture_pb2, flag_admin_pb2, flags_pb2, profiles_pb2, trend_pb2
from burgee_server.rpc.permissions import NEEDED
from burgee_server.rpc.server import SERVICES
from burgee_server.storage.sql.tables import api_keys
from tests.fixtures.server import SECRET, caller
from tests.rpc.conftest import refused


@contextlib.asynccontextmanager
async def calling(server, secret):
    """A caller with this key."""
    somebody = caller(server.target, secret)
    yield somebody
    await somebody.channel.close()


def every_method():
    """The full name of every RPC there is."""
    pool = descriptor_pool.Default()
    return {f"/{name}/{method}" for name in SERVICES for method in pool.FindServiceByName(name).methods_by_name}


def test_every_rpc_says_which_permission_it_needs():
    """A new RPC cannot be forgotten here, nor an old one linger."""
    assert every_method() == NEEDED.keys()


@pytest.mark.parametrize("method", sorted(every_method()))
async def test_no_rpc_answers_without_a_key_or_with_a_wrong_one(server, method):
    """UNAUTHENTICATED before anything else is looked at, even the request."""
    for secret in ("", "wrong", SECRET + "x"):
        async with calling(server, secret) as somebody:
            with refused(StatusCode.UNAUTHENTICATED) as refusal:
                await somebody.channel.unary_unary(method)(b"\xff\xff")
            assert not secret or secret not in refusal.message


async def test_a_portal_key_calls_no_rpc_but_those_that_ask(server, admin):
    """Every other one, streams too, is refused before its request is looked at: of any group, and of one."""
    for group in ({}, {"group_type": "company", "group_key": "acme"}):
        made = await new_key(admin, pb.KEY_ROLE_PORTAL, **group)
        async with calling(server, made.secret) as portal:
            let_in = set()
            for method in sorted(every_method()):
                with pytest.raises(grpc.aio.AioRpcError) as refusal:
                    await portal.channel.unary_unary(method)(b"\xff\xff")
                if refusal.value.code() is not StatusCode.PERMISSION_DENIED:
                    let_in.add(method)
            assert let_in == {"/burgee.v1.InsightService/AskInsight", "/burgee.v1.InsightService/AskInsights"}


async def test_a_malformed_authorization_is_told_what_is_expected(server):
    """Anything but "Bearer <key>"."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        list_projects = channel.unary_unary("/burgee.v1.AdminService/ListProjects")
        with refused(StatusCode.UNAUTHENTICATED) as refusal:
            await list_projects(b"", metadata=(("authorization", f"Basic {SECRET}"),))
    assert "Bearer" in refusal.message
    assert SECRET not in refusal.message


async def new_key(admin, role, **fields):
    """A key made by somebody."""
    return await admin.admin.CreateApiKey(pb.CreateApiKeyRequest(name="new", role=role, **fields))


async def test_each_role_may_do_its_own_and_no_more(server, admin):
    """A service writes and checks, a reader reads, neither configures."""
    capture = capture_pb2.CaptureRequest(events=[capture_pb2.Event(event="e", distinct_id="a")])
    service = (await new_key(admin, pb.KEY_ROLE_SERVICE)).secret
    reader = (await new_key(admin, pb.KEY_ROLE_READER)).secret
    async with calling(server, service) as somebody:
        assert (await somebody.capture.Capture(capture)).accepted == 1
        await somebody.flags.Evaluate(flags_pb2.EvaluateRequest(flag_key="x"))
        with refused(StatusCode.PERMISSION_DENIED):
            await somebody.profiles.ListPersons(profiles_pb2.ListPersonsRequest())
        with refused(StatusCode.PERMISSION_DENIED):
            await somebody.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="x")))
    async with calling(server, reader) as somebody:
        await somebody.profiles.ListPersons(profiles_pb2.ListPersonsRequest())
        with refused(StatusCode.PERMISSION_DENIED) as refusal:
            await somebody.capture.Capture(capture)
        assert "service" in refusal.message
        with refused(StatusCode.PERMISSION_DENIED):
            await somebody.admin.ListApiKeys(pb.ListApiKeysRequest())


async def test_a_revoked_key_ends_at_once(server, admin):
    """Also one that was used a moment ago, and so is remembered."""
    created = await new_key(admin, pb.KEY_ROLE_READER)
    async with calling(server, created.secret) as somebody:
        await somebody.profiles.ListPersons(profiles_pb2.ListPersonsRequest())
        revoked = await admin.admin.RevokeApiKey(pb.RevokeApiKeyRequest(api_key_id=created.api_key.api_key_id))
        assert revoked.api_key.HasField("revoked_at")
        with refused(StatusCode.UNAUTHENTICATED):
            await somebody.profiles.ListPersons(profiles_pb2.ListPersonsRequest())


async def test_an_admin_stays_in_its_project_and_gives_no_more_than_it_has(admin):
    """Only an operator crosses projects."""
    with refused(StatusCode.PERMISSION_DENIED):
        await admin.admin.CreateProject(pb.CreateProjectRequest(key="mine"))
    with refused(StatusCode.PERMISSION_DENIED):
        await new_key(admin, pb.KEY_ROLE_OPERATOR)
    for project in ("default", "no-such-project"):
        with refused(StatusCode.PERMISSION_DENIED):
            await new_key(admin, pb.KEY_ROLE_READER, project_key=project)
        with refused(StatusCode.PERMISSION_DENIED):
            await admin.admin.ListApiKeys(pb.ListApiKeysRequest(project_key=project))
    assert len((await admin.admin.ListProjects(pb.ListProjectsRequest())).projects) == 1


async def test_secrets_are_shown_once_and_listed_never(admin):
    """The list of keys has everything but what opens the door."""
    created = await new_key(admin, pb.KEY_ROLE_SERVICE)

    keys = (await admin.admin.ListApiKeys(pb.ListApiKeysRequest())).api_keys

    assert created.api_key in keys
    assert created.secret not in str(keys)


async def test_environments_of_one_project_are_worlds_apart(server, admin, loaded):
    """Events, profiles, flags, insights and the audit log of staging are not seen from production."""
    await admin.admin.CreateEnvironment(pb.CreateEnvironmentRequest(key="staging"))
    staging_key = (await new_key(admin, pb.KEY_ROLE_ADMIN, environment_key="staging")).secret
    async with calling(server, staging_key) as staging:
        await staging.send(capture_pb2.Event(event="secret", distinct_id="spy", groups={"company": "acme"}))
        await staging.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id="spy"))
        await staging.flag_admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flags_pb2.Flag(key="hidden")))
        await loaded()
        trend = trend_pb2.QueryTrendRequest(series=[trend_pb2.TrendSeries()])
        assert (await staging.insights.QueryTrend(trend)).rows[0].total == 1

        assert (await admin.insights.QueryTrend(trend)).rows[0].total == 0
        assert not (await admin.profiles.ListEvents(profiles_pb2.ListEventsRequest())).events
        assert not (await admin.profiles.ListPersons(profiles_pb2.ListPersonsRequest())).persons
        assert not (await admin.profiles.ListGroupTypes(profiles_pb2.ListGroupTypesRequest())).group_types
        assert not (await admin.flag_admin.ListFlags(flag_admin_pb2.ListFlagsRequest())).flags
        with refused(StatusCode.NOT_FOUND):
            await admin.profiles.GetPerson(profiles_pb2.GetPersonRequest(distinct_id="spy"))
        entries = (await admin.admin.ListAuditEntries(pb.ListAuditEntriesRequest())).entries
        assert "hidden" not in {entry.subject for entry in entries}


async def test_bad_administration_is_refused_with_the_field(operator, admin):
    """Names, roles, duplicates, and what is not there."""
    for key in ("", "a b", "ü", "x" * 201):
        with refused(StatusCode.INVALID_ARGUMENT, "key"):
            await operator.admin.CreateProject(pb.CreateProjectRequest(key=key))
        with refused(StatusCode.INVALID_ARGUMENT, "key"):
            await admin.admin.CreateEnvironment(pb.CreateEnvironmentRequest(key=key))
    with refused(StatusCode.INVALID_ARGUMENT, "role"):
        await admin.admin.CreateApiKey(pb.CreateApiKeyRequest(name="x"))
    with refused(StatusCode.INVALID_ARGUMENT, "name"):
        await admin.admin.CreateApiKey(pb.CreateApiKeyRequest(role=pb.KEY_ROLE_READER))
    with refused(StatusCode.ALREADY_EXISTS):
        await admin.admin.CreateEnvironment(pb.CreateEnvironmentRequest(key="production"))
    with refused(StatusCode.NOT_FOUND):
        await new_key(admin, pb.KEY_ROLE_READER, environment_key="nowhere")
    with refused(StatusCode.NOT_FOUND):
        await admin.admin.RevokeApiKey(pb.RevokeApiKeyRequest(api_key_id="nothing"))
    with refused(StatusCode.NOT_FOUND):
        await operator.admin.ListEnvironments(pb.ListEnvironmentsRequest(project_key="nowhere"))


async def test_an_admin_cannot_end_a_key_that_may_do_more(operator, admin):
    """An operator's key in the admin's project stays."""
    project = (await admin.admin.ListProjects(pb.ListProjectsRequest())).projects[0].key
    strong = await new_key(operator, pb.KEY_ROLE_OPERATOR, project_key=project, environment_key="production")

    with refused(StatusCode.PERMISSION_DENIED):
        await admin.admin.RevokeApiKey(pb.RevokeApiKeyRequest(api_key_id=strong.api_key.api_key_id))


async def test_a_key_of_a_role_that_only_a_newer_node_knows_may_do_nothing_here(server, admin):
    """On a store that nodes of two versions share for a while. It is refused, and does not hide the other keys."""
    made = await new_key(admin, pb.KEY_ROLE_READER)
    async with server.house.stores.access._database.writing() as connection:
        await connection.execute(
            update(api_keys).where(api_keys.c.api_key_id == made.api_key.api_key_id).values(role="auditor")
        )

    async with calling(server, made.secret) as somebody:
        with refused(StatusCode.PERMISSION_DENIED) as refusal:
            await somebody.profiles.ListEvents(profiles_pb2.ListEventsRequest())
    listed = await admin.admin.ListApiKeys(pb.ListApiKeysRequest())

    assert "a role that this server does not know" in refusal.message
    roles = {key.api_key_id: key.role for key in listed.api_keys}
    assert roles[made.api_key.api_key_id] == pb.KEY_ROLE_UNSPECIFIED
    assert pb.KEY_ROLE_ADMIN in roles.values() or pb.KEY_ROLE_OPERATOR in roles.values()


async def test_a_fault_at_the_door_is_told_as_one_behind_it(server, monkeypatch):
    """INTERNAL with the request's id, and no word of what went wrong: it may quote what is stored."""

    async def enter(_secret, _needed):
        raise ValueError("what is stored")

    monkeypatch.setattr(server.house.gate, "enter", enter)
    async with calling(server, "a-key-that-nobody-knows") as somebody:
        with refused(StatusCode.INTERNAL) as refusal:
            await somebody.profiles.ListEvents(profiles_pb2.ListEventsRequest())

    assert "stored" not in refusal.message
    assert "request" in refusal.message
