"""CohortService over real gRPC."""

import asyncio

import pytest
from google.protobuf.struct_pb2 import Value
from grpc import StatusCode

from burgee.v1 import admin_pb2, capture_pb2, trend_pb2
from burgee.v1 import cohorts_pb2 as pb
from burgee.v1 import flag_admin_pb2 as admin_pb
from burgee.v1 import flags_pb2 as flags
from tests.fixtures.server import caller
from tests.rpc.cohort_calls import change_members, create_cohort, for_members, member_keys
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import actions, create, update, variant


async def test_a_cohort_is_created_read_and_listed(admin):
    """With everything the server fills in, by key, in pages."""
    created = await create_cohort(admin, "beta", description="who tries it first")
    await create_cohort(admin, "alpha", "user")

    found = (await admin.cohorts.GetCohort(pb.GetCohortRequest(cohort_key="beta"))).cohort
    first = await admin.cohorts.ListCohorts(pb.ListCohortsRequest(page_size=1))
    second = await admin.cohorts.ListCohorts(pb.ListCohortsRequest(page_token=first.next_page_token))

    assert found == created
    assert (found.group_type, found.description, found.WhichOneof("definition")) == (
        "company",
        "who tries it first",
        "listed",
    )
    assert (found.version, found.member_count, found.created_at) == (1, 0, found.updated_at)
    assert [[cohort.key for cohort in page.cohorts] for page in (first, second)] == [["alpha"], ["beta"]]
    assert not second.next_page_token


async def test_members_are_put_in_taken_out_and_listed(admin):
    """Doing it twice changes nothing, so a call without an answer can be made again."""
    await create_cohort(admin, "beta")
    first = await change_members(admin, add=["acme", "globex", "日本"])
    again = await change_members(admin, add=["acme"], remove=["globex", "initech"])
    third = await change_members(admin, add=["acme"], remove=["globex"])
    nothing = await change_members(admin)

    assert [(each.added, each.removed) for each in (first, again, third, nothing)] == [(3, 0), (0, 1), (0, 0), (0, 0)]
    assert (nothing.cohort.member_count, nothing.cohort.version) == (2, 1)
    request = pb.ListCohortMembersRequest(cohort_key="beta", page_size=1)
    page = await admin.cohorts.ListCohortMembers(request)
    request.page_token = page.next_page_token
    rest = await admin.cohorts.ListCohortMembers(request)
    assert [member.key for each in (page, rest) for member in each.members] == ["acme", "日本"]
    assert page.members[0].added_at == first.cohort.updated_at


async def test_a_list_of_thirty_thousand_is_loaded_read_and_emptied(admin):
    """In calls of 10,000, the most that one takes."""
    await create_cohort(admin, "beta")
    keys = [f"company-{number:06}" for number in range(30_000)]
    calls = [keys[first : first + 10_000] for first in range(0, len(keys), 10_000)]
    for some in calls:
        loaded = await change_members(admin, add=some)
    assert loaded.cohort.member_count == 30_000
    assert await member_keys(admin) == keys
    for some in calls:
        emptied = await change_members(admin, remove=some)
    assert (emptied.cohort.member_count, emptied.removed) == (0, 10_000)


async def test_a_description_is_changed_by_version(admin):
    """ABORTED from a version that is not current; members are none of its business."""
    cohort = await create_cohort(admin, "beta")
    await change_members(admin, add=["acme"])
    cohort.description = "new"
    saved = (await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=cohort, expected_version=1))).cohort

    assert (saved.description, saved.version, saved.member_count) == ("new", 2, 1)
    with refused(StatusCode.ABORTED):
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=cohort, expected_version=1))
    cohort.group_type = "team"
    with refused(StatusCode.INVALID_ARGUMENT, "cohort.group_type"):
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=cohort))


async def test_a_flag_follows_the_members_at_once(admin):
    """The next check sees who came and who went, whatever was in memory before."""
    await create_cohort(admin, "beta")
    await create(admin, for_members("beta"))
    given = [await variant(admin, "acme")]
    for add, remove in ((["acme"], []), ([], ["acme"]), (["globex", "acme"], [])):
        await change_members(admin, add=add, remove=remove)
        given.append(await variant(admin, "acme"))

    assert given == ["off", "on", "off", "on"]


async def test_persons_are_members_by_their_distinct_id(admin):
    """A group of the same key is somebody else."""
    await create_cohort(admin, "testers", "user")
    await change_members(admin, "testers", add=["ann"])
    await create(admin, for_members("testers", attribute="user.key"))

    async def given(**context):
        request = flags.EvaluateRequest(flag_key="beta", context=context)
        return (await admin.flags.Evaluate(request)).resolution.variant

    assert [await given(distinct_id=name) for name in ("ann", "bob", "")] == ["on", "off", "off"]
    assert await given(groups={"user": "ann", "company": "ann"}) == "off"


async def test_every_kind_of_check_knows_cohorts(admin):
    """EvaluateAll, BatchEvaluate and Explain, which says what it is in."""
    for key, members in (("beta", ["acme"]), ("gold", ["acme", "globex"])):
        await create_cohort(admin, key)
        await change_members(admin, key, add=members)
    await create(admin, for_members("beta", "gold"))
    await create(admin, for_members("beta", key="others", operator="OPERATOR_NOT_IN_COHORT"))
    contexts = [flags.EvaluationContext(groups={"company": key}) for key in ("acme", "globex", "initech")]

    everything = [await admin.flags.EvaluateAll(flags.EvaluateAllRequest(context=context)) for context in contexts]
    batch = await admin.flags.BatchEvaluate(flags.BatchEvaluateRequest(contexts=contexts))
    explained = [
        await admin.flags.Explain(flags.ExplainRequest(flag_key="beta", context=context)) for context in contexts
    ]

    expected = [["on", "off"], ["on", "on"], ["off", "on"]]
    for answers in ([each.resolutions for each in everything], [each.resolutions for each in batch.results]):
        assert [[resolution.variant for resolution in each] for each in answers] == expected
    outcomes = [each.rules[0].conditions[0] for each in explained]
    assert [(each.passed, each.note) for each in outcomes] == [
        (True, "in beta, gold"),
        (True, "in gold"),
        (False, "in none of them"),
    ]
    assert "company.key is in cohort beta, gold" in explained[0].summary


BAD_COHORTS = {
    "no key": ({"group_type": "company", "listed": {}}, "cohort.key"),
    "a key with a comma": ({"key": "a,b", "group_type": "company", "listed": {}}, "cohort.key"),
    "a key that is too long": ({"key": "x" * 201, "group_type": "company", "listed": {}}, "cohort.key"),
    "no type": ({"key": "beta", "listed": {}}, "cohort.group_type"),
    "a type with a dot": ({"key": "beta", "group_type": "a.b", "listed": {}}, "cohort.group_type"),
    "events": ({"key": "beta", "group_type": "event", "listed": {}}, "cohort.group_type"),
    "no definition": ({"key": "beta", "group_type": "company"}, "cohort.definition"),
    "a long description": (
        {"key": "beta", "group_type": "company", "listed": {}, "description": "x" * 2001},
        "cohort.description",
    ),
}


@pytest.mark.parametrize(("fields", "field"), BAD_COHORTS.values(), ids=BAD_COHORTS.keys())
async def test_a_cohort_that_makes_no_sense_is_refused(shared_admin, fields, field):
    """INVALID_ARGUMENT with the path of what is wrong."""
    with refused(StatusCode.INVALID_ARGUMENT, field):
        await shared_admin.cohorts.CreateCohort(pb.CreateCohortRequest(cohort=pb.Cohort(**fields)))
    assert not (await shared_admin.cohorts.ListCohorts(pb.ListCohortsRequest())).cohorts


async def test_members_that_make_no_sense_are_refused_all_together(admin):
    """Each by its place; the good ones of the call are not kept either."""
    await create_cohort(admin, "beta")
    with refused(StatusCode.INVALID_ARGUMENT, "add[1]", "add[2]", "remove[0]", "remove[1]") as refusal:
        await change_members(admin, add=["acme", "", "x" * 201], remove=["acme", "a\nb"])
    assert "to be added" in refusal.fields["remove[0]"]
    with refused(StatusCode.INVALID_ARGUMENT, "add") as refusal:
        await change_members(admin, add=[f"c-{number}" for number in range(10_000)], remove=["one-more"])
    assert "10,000" in refusal.message
    with refused(StatusCode.INVALID_ARGUMENT, "change_note"):
        await change_members(admin, change_note="x" * 2001)

    assert await member_keys(admin) == []


async def test_what_is_not_there_or_not_named_is_told(admin):
    """NOT_FOUND with the name, INVALID_ARGUMENT without one, ALREADY_EXISTS for one that is taken."""
    calls = {
        admin.cohorts.GetCohort: pb.GetCohortRequest,
        admin.cohorts.DeleteCohort: pb.DeleteCohortRequest,
        admin.cohorts.ListCohortMembers: pb.ListCohortMembersRequest,
        admin.cohorts.ChangeCohortMembers: pb.ChangeCohortMembersRequest,
    }
    for call, request in calls.items():
        with refused(StatusCode.NOT_FOUND) as refusal:
            await call(request(cohort_key="never"))
        assert "'never'" in refusal.message
        with refused(StatusCode.INVALID_ARGUMENT, "cohort_key"):
            await call(request())
    nobody = pb.Cohort(group_type="company", listed={})
    with refused(StatusCode.INVALID_ARGUMENT, "cohort.key"):
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=nobody))
    with refused(StatusCode.INVALID_ARGUMENT, "expected_version"):
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=nobody, expected_version=-1))
    nobody.key = "never"
    with refused(StatusCode.NOT_FOUND):
        await admin.cohorts.UpdateCohort(pb.UpdateCohortRequest(cohort=nobody))
    await create_cohort(admin, "beta")
    with refused(StatusCode.ALREADY_EXISTS):
        await create_cohort(admin, "beta")
    for page in (pb.ListCohortsRequest(page_size=1001), pb.ListCohortsRequest(page_token="?")):
        with refused(StatusCode.INVALID_ARGUMENT):
            await admin.cohorts.ListCohorts(page)


BAD_CONDITIONS = {
    "an unknown cohort": ("company.key", ["beta", "never"], "values[1]"),
    "a cohort of companies, asked of users": ("user.key", ["beta"], "values[0]"),
    "a property": ("company.plan", ["beta"], "attribute"),
    "no cohort": ("company.key", [], "values"),
    "a number": ("company.key", [5], "values[0]"),
}


@pytest.mark.parametrize("asked", ["OPERATOR_IN_COHORT", "OPERATOR_NOT_IN_COHORT"])
@pytest.mark.parametrize(("attribute", "values", "field"), BAD_CONDITIONS.values(), ids=BAD_CONDITIONS.keys())
async def test_a_flag_that_asks_for_no_such_cohort_is_not_saved(admin, attribute, values, field, asked):
    """INVALID_ARGUMENT with the path of the value, on creating, changing and previewing."""
    await create_cohort(admin, "beta")
    flag = for_members("beta", attribute=attribute, operator=asked)
    flag.rules[0].conditions[0].ClearField("values")
    for value in values:
        flag.rules[0].conditions[0].values.append(
            Value(string_value=value) if isinstance(value, str) else Value(number_value=value)
        )
    path = f"flag.rules[0].conditions[0].{field}"
    with refused(StatusCode.INVALID_ARGUMENT, path):
        await create(admin, flag)
    await create(admin, flags.Flag(key="beta"))
    with refused(StatusCode.INVALID_ARGUMENT, path):
        await update(admin, flag)


async def test_a_cohort_that_flags_ask_for_stays(admin):
    """FAILED_PRECONDITION with their names, disabled ones too; not of archived ones, whose way back is checked."""
    await create_cohort(admin, "beta")
    flag = await create(admin, for_members("beta"))
    await create(admin, for_members("beta", key="asleep", enabled=False))
    delete = pb.DeleteCohortRequest(cohort_key="beta")

    with refused(StatusCode.FAILED_PRECONDITION) as refusal:
        await admin.cohorts.DeleteCohort(delete)
    assert "asleep, beta" in refusal.message
    await admin.flag_admin.ArchiveFlag(admin_pb.ArchiveFlagRequest(flag_key="asleep"))
    del flag.rules[:]
    await update(admin, flag)
    await admin.cohorts.DeleteCohort(delete)

    with refused(StatusCode.INVALID_ARGUMENT, "flag.rules[0].conditions[0].values[0]"):
        restore = admin_pb.RestoreFlagVersionRequest(flag_key="beta", version=1)
        await admin.flag_admin.RestoreFlagVersion(restore)
    with refused(StatusCode.INVALID_ARGUMENT):
        await admin.flag_admin.RestoreFlagVersion(admin_pb.RestoreFlagVersionRequest(flag_key="asleep", version=1))


async def test_an_archived_flag_whose_cohort_is_gone_holds_nobody_up(admin):
    """What it needs can be changed all the same."""
    await create_cohort(admin, "beta")
    needed = await create(admin, flags.Flag(key="needed", enabled=True, fallthrough={}))
    await create(admin, for_members("beta", prerequisites=[{"flag_key": "needed", "variants": ["on"]}]))
    await admin.flag_admin.ArchiveFlag(admin_pb.ArchiveFlagRequest(flag_key="beta"))
    await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="beta"))

    needed.description = "still"
    assert (await update(admin, needed)).version == 2


async def test_of_a_flag_and_the_end_of_its_cohort_that_come_at_once_one_is_refused(admin):
    """Never is a flag left that asks for a cohort which is not there."""
    for number in range(10):
        await create_cohort(admin, f"beta-{number}")
        outcomes = await asyncio.gather(
            create(admin, for_members(f"beta-{number}", key=f"flag-{number}")),
            admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key=f"beta-{number}")),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1


async def test_a_cohort_of_the_same_name_has_none_of_the_old_members(admin):
    """Nor does a check remember them."""
    await create_cohort(admin, "beta")
    await change_members(admin, add=["acme"])
    flag = await create(admin, for_members("beta"))
    before = await variant(admin, "acme")
    del flag.rules[:]
    await update(admin, flag)
    await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="beta"))
    await create_cohort(admin, "beta")
    await update(admin, for_members("beta"))

    assert (before, await variant(admin, "acme")) == ("on", "off")


async def test_flags_are_copied_only_to_where_their_cohorts_are(server, admin):
    """Members are another environment's own: the cohort has to be there, of the same type, and its members decide."""
    await admin.admin.CreateEnvironment(admin_pb2.CreateEnvironmentRequest(key="staging"))
    key = admin_pb2.CreateApiKeyRequest(environment_key="staging", name="tests", role=admin_pb2.KEY_ROLE_ADMIN)
    staging = caller(server.target, (await admin.admin.CreateApiKey(key)).secret)
    await create_cohort(staging, "beta")
    await change_members(staging, add=["acme"])
    await create(staging, for_members("beta"))
    copy = admin_pb.CopyFlagsRequest(from_environment="staging")

    with refused(StatusCode.INVALID_ARGUMENT, "flags[beta].rules[0].conditions[0].values[0]"):
        await admin.flag_admin.CopyFlags(copy)
    await create_cohort(admin, "beta")
    assert (await admin.flag_admin.CopyFlags(copy)).created == ["beta"]
    assert (await variant(staging, "acme"), await variant(admin, "acme")) == ("on", "off")
    await staging.channel.close()


async def test_no_environment_sees_the_cohorts_of_another(server, operator, admin):
    """Neither reads nor changes them, and the same key is another cohort."""
    await create_cohort(admin, "beta")
    await change_members(admin, add=["acme"])
    created = await operator.admin.CreateProject(admin_pb2.CreateProjectRequest(key="cohort-stranger"))
    key = admin_pb2.CreateApiKeyRequest(
        project_key=created.project.key, environment_key="production", name="tests", role=admin_pb2.KEY_ROLE_ADMIN
    )
    stranger = caller(server.target, (await operator.admin.CreateApiKey(key)).secret)

    with refused(StatusCode.NOT_FOUND):
        await change_members(stranger, add=["globex"])
    await create_cohort(stranger, "beta")
    await create(stranger, for_members("beta"))
    await change_members(stranger, add=["globex"])

    assert (await member_keys(stranger), await member_keys(admin)) == (["globex"], ["acme"])
    assert [await variant(stranger, company) for company in ("acme", "globex")] == ["off", "on"]
    await stranger.channel.close()


async def test_readers_read_and_do_not_change(server, admin):
    """SERVICE keys do neither: the members of a cohort are none of their business, but through flags."""
    await create_cohort(admin, "beta")
    for role, may_read in ((admin_pb2.KEY_ROLE_READER, True), (admin_pb2.KEY_ROLE_SERVICE, False)):
        key = await admin.admin.CreateApiKey(admin_pb2.CreateApiKeyRequest(name="r", role=role))
        somebody = caller(server.target, key.secret)
        if may_read:
            assert await member_keys(somebody) == []
        else:
            with refused(StatusCode.PERMISSION_DENIED):
                await member_keys(somebody)
        with refused(StatusCode.PERMISSION_DENIED):
            await change_members(somebody, add=["acme"])
        await somebody.channel.close()


async def test_the_audit_log_tells_who_came_and_who_went(admin):
    """With the note of whoever did it."""
    await create_cohort(admin, "beta", change_note="for the launch")
    await change_members(admin, add=["acme", "globex"], change_note="they asked")
    await change_members(admin, remove=["acme"])
    await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="beta", change_note="launched"))

    assert await actions(admin, 4) == [
        ("cohort.delete", "launched (1 members)"),
        ("cohort.members", "removed acme"),
        ("cohort.members", "they asked (added acme, globex)"),
        ("cohort.create", "for the launch (of company)"),
    ]


async def test_questions_ask_for_the_members_of_a_list(admin, loaded):
    """Those of this moment: of persons, of companies, in filters and as the parts of an answer."""
    await admin.send(
        capture_pb2.Event(event="seen", distinct_id="ann", groups={"company": "acme"}),
        capture_pb2.Event(event="seen", distinct_id="bob", groups={"company": "globex"}),
        capture_pb2.Event(event="seen", distinct_id="cid"),
    )
    await loaded()
    await create_cohort(admin, "beta")
    await create_cohort(admin, "testers", "user")
    values = [Value(string_value="beta")]
    in_beta = {"condition": {"attribute": "company.key", "operator": "OPERATOR_IN_COHORT", "values": values}}
    filtered = trend_pb2.QueryTrendRequest(series=[{"filter": in_beta}])
    split = trend_pb2.QueryTrendRequest(series=[{}], breakdown={"attributes": ["user.$cohort/testers"]})

    async def total():
        return (await admin.insights.QueryTrend(filtered)).rows[0].total

    totals = [await total()]
    for change in ({"add": ["acme", "globex"]}, {"remove": ["acme"]}, {"add": ["acme"], "remove": ["globex"]}):
        await change_members(admin, **change)
        totals.append(await total())
    assert totals == [0, 2, 1, 1]
    await change_members(admin, "testers", add=["bob"])
    rows = (await admin.insights.QueryTrend(split)).rows
    assert {row.breakdown.value: row.total for row in rows} == {"in": 1, "not in": 2}
    await admin.cohorts.DeleteCohort(pb.DeleteCohortRequest(cohort_key="beta"))
    with refused(StatusCode.INVALID_ARGUMENT, "series[0].filter.condition.values[0]"):
        await total()
