"""Computed cohorts over real gRPC: made, listed, asked for by questions and by flags, and kept fresh."""

from google.protobuf.struct_pb2 import Struct, Value
from grpc import StatusCode

from burgee.v1 import (
    actions_pb2,
    admin_pb2,
    capture_pb2,
    flag_admin_pb2,
    flags_pb2,
    funnel_pb2,
    insights_pb2,
    profiles_pb2,
    trend_pb2,
)
from burgee.v1 import cohorts_pb2 as pb
from tests.fixtures.until import until
from tests.rpc.cohort_calls import change_members, create_cohort, for_members, member_keys
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import create, variant
from tests.rpc.insight_calls import condition

REPORTED = {"performed": {"events": {"event": "reported"}, "at_least": 2}}


async def compute(caller, criterion, key="active", group_type="company", **fields):
    """Create a computed cohort."""
    cohort = pb.Cohort(key=key, group_type=group_type, computed={"criterion": criterion, **fields})
    return (await caller.cohorts.CreateCohort(pb.CreateCohortRequest(cohort=cohort))).cohort


async def refresh(caller, key="active"):
    """Compute one now."""
    return await caller.cohorts.RefreshCohort(pb.RefreshCohortRequest(cohort_key=key))


def event(name, who, company=""):
    """Something that just happened."""
    return capture_pb2.Event(event=name, distinct_id=who, groups={"company": company} if company else {})


def large(attribute):
    """A pattern that is RE2, and larger than ClickHouse takes."""
    return condition(attribute, "matches", "\\pL{500}")


async def test_a_computed_cohort_is_made_computed_listed_and_changed(admin, loaded):
    """Whoever asks for its members has them computed; a change of how asks for that anew."""
    await admin.send(
        event("reported", "ann", "acme"), event("reported", "bob", "acme"), event("reported", "cid", "bolt")
    )
    await loaded()
    made = await compute(admin, REPORTED, time_zone="Europe/Berlin")
    assert (made.member_count, made.HasField("computed_at"), made.computed.time_zone) == (0, False, "Europe/Berlin")
    assert (made.WhichOneof("definition"), made.computed.criterion.performed.at_least) == ("computed", 2)

    assert await member_keys(admin, "active") == ["acme"]
    got = (await admin.cohorts.GetCohort(pb.GetCohortRequest(cohort_key="active"))).cohort
    assert (got.member_count, got.HasField("computed_at"), got.version) == (1, True, 1)
    await admin.send(event("reported", "cid", "bolt"))
    await loaded()
    assert await member_keys(admin, "active") == ["acme"]
    request = pb.GetCohortRequest(cohort_key="active")
    request.max_age.FromSeconds(0)
    assert (await admin.cohorts.GetCohort(request)).cohort.member_count == 2
    again = await refresh(admin)
    assert (again.added, again.removed, again.cohort.member_count) == (0, 0, 2)

    got.computed.criterion.performed.at_least = 3
    changed = (await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=got, expected_version=1))).cohort
    assert (changed.version, changed.HasField("computed_at")) == (2, False)
    done = await refresh(admin)
    assert (done.added, done.removed, await member_keys(admin, "active")) == (0, 2, [])


async def test_a_cohort_says_what_it_goes_by_and_nobody_has_ever_sent(admin, loaded):
    """Made and changed, by its actions and by other cohorts; it is there all the same, and a list goes by nothing."""
    properties = Struct()
    properties.update({"plan": "pro"})
    group = {"group_type": "company", "group_key": "acme", "change": {"set": properties}}
    await admin.profiles.IdentifyGroup(profiles_pb2.IdentifyGroupRequest(**group))
    await admin.send(event("reported", "ann", "acme"))
    await loaded()

    def told(made):
        return {each.event: list(each.similar) for each in made.unknown_events} | {
            each.attribute: list(each.similar) for each in made.unknown_properties
        }

    listed = pb.CreateCohortRequest(cohort=pb.Cohort(key="list", group_type="company", listed={}))
    assert told(await admin.cohorts.CreateCohort(listed)) == {}
    criterion = {"any": {"criteria": [REPORTED, {"properties": condition("company.pln", "equals", "pro")}]}}
    cohort = pb.Cohort(key="active", group_type="company", computed={"criterion": criterion})
    made = await admin.cohorts.CreateCohort(pb.CreateCohortRequest(cohort=cohort))
    assert told(made) == {"company.pln": ["company.plan"]}
    cohort.computed.criterion.CopyFrom(
        pb.Criterion(performed={"events": {"event": "reportd", "filter": condition("event.nope", "is_set")}})
    )
    changed = await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=cohort))
    assert told(changed) == {"reportd": ["reported"], "event.nope": []}
    assert (changed.cohort.version, await member_keys(admin, "active")) == (2, [])


async def test_flags_follow_a_computed_cohort_and_remember_it(server, admin, loaded):
    """Computed in the background once a flag asks, put right by a refresh; EvaluateAt knows how it was."""
    await admin.profiles.IdentifyGroup(profiles_pb2.IdentifyGroupRequest(group_type="company", group_key="acme"))
    await admin.send(event("reported", "ann", "acme"), event("reported", "ann", "acme"))
    await loaded()
    await compute(admin, REPORTED)
    await create(admin, for_members("active"))

    async def is_on():
        return await variant(admin, "acme") == "on"

    await until(is_on)
    before = (await admin.cohorts.GetCohort(pb.GetCohortRequest(cohort_key="active"))).cohort

    before.computed.criterion.performed.at_least = 5
    await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=before))
    await refresh(admin)
    assert await variant(admin, "acme") == "off"
    asked = flag_admin_pb2.EvaluateAtRequest(
        flag_key="beta", context=flags_pb2.EvaluationContext(groups={"company": "acme"}), as_of=before.updated_at
    )
    assert (await admin.flag_admin.EvaluateAt(asked)).resolution.variant == "on"


async def test_cohorts_are_made_of_cohorts_actions_and_properties(admin, loaded):
    """And whoever they need cannot go before them."""
    group = profiles_pb2.IdentifyGroupRequest
    for key, plan in (("acme", "pro"), ("bolt", "pro"), ("coil", "free")):
        await admin.profiles.IdentifyGroup(group(group_type="company", group_key=key, change={"set": {"plan": plan}}))
    await admin.send(event("invited", "ann", "acme"), event("reported", "bob", "coil"))
    await loaded()
    matchers = [{"event": "invited"}, {"event": "reported"}]
    action = actions_pb2.Action(key="activated", matchers=matchers)
    await admin.actions.CreateAction(actions_pb2.CreateActionRequest(action=action))
    await create_cohort(admin, "beta")
    await change_members(admin, "beta", add=["coil", "unheard-of"])
    pro = {
        "condition": {"attribute": "company.plan", "operator": "OPERATOR_EQUALS", "values": [Value(string_value="pro")]}
    }
    did = {"performed": {"events": {"action": "activated"}}}
    await compute(admin, {"all": {"criteria": [{"properties": pro}, {"not": did}]}}, "idle")
    await compute(admin, {"any": {"criteria": [{"cohort_key": "idle"}, {"cohort_key": "beta"}]}}, "both")

    assert await member_keys(admin, "idle") == ["bolt"]
    assert await member_keys(admin, "both") == ["bolt", "coil", "unheard-of"]
    in_both = {"attribute": "company.key", "operator": "OPERATOR_IN_COHORT", "values": [Value(string_value="both")]}
    query = trend_pb2.QueryTrendRequest(series=[{"filter": {"condition": in_both}}])
    assert (await admin.insights.QueryTrend(query)).rows[0].total == 1

    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="beta"))
    assert "both" in refusal.message
    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await admin.actions.DeleteAction(actions_pb2.DeleteActionRequest(action_key="activated"))
    assert "idle" in refusal.message
    circle = pb.Cohort(key="idle", group_type="company", computed={"criterion": {"cohort_key": "both"}})
    with refused(StatusCode.INVALID_ARGUMENT, "cohort.computed.criterion.cohort_key") as refusal:
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=circle))
    assert "idle → both → idle" in refusal.message


async def test_a_member_with_several_ids_is_listed_with_all_of_them(admin, loaded):
    """So that a flag that is asked with any of them knows; and of who did not do it, with none of them."""
    await admin.profiles.AliasPerson(profiles_pb2.AliasPersonRequest(distinct_id="ann", alias="phone"))
    await admin.send(event("reported", "phone"), event("reported", "ann"), event("reported", "bob"))
    await loaded()
    await compute(admin, REPORTED, group_type="user")
    assert await member_keys(admin, "active") == ["ann", "phone"]
    await compute(admin, {"not": REPORTED}, "idle", group_type="user")
    assert await member_keys(admin, "idle") == ["bob"]


async def test_whoever_is_being_erased_does_not_come_back(admin, loaded):
    """Their events may be there still; neither are they members afterwards."""
    await admin.send(event("reported", "ann"), event("reported", "ann"))
    await loaded()
    await compute(admin, REPORTED, group_type="user")
    assert await member_keys(admin, "active") == ["ann"]
    await admin.profiles.DeletePerson(profiles_pb2.DeletePersonRequest(distinct_id="ann"))
    await refresh(admin)
    assert await member_keys(admin, "active") == []


A = {"event": "a"}


async def test_what_cannot_be_computed_is_refused_with_its_path(admin):
    """Before anything is kept."""
    user = {"condition": {"attribute": "user.plan", "operator": "OPERATOR_IS_SET"}}
    deep = {"cohort_key": "x"}
    for _ in range(11):
        deep = {"not": deep}
    bad = [
        ({}, ""),
        ({"properties": {}}, ".properties"),
        ({"properties": user}, ".properties.condition.attribute"),
        ({"properties": {"all": {}}}, ".properties.all.filters"),
        ({"performed": {"events": {"event": "x" * 201}}}, ".performed.events.event"),
        ({"performed": {"events": {"action": "none"}}}, ".performed.events.action"),
        ({"performed": {"events": A, "at_least": 0}}, ".performed.at_least"),
        ({"performed": {"events": A, "exactly": 1_000_001}}, ".performed.exactly"),
        ({"performed": {"events": A, "range": {"start": "soon"}}}, ".performed.range.start"),
        ({"performed": {"events": A, "range": {"start": "now", "end": "-1d"}}}, ".performed.range"),
        ({"performed": {"events": A, "range": {"compare": "previous"}}}, ".performed.range.compare"),
        ({"stopped": {"events": {"filter": {"not": {}}}}}, ".stopped.events.filter.not"),
        ({"first_performed": {"events": A, "range": {"end": "x"}}}, ".first_performed.range.end"),
        ({"in_order": {"steps": [A], "window": {"seconds": 5}}}, ".in_order.steps"),
        ({"in_order": {"steps": [A, A]}}, ".in_order.window"),
        ({"properties": large("company.x")}, ".properties.condition.values[0]"),
        ({"properties": large("company.key")}, ".properties.condition.values[0]"),
        (
            {
                "any": {
                    "criteria": [{"performed": {"events": {"filter": condition("event.x", "matches", "\\pL{500}")}}}]
                }
            },
            ".any.criteria[0].performed.events.filter.condition.values[0]",
        ),
        ({"cohort_key": "none"}, ".cohort_key"),
        ({"any": {}}, ".any.criteria"),
        ({"all": {"criteria": [{"cohort_key": "of-users"}]}}, ".all.criteria[0].cohort_key"),
        (deep, ".not" * 10),
    ]
    await create_cohort(admin, "of-users", "user")
    for criterion, path in bad:
        with refused(StatusCode.INVALID_ARGUMENT, f"cohort.computed.criterion{path}"):
            await compute(admin, criterion)
    with refused(StatusCode.INVALID_ARGUMENT, "cohort.computed.time_zone"):
        await compute(admin, {"performed": {"events": A}}, time_zone="Nowhere")
    await compute(admin, {"performed": {"events": A}})
    with refused(StatusCode.INVALID_ARGUMENT, "cohort_key"):
        await change_members(admin, "active", add=["acme"])
    with refused(StatusCode.INVALID_ARGUMENT, "cohort_key"):
        await refresh(admin, "of-users")
    with refused(StatusCode.NOT_FOUND):
        await refresh(admin, "none")
    listed = pb.Cohort(key="active", group_type="company", listed={})
    with refused(StatusCode.INVALID_ARGUMENT, "cohort.definition"):
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=listed))
    negative = pb.GetCohortRequest(cohort_key="active")
    negative.max_age.FromSeconds(-1)
    with refused(StatusCode.INVALID_ARGUMENT, "max_age"):
        await admin.cohorts.GetCohort(negative)


async def test_ones_own_people_are_left_out_of_every_question(admin, loaded):
    """Of persons or of companies, listed or computed; unless a question asks for them. Cohorts still see them."""
    await admin.send(event("reported", "ann", "us"), event("reported", "bob", "acme"), event("reported", "own"))
    await loaded()
    await create_cohort(admin, "us")
    await change_members(admin, "us", add=["us"])
    await compute(admin, {"performed": {"events": {"event": "reported"}}}, "everybody", "user")
    await create_cohort(admin, "own", "user")
    await change_members(admin, "own", add=["own"])
    environment = {"key": "production"}

    async def set_internal(key):
        request = admin_pb2.UpdateEnvironmentRequest(**environment, internal_cohort_key=key)
        return (await admin.admin.UpdateEnvironment(request)).environment.internal_cohort_key

    async def users(**more):
        series = [{"measure": "MEASURE_UNIQUE_USERS"}]
        query = trend_pb2.QueryTrendRequest(series=series, **more)
        return (await admin.insights.QueryTrend(query)).rows[0].total

    assert await users() == 3
    assert (await set_internal("us"), await users(), await users(include_internal=True)) == ("us", 2, 3)
    assert (await set_internal("own"), await users(), await users(include_internal=True)) == ("own", 2, 3)
    assert (await set_internal("everybody"), await users(), await users(include_internal=True)) == ("everybody", 0, 3)
    assert await member_keys(admin, "everybody") == ["ann", "bob", "own"]
    step = {"event": "reported"}
    steps = [step, step]
    funnel = funnel_pb2.QueryFunnelRequest(steps=steps)
    about = funnel_pb2.QueryFunnelTimesRequest(funnel=funnel)
    shown = [(await admin.insights.QueryFunnel(funnel)).rows[0].steps[0].count]
    await admin.insights.QueryFunnelTimes(about)
    funnel.include_internal = True
    shown.append((await admin.insights.QueryFunnel(funnel)).rows[0].steps[0].count)
    assert shown == [0, 3]
    with refused(StatusCode.FAILED_PRECONDITION):
        await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="everybody"))
    with refused(StatusCode.INVALID_ARGUMENT, "internal_cohort_key"):
        await set_internal("none")
    assert (await set_internal(""), await users()) == ("", 3)
    await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="everybody"))


def test_every_question_can_ask_for_ones_own_people():
    """Each request has the field beside its range, or is about a question that has."""
    for method in insights_pb2.DESCRIPTOR.services_by_name["InsightService"].methods:
        if not method.name.startswith("Query"):
            continue
        request = method.input_type
        held = [field.message_type for field in request.fields if field.message_type]
        [asked] = [each for each in (request, *held) if "range" in each.fields_by_name]
        assert asked.fields_by_name["include_internal"].number == 30, method.name
