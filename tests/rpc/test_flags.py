"""FlagService and FlagAdminService over real gRPC."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from grpc import StatusCode

from burgee.v1 import common_pb2, profiles_pb2
from burgee.v1 import flag_admin_pb2 as admin_pb
from burgee.v1 import flags_pb2 as pb
from tests.rpc.conftest import refused


def struct(**properties):
    """A Struct of these properties."""
    message = Struct()
    message.update(properties)
    return message


def text(*values):
    """Values of a condition."""
    return [Value(string_value=value) for value in values]


def by_company(rollout, **fields):
    """A boolean flag that is on for a share of the companies."""
    rule = pb.Rule(distribution=pb.Distribution(bucket_by="company", rollout=rollout))
    return pb.Flag(key="beta", enabled=True, rules=[rule], **fields)


async def create(caller, flag):
    """Create a flag."""
    return (await caller.flag_admin.CreateFlag(admin_pb.CreateFlagRequest(flag=flag, change_note="try"))).flag


async def evaluate(caller, flag_key, distinct_id="", **fields):
    """What a flag gives."""
    context = pb.EvaluationContext(distinct_id=distinct_id, **fields)
    return (await caller.flags.Evaluate(pb.EvaluateRequest(flag_key=flag_key, context=context))).resolution


async def test_a_boolean_flag_needs_no_more_than_a_key(admin):
    """The server fills in variants, off variant, version and times."""
    flag = await create(admin, pb.Flag(key="beta"))

    assert [(variant.key, variant.value.bool_value) for variant in flag.variants] == [("on", True), ("off", False)]
    assert (flag.off_variant, flag.version, flag.type) == ("off", 1, pb.FLAG_TYPE_BOOLEAN)
    assert flag.created_at == flag.updated_at
    resolution = await evaluate(admin, "beta", "ann")
    assert (resolution.value.bool_value, resolution.reason) == (False, pb.REASON_DISABLED)


async def test_a_rollout_by_company_gives_everybody_of_a_company_the_same_and_is_the_published_hash(admin):
    """Whoever asks, on behalf of one company, gets what sha1("beta.<company>") says."""
    await create(admin, by_company(30_000))
    for number in range(30):
        company = f"company-{number}"
        bucket = int(hashlib.sha1(f"beta.{company}".encode()).hexdigest()[:15], 16) / 0xFFFFFFFFFFFFFFF

        answers = [await evaluate(admin, "beta", user, groups={"company": company}) for user in ("ann", "bob", "")]

        assert {answer.value.bool_value for answer in answers} == {bucket <= 0.3}


async def test_raising_a_rollout_takes_effect_at_once_and_only_adds(admin):
    """The next check after the change sees it; nobody who had the flag loses it."""
    flag = await create(admin, by_company(10_000))
    companies = [f"company-{number}" for number in range(300)]

    async def enabled():
        contexts = [pb.EvaluationContext(groups={"company": company}) for company in companies]
        answer = await admin.flags.BatchEvaluate(pb.BatchEvaluateRequest(flag_keys=["beta"], contexts=contexts))
        given = [result.resolutions[0].value.bool_value for result in answer.results]
        return {company for company, on in zip(companies, given, strict=True) if on}

    before = await enabled()
    flag.rules[0].distribution.rollout = 33_333
    await admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=flag, expected_version=1))
    after = await enabled()

    assert 0 < len(before) < len(after) < 300
    assert before < after


async def test_stored_properties_decide_and_passed_ones_override_them(admin):
    """What the server knows of a company counts, unless the caller knows better."""
    condition = common_pb2.Condition(
        attribute="company.plan", operator=common_pb2.OPERATOR_IN, values=text("pro", "team")
    )
    person = common_pb2.Condition(attribute="user.role", operator=common_pb2.OPERATOR_EQUALS, values=text("admin"))
    rule = pb.Rule(conditions=[condition, person], distribution=pb.Distribution())
    await create(admin, pb.Flag(key="beta", enabled=True, rules=[rule]))
    acme = {"group_type": "company", "group_key": "acme"}
    groups = {"company": "acme"}
    assert not (await evaluate(admin, "beta", "ann", groups=groups)).value.bool_value

    await admin.profiles.IdentifyGroup(profiles_pb2.IdentifyGroupRequest(**acme, change={"set": struct(plan="pro")}))
    await admin.profiles.IdentifyPerson(
        profiles_pb2.IdentifyPersonRequest(distinct_id="ann", change={"set": struct(role="admin")})
    )

    assert (await evaluate(admin, "beta", "ann", groups=groups)).reason == pb.REASON_TARGETING_MATCH
    assert not (await evaluate(admin, "beta", "bob", groups=groups)).value.bool_value
    assert (await evaluate(admin, "beta", "bob", groups=groups, properties=struct(role="admin"))).value.bool_value
    passed = {"company": struct(plan="free")}
    assert not (await evaluate(admin, "beta", "ann", groups=groups, group_properties=passed)).value.bool_value


async def test_the_same_question_is_answered_anew_when_its_time_has_come(admin):
    """Answers are remembered, and a ramp and a relative time pass all the same."""
    past = common_pb2.Condition(attribute="user.due", operator=common_pb2.OPERATOR_BEFORE, values=text("now"))
    await create(admin, pb.Flag(key="due", enabled=True, rules=[pb.Rule(conditions=[past])]))
    soon = datetime.now(UTC) + timedelta(seconds=1)
    ramp = pb.Rule(distribution=pb.Distribution(bucket_by="company"))
    ramp.distribution.ramp.add(rollout=0).at.FromDatetime(soon - timedelta(days=1))
    ramp.distribution.ramp.add(rollout=100_000).at.FromDatetime(soon)
    await create(admin, pb.Flag(key="ramp", enabled=True, rules=[ramp]))
    question = {"groups": {"company": "acme"}, "properties": struct(due=soon.isoformat())}
    assert {(await evaluate(admin, key, "ann", **question)).variant for key in ("ramp", "due")} == {"off"}

    async with asyncio.timeout(5):
        for key in ("ramp", "due"):
            while (await evaluate(admin, key, "ann", **question)).variant == "off":
                pass


async def test_a_profile_that_changes_while_flags_are_checked_is_never_answered_old_afterwards(admin):
    """After the answer to IdentifyGroup, no check sees the company as it was before."""
    condition = common_pb2.Condition(
        attribute="company.n", operator=common_pb2.OPERATOR_GTE, values=[Value(number_value=0)]
    )
    flag = pb.Flag(key="beta", enabled=True, rules=[pb.Rule(conditions=[condition], distribution=pb.Distribution())])
    flag = await create(admin, flag)
    stopped = False

    async def keep_checking():
        while not stopped:
            await evaluate(admin, "beta", groups={"company": "acme"})

    checking = [asyncio.create_task(keep_checking()) for _ in range(4)]
    for n in (1, -1) * 10:
        await admin.profiles.IdentifyGroup(
            profiles_pb2.IdentifyGroupRequest(group_type="company", group_key="acme", change={"set": struct(n=n)})
        )
        assert (await evaluate(admin, "beta", groups={"company": "acme"})).value.bool_value is (n > 0)
    stopped = True
    await asyncio.gather(*checking)


async def test_any_group_type_can_be_rolled_out_by_and_a_missing_group_skips_the_rule(admin):
    """Rollout by workspace; somebody without one gets the fallthrough, and is told why."""
    rule = pb.Rule(
        distribution=pb.Distribution(bucket_by="workspace", weights=[pb.VariantWeight(variant="b", weight=1)])
    )
    flag = pb.Flag(
        key="layout",
        type=pb.FLAG_TYPE_STRING,
        enabled=True,
        variants=[pb.Variant(key=k, value=Value(string_value=f"layout {k}")) for k in "ab"],
        rules=[rule],
    )
    await create(admin, flag)

    inside = await evaluate(admin, "layout", "ann", groups={"workspace": "w1"})
    outside = await evaluate(admin, "layout", "ann")
    request = pb.ExplainRequest(flag_key="layout", context=pb.EvaluationContext(distinct_id="ann"))
    explanation = await admin.flags.Explain(request)

    assert (inside.variant, inside.value.string_value) == ("b", "layout b")
    assert (outside.variant, outside.reason) == ("a", pb.REASON_DEFAULT)
    assert explanation.rules[0].verdict == pb.RULE_VERDICT_GROUP_MISSING
    assert explanation.resolution == outside
    assert explanation.summary


async def test_a_split_by_weights_is_by_user_and_stable(admin):
    """Three variants, each user always the same one, and shares about as asked."""
    weights = [pb.VariantWeight(variant=variant, weight=weight) for variant, weight in (("a", 1), ("b", 1), ("c", 2))]
    flag = pb.Flag(
        key="price",
        type=pb.FLAG_TYPE_NUMBER,
        enabled=True,
        variants=[pb.Variant(key=k, value=Value(number_value=n)) for n, k in enumerate("abc")],
        fallthrough=pb.Distribution(weights=weights),
    )
    await create(admin, flag)
    contexts = [pb.EvaluationContext(distinct_id=f"user-{n}") for n in range(1_000)]
    request = pb.BatchEvaluateRequest(flag_keys=["price"], contexts=contexts)

    first, second = await asyncio.gather(admin.flags.BatchEvaluate(request), admin.flags.BatchEvaluate(request))

    given = [result.resolutions[0].variant for result in first.results]
    assert given == [result.resolutions[0].variant for result in second.results]
    assert 200 < given.count("a") < 300
    assert 200 < given.count("b") < 300


async def test_an_unknown_flag_is_an_answer_not_a_failure(admin):
    """Checks never fail for a flag that is not there."""
    resolution = await evaluate(admin, "nothing", "ann")

    assert (resolution.reason, resolution.error_code) == (pb.REASON_ERROR, pb.ERROR_CODE_FLAG_NOT_FOUND)
    assert "nothing" in resolution.error_message
    with refused(StatusCode.INVALID_ARGUMENT, "flag_key"):
        await evaluate(admin, "", "ann")


async def test_evaluate_all_leaves_archived_flags_out_and_they_give_their_off_variant(admin):
    """An archived flag is gone from lists and harmless in old code."""
    for key in ("b", "a", "old"):
        await create(admin, pb.Flag(key=key, enabled=True, fallthrough=pb.Distribution()))
    assert (await evaluate(admin, "old", "ann")).value.bool_value
    await admin.flag_admin.ArchiveFlag(admin_pb.ArchiveFlagRequest(flag_key="old", change_note="done"))

    resolutions = (await admin.flags.EvaluateAll(pb.EvaluateAllRequest())).resolutions
    listed = (await admin.flag_admin.ListFlags(admin_pb.ListFlagsRequest())).flags
    everything = (await admin.flag_admin.ListFlags(admin_pb.ListFlagsRequest(include_archived=True))).flags

    assert [resolution.flag_key for resolution in resolutions] == ["a", "b"]
    assert [flag.key for flag in listed] == ["a", "b"]
    assert [flag.key for flag in everything] == ["a", "b", "old"]
    old = await evaluate(admin, "old", "ann")
    assert (old.value.bool_value, old.reason) == (False, pb.REASON_DISABLED)


async def test_every_change_is_a_version_with_author_note_and_time(admin):
    """Who, when, why; newest first, page by page."""
    flag = await create(admin, pb.Flag(key="beta"))
    for rollout in (1, 2):
        flag.fallthrough.rollout = rollout
        await admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=flag, change_note=f"to {rollout}"))

    first = await admin.flag_admin.ListFlagVersions(admin_pb.ListFlagVersionsRequest(flag_key="beta", page_size=2))
    rest = await admin.flag_admin.ListFlagVersions(
        admin_pb.ListFlagVersionsRequest(flag_key="beta", page_size=2, page_token=first.next_page_token)
    )

    versions = [*first.versions, *rest.versions]
    assert [(v.flag.version, v.change_note, v.changed_by) for v in versions] == [
        (3, "to 2", "tests"),
        (2, "to 1", "tests"),
        (1, "try", "tests"),
    ]
    assert [v.flag.fallthrough.rollout for v in versions[:2]] == [2, 1]


async def test_a_change_from_an_old_version_is_refused(admin):
    """ABORTED: somebody else was first."""
    flag = await create(admin, pb.Flag(key="beta"))
    await admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=flag, expected_version=1))

    with refused(StatusCode.ABORTED):
        await admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=flag, expected_version=1))
    assert (await admin.flag_admin.GetFlag(admin_pb.GetFlagRequest(flag_key="beta"))).flag.version == 2


async def test_keys_are_taken_once_and_missing_flags_are_named(admin):
    """ALREADY_EXISTS and NOT_FOUND."""
    await create(admin, pb.Flag(key="beta"))

    with refused(StatusCode.ALREADY_EXISTS):
        await create(admin, pb.Flag(key="beta"))
    for call, request in (
        (admin.flag_admin.UpdateFlag, admin_pb.UpdateFlagRequest(flag=pb.Flag(key="gone"))),
        (admin.flag_admin.GetFlag, admin_pb.GetFlagRequest(flag_key="gone")),
        (admin.flag_admin.ArchiveFlag, admin_pb.ArchiveFlagRequest(flag_key="gone")),
        (admin.flag_admin.ListFlagVersions, admin_pb.ListFlagVersionsRequest(flag_key="gone")),
    ):
        with refused(StatusCode.NOT_FOUND) as refusal:
            await call(request)
        assert "'gone'" in refusal.message


async def test_a_change_that_would_break_another_flag_is_refused(admin):
    """A variant that another flag waits for cannot be taken away, and a circle cannot be closed."""
    first = await create(admin, pb.Flag(key="first"))
    await create(admin, pb.Flag(key="second", prerequisites=[pb.Prerequisite(flag_key="first", variants=["on"])]))

    circle = pb.Flag()
    circle.CopyFrom(first)
    circle.prerequisites.add(flag_key="second", variants=["on"])
    with refused(StatusCode.INVALID_ARGUMENT, "flag.prerequisites[0].flag_key"):
        await admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=circle))

    first.variants[0].key = "yes"
    with refused(StatusCode.INVALID_ARGUMENT, "flag") as refusal:
        await admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=first))
    assert "'second'" in refusal.message


async def test_two_changes_at_once_cannot_close_a_circle(admin):
    """Each is right by itself; the second to come is refused."""
    a, b = [await create(admin, pb.Flag(key=key)) for key in ("a", "b")]
    a.prerequisites.add(flag_key="b", variants=["on"])
    b.prerequisites.add(flag_key="a", variants=["on"])

    outcomes = await asyncio.gather(
        *(admin.flag_admin.UpdateFlag(admin_pb.UpdateFlagRequest(flag=flag)) for flag in (a, b)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1


async def test_a_batch_that_asks_for_too_much_is_refused(admin):
    """At most 100,000 answers a call, and at least one context."""
    contexts = [pb.EvaluationContext()] * 1_001
    with refused(StatusCode.INVALID_ARGUMENT, "contexts"):
        await admin.flags.BatchEvaluate(pb.BatchEvaluateRequest(flag_keys=["a"] * 100, contexts=contexts))
    with refused(StatusCode.INVALID_ARGUMENT, "contexts"):
        await admin.flags.BatchEvaluate(pb.BatchEvaluateRequest(flag_keys=["a"]))


async def test_a_context_with_what_is_not_json_is_refused_with_its_path(admin):
    """NaN in a property of a context."""
    with refused(StatusCode.INVALID_ARGUMENT):
        await evaluate(admin, "beta", "ann", properties=struct(x=float("nan")))


async def test_a_context_that_is_too_large_is_refused(admin):
    """64 KB are enough to say who asks."""
    with refused(StatusCode.INVALID_ARGUMENT, "context"):
        await evaluate(admin, "beta", "ann", properties=struct(x="y" * 70_000))


@pytest.mark.parametrize(
    ("flag_key", "context", "field"),
    [
        ("x" * 201, {}, "flag_key"),
        ("beta", {"distinct_id": "x" * 201}, "context.distinct_id"),
        ("beta", {"groups": {"company": "x" * 201}}, "context.groups[company]"),
    ],
)
async def test_names_in_a_check_that_nobody_can_have_are_refused(admin, flag_key, context, field):
    """Nothing that is remembered between checks may be of any length."""
    request = pb.EvaluateRequest(flag_key=flag_key, context=pb.EvaluationContext(**context))

    with refused(StatusCode.INVALID_ARGUMENT, field):
        await admin.flags.Evaluate(request)


async def test_a_pattern_looks_at_no_text_that_would_hold_the_server_up(admin):
    """A pattern that is slow in a long text is false there, and the explanation says why."""
    pattern = common_pb2.Condition(
        attribute="user.t", operator=common_pb2.OPERATOR_MATCHES, values=text("[ab]*a[ab]{200}c")
    )
    rule = pb.Rule(conditions=[pattern], distribution=pb.Distribution())
    await create(admin, pb.Flag(key="beta", enabled=True, rules=[rule]))
    context = pb.EvaluationContext(distinct_id="ann", properties=struct(t="ab" * 30_000))

    explanation = await admin.flags.Explain(pb.ExplainRequest(flag_key="beta", context=context))

    assert not explanation.resolution.value.bool_value
    assert "2,048" in explanation.rules[0].conditions[0].note


async def test_many_mistakes_in_one_flag_are_told_as_far_as_an_answer_has_room(admin):
    """The first ones by path; the caller hears INVALID_ARGUMENT and not a broken stream."""
    condition = common_pb2.Condition(attribute="plan", operator=1)
    rules = [pb.Rule(conditions=[condition] * 3, distribution=pb.Distribution()) for _ in range(300)]

    with refused(StatusCode.INVALID_ARGUMENT, "flag.rules[0].conditions[0].attribute"):
        await create(admin, pb.Flag(key="x", rules=rules))
