"""AliasPerson over real gRPC: one person, whatever is asked and by whichever id."""

from google.protobuf.struct_pb2 import Struct, Value
from grpc import StatusCode

from burgee.v1 import capture_pb2, common_pb2, flags_pb2, funnel_pb2, trend_pb2
from burgee.v1 import profiles_pb2 as pb
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import create
from tests.rpc.insight_calls import SPAN, condition, event
from tests.rpc.test_erasure import delete_person, done

ANN = ["anon", "ann", "phone"]


def by_user(attribute="user.key"):
    """A breakdown."""
    return {"attributes": [attribute]}


async def identify(admin, distinct_id, **properties):
    """Set properties of a person."""
    change = Struct()
    change.update(properties)
    return await admin.profiles.IdentifyPerson(
        pb.IdentifyPersonRequest(distinct_id=distinct_id, change={"set": change})
    )


async def alias(admin, distinct_id, other):
    """Make two one; the person."""
    request = pb.AliasPersonRequest(distinct_id=distinct_id, alias=other)
    return (await admin.profiles.AliasPerson(request)).person


async def seen(admin, loaded):
    """ann looked around as anon, signed in as ann, and came back by phone; bob is somebody else."""
    await admin.send(
        event("opened", "anon", "acme", 1),
        event("saved", "ann", "acme", 2),
        event("saved", "phone", "acme", 3),
        event("opened", "bob", "acme", 4),
    )
    await identify(admin, "anon", plan="free")
    await identify(admin, "ann", role="admin")
    await alias(admin, "ann", "anon")
    person = await alias(admin, "ann", "phone")
    await loaded()
    return person


async def totals(admin, **fields):
    """Unique users by whatever splits them."""
    series = {"measure": trend_pb2.MEASURE_UNIQUE_USERS}
    answer = await admin.insights.QueryTrend(trend_pb2.QueryTrendRequest(series=[series], range=SPAN, **fields))
    return {row.breakdown.value: row.total for row in answer.rows}


async def test_a_person_is_found_listed_and_followed_under_every_id(admin, loaded):
    """One entry with all ids, the first and last time of all of them, and every event."""
    person = await seen(admin, loaded)
    assert (person.distinct_id, person.distinct_ids) == ("ann", sorted(ANN))
    assert dict(person.properties) == {"plan": "free", "role": "admin"}

    for each in ANN:
        found = (await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id=each))).person
        assert (found.distinct_id, found.distinct_ids) == ("ann", sorted(ANN))
        assert found.last_seen_at.seconds - found.first_seen_at.seconds == 2 * 3600
        events = (await admin.profiles.ListEvents(pb.ListEventsRequest(distinct_id=each))).events
        assert [one.distinct_id for one in events] == ["phone", "ann", "anon"]
        exported = [
            one.distinct_id
            async for part in admin.profiles.ExportEvents(pb.ExportEventsRequest(distinct_id=each))
            for one in part.events
        ]
        assert sorted(exported) == sorted(ANN)
    pages, token = [], ""
    for _ in range(4):
        page = await admin.profiles.ListPersons(pb.ListPersonsRequest(page_size=1, page_token=token))
        pages += page.persons
        if not (token := page.next_page_token):
            break
    assert [each.distinct_id for each in pages] == ["ann", "bob"]
    assert pages[0] == found


async def test_questions_count_the_person_and_not_the_ids(admin, loaded):
    """Unique users, funnels, breakdowns and filters, by any of the ids and by properties that another brought."""
    await seen(admin, loaded)

    assert await totals(admin) == {"": 2}
    assert await totals(admin, breakdown=by_user()) == {"ann": 1, "bob": 1}
    assert await totals(admin, breakdown=by_user("user.plan")) == {"free": 1, "": 1}
    for each in ANN:
        assert await totals(admin, filter=condition("user.key", "equals", each), breakdown=by_user("event.x")) == {
            "": 1
        }
    trend = trend_pb2.QueryTrendRequest(
        series=[{"filter": condition("user.key", "in", "anon")}, {"filter": condition("user.role", "equals", "admin")}],
        range=SPAN,
    )
    assert [row.total for row in (await admin.insights.QueryTrend(trend)).rows] == [3, 3]
    others = common_pb2.Filter()
    getattr(others, "not").CopyFrom(condition("user.key", "equals", "phone"))
    assert await totals(admin, filter=others, breakdown=by_user()) == {"bob": 1}
    funnel = funnel_pb2.QueryFunnelRequest(steps=[{"event": "opened"}, {"event": "saved"}], range=SPAN)
    assert [step.count for step in (await admin.insights.QueryFunnel(funnel)).rows[0].steps] == [2, 1]


async def test_flags_know_the_person_by_every_id_at_once(admin):
    """What was stored of one is what is stored of all, before and after it was in memory."""
    rule = flags_pb2.Rule(distribution={"bucket_by": "user", "rollout": 100_000})
    rule.conditions.add(attribute="user.role", operator="OPERATOR_EQUALS", values=[Value(string_value="admin")])
    await create(admin, flags_pb2.Flag(key="beta", enabled=True, rules=[rule]))

    async def variant(distinct_id):
        request = flags_pb2.EvaluateRequest(flag_key="beta", context={"distinct_id": distinct_id})
        return (await admin.flags.Evaluate(request)).resolution.variant

    assert await variant("anon") == "off"
    await identify(admin, "ann", role="admin")
    await alias(admin, "ann", "anon")
    assert await variant("anon") == await variant("ann") == "on"
    await identify(admin, "anon", role="guest")
    assert await variant("ann") == await variant("anon") == "off"


async def test_a_deleted_person_is_gone_under_every_id_and_a_new_life_is_nobody_elses(admin, loaded):
    """Nothing of it is left when the erasure that was answered is done."""
    await seen(admin, loaded)
    erasure = await delete_person(admin, "phone")
    await admin.send(capture_pb2.Event(event="opened", distinct_id="anon"))

    await done(admin, erasure)
    await loaded()

    events = (await admin.profiles.ListEvents(pb.ListEventsRequest())).events
    assert [each.distinct_id for each in events] == ["anon", "bob"]
    assert await totals(admin, breakdown=by_user()) == {"bob": 1}
    anon = (await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="anon"))).person
    assert (anon.distinct_ids, dict(anon.properties)) == (["anon"], {})
    with refused(StatusCode.NOT_FOUND):
        await admin.profiles.GetPerson(pb.GetPersonRequest(distinct_id="ann"))


async def test_ids_must_be_names(admin):
    """Neither of them may be empty, or too long."""
    for fields, field in (
        ({"distinct_id": "", "alias": "a"}, "distinct_id"),
        ({"distinct_id": "a", "alias": ""}, "alias"),
        ({"distinct_id": "a", "alias": "x" * 201}, "alias"),
    ):
        with refused(StatusCode.INVALID_ARGUMENT, field):
            await admin.profiles.AliasPerson(pb.AliasPersonRequest(**fields))
