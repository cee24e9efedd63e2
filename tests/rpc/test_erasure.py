"""DeletePerson and DeleteGroup over real gRPC."""

import asyncio

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from burgee.v1 import admin_pb2, capture_pb2, flag_admin_pb2, trend_pb2
from burgee.v1 import profiles_pb2 as pb
from burgee_server.ports.erasures import key_digest
from tests.fixtures.server import caller
from tests.rpc.cohort_calls import change_members, create_cohort, for_members, member_keys
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import by_company, create, identify, variant
from tests.rpc.watcher import Watcher


def event(person, company="", **fields):
    """Something that somebody did."""
    return capture_pb2.Event(
        event="opened", distinct_id=person, groups={"company": company} if company else {}, **fields
    )


async def delete_person(somebody, distinct_id):
    """The erasure of a person, as it was answered."""
    return (await somebody.profiles.DeletePerson(pb.DeletePersonRequest(distinct_id=distinct_id))).erasure


async def delete_company(somebody, key):
    """The erasure of a company, as it was answered."""
    return (await somebody.profiles.DeleteGroup(pb.DeleteGroupRequest(group_type="company", group_key=key))).erasure


async def done(somebody, erasure):
    """Wait until an erasure is done; return it."""
    async with asyncio.timeout(60):
        while erasure.state != pb.ERASURE_STATE_DONE:
            await asyncio.sleep(0.05)
            request = pb.GetErasureRequest(erasure_id=erasure.erasure_id)
            erasure = (await somebody.profiles.GetErasure(request)).erasure
    return erasure


async def everybody(somebody):
    """Person and company of every event that can be queried."""
    events = (await somebody.profiles.ListEvents(pb.ListEventsRequest())).events
    return sorted((each.distinct_id, each.groups.get("company", "")) for each in events)


async def test_a_deleted_person_is_gone_and_a_new_life_stays(admin, loaded):
    """Events that were only acknowledged, and the profile; nobody else's; and what comes later is kept."""
    for name in ("ann", "bob"):
        await admin.profiles.IdentifyPerson(pb.IdentifyPersonRequest(distinct_id=name))
    await admin.send(event("ann", "acme"), event("ann", "acme"), event("bob", "acme"))

    erasure = await delete_person(admin, "ann")
    await admin.send(event("ann", "globex"))

    assert (erasure.group_type, erasure.key) == ("user", "ann")
    erasure = await done(admin, erasure)
    await loaded()
    assert (erasure.key, erasure.key_sha256, erasure.events) == ("", key_digest("ann"), 2)
    assert erasure.done_at.seconds >= erasure.requested_at.seconds > 0
    assert await everybody(admin) == [("ann", "globex"), ("bob", "acme")]
    trend = await admin.insights.QueryTrend(trend_pb2.QueryTrendRequest(series=[trend_pb2.TrendSeries()]))
    assert trend.rows[0].total == 2


async def test_who_is_deleted_and_does_not_come_back_is_not_found(admin, loaded):
    """Neither as a person, nor in a list, nor by an insight's filter."""
    await admin.profiles.IdentifyPerson(pb.IdentifyPersonRequest(distinct_id="ann"))
    await admin.send(event("ann", "hers"))
    await loaded()

    await done(admin, await delete_person(admin, "ann"))

    with refused(StatusCode.NOT_FOUND):
        await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="ann"))
    with refused(StatusCode.NOT_FOUND):
        await admin.profiles.GetGroup(pb.GetGroupRequest(group_type="company", group_key="hers"))
    assert not (await admin.profiles.ListPersons(pb.ListPersonsRequest())).persons


async def test_a_deleted_company_goes_with_its_events_and_its_people_stay(admin, loaded):
    """What they did for others is theirs."""
    await admin.profiles.IdentifyPerson(pb.IdentifyPersonRequest(distinct_id="ann"))
    await identify(admin, "acme", plan="pro")
    await admin.send(event("ann", "acme"), event("ann", "globex"), event("bob", "acme"))
    await loaded()

    await done(admin, await delete_company(admin, "acme"))

    assert await everybody(admin) == [("ann", "globex")]
    persons = (await admin.profiles.ListPersons(pb.ListPersonsRequest())).persons
    assert [person.distinct_id for person in persons] == ["ann"]
    groups = (await admin.profiles.ListGroups(pb.ListGroupsRequest(group_type="company"))).groups
    assert [group.group_key for group in groups] == ["globex"]


async def test_flag_checks_and_watchers_forget_a_company_at_once(admin):
    """In the next check, in the memory of clients, and in every answer about the past."""
    await create(admin, by_company(100_000, "pro"))
    await identify(admin, "acme", plan="pro")
    watcher = Watcher(admin)
    await watcher.until(lambda seen: seen.stored.get(("company", "acme")) == {"plan": "pro"})
    assert await variant(admin, "acme") == "on"
    now = Timestamp()
    now.GetCurrentTime()
    asked = flag_admin_pb2.EvaluateAtRequest(flag_key="beta", context={"groups": {"company": "acme"}}, as_of=now)
    assert (await admin.flag_admin.EvaluateAt(asked)).explanation.resolution.variant == "on"

    await delete_company(admin, "acme")

    assert await variant(admin, "acme") == "off"
    await watcher.until(lambda seen: not seen.stored.get(("company", "acme")))
    assert (await admin.flag_admin.EvaluateAt(asked)).explanation.resolution.variant == "off"


async def test_flag_checks_and_watchers_forget_that_a_company_was_in_a_cohort(admin):
    """In the next check, in the memory of clients, and in the list of members."""
    await create_cohort(admin)
    await change_members(admin, add=["acme", "globex"])
    await create(admin, for_members("beta"))
    await identify(admin, "acme")
    watcher = Watcher(admin)
    await watcher.until(lambda seen: seen.cohorts.get("beta") == {"acme", "globex"})
    assert await variant(admin, "acme") == "on"

    await delete_company(admin, "acme")

    assert await variant(admin, "acme") == "off"
    await watcher.until(lambda seen: seen.cohorts.get("beta") == {"globex"})
    assert await member_keys(admin) == ["globex"]


async def test_erasures_are_listed_newest_first_and_in_the_audit_log_without_the_key(admin):
    """Page by page; who asked and when stays known."""
    await identify(admin, "acme")
    first = await delete_person(admin, "ann@example.com")
    second = await delete_company(admin, "acme")

    page = await admin.profiles.ListErasures(pb.ListErasuresRequest(page_size=1))
    rest = await admin.profiles.ListErasures(pb.ListErasuresRequest(page_token=page.next_page_token))

    assert [each.erasure_id for each in (*page.erasures, *rest.erasures)] == [second.erasure_id, first.erasure_id]
    entries = (await admin.admin.ListAuditEntries(admin_pb2.ListAuditEntriesRequest(page_size=2))).entries
    assert [(entry.action, entry.subject, entry.actor) for entry in entries] == [
        ("group.delete", second.erasure_id, "tests"),
        ("person.delete", first.erasure_id, "tests"),
    ]
    assert "ann@" not in str(entries)


async def test_only_those_who_may_can_erase(server, admin):
    """A service or a dashboard cannot; and nobody sees another environment's erasures."""
    await identify(admin, "acme")
    erasure = await delete_company(admin, "acme")
    for role in (admin_pb2.KEY_ROLE_SERVICE, admin_pb2.KEY_ROLE_READER):
        made = await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="weak", role=role))
        weak = caller(server.target, made.secret)
        with refused(StatusCode.PERMISSION_DENIED):
            await delete_person(weak, "ann")
        await weak.channel.close()
    await admin.admin.CreateEnvironment(admin_pb2.CreateEnvironmentRequest(key="staging"))
    request = admin_pb2.CreateApiKeyRequest(environment_key="staging", name="s", role=admin_pb2.KEY_ROLE_ADMIN)
    elsewhere = caller(server.target, (await admin.admin.CreateApiKey(request)).secret)
    with refused(StatusCode.NOT_FOUND):
        await elsewhere.profiles.GetErasure(pb.GetErasureRequest(erasure_id=erasure.erasure_id))
    assert not (await elsewhere.profiles.ListErasures(pb.ListErasuresRequest())).erasures
    await elsewhere.channel.close()


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\nb"])
async def test_a_bad_key_is_refused_with_its_field(admin, key):
    """And a type that was never used, so that a misspelt one is not taken for done."""
    await identify(admin, "acme")
    with refused(StatusCode.INVALID_ARGUMENT, "distinct_id"):
        await delete_person(admin, key)
    with refused(StatusCode.INVALID_ARGUMENT, "group_key"):
        await delete_company(admin, key)
    with refused(StatusCode.INVALID_ARGUMENT, "group_type") as refusal:
        await admin.profiles.DeleteGroup(pb.DeleteGroupRequest(group_type="compny", group_key="acme"))
    assert "company" in refusal.fields["group_type"]
