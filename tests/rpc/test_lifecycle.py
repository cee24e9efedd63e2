"""The lifecycle of flags over real gRPC: history, restore, kill switch, copies, previews, the past."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from grpc import StatusCode

from burgee.v1 import admin_pb2, capture_pb2, profiles_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flags_pb2 as flags
from tests.fixtures.server import caller
from tests.rpc.conftest import refused


def by_company(rollout, *plans, key="beta", **fields):
    """A flag that is on for a share of the companies, of these plans."""
    rule = flags.Rule(distribution=flags.Distribution(bucket_by="company", rollout=rollout))
    if plans:
        values = [Value(string_value=plan) for plan in plans]
        rule.conditions.add(attribute="company.plan", operator="OPERATOR_IN", values=values)
    return flags.Flag(key=key, enabled=True, rules=[rule], **fields)


async def create(caller, flag):
    """Create a flag."""
    return (await caller.flag_admin.CreateFlag(pb.CreateFlagRequest(flag=flag))).flag


async def update(caller, flag, note=""):
    """Change a flag."""
    return (await caller.flag_admin.UpdateFlag(pb.UpdateFlagRequest(flag=flag, change_note=note))).flag


async def identify(caller, company, **properties):
    """Change a company's properties."""
    given = Struct()
    given.update(properties)
    change = profiles_pb2.PropertyChange(set=given)
    await caller.profiles.IdentifyGroup(
        profiles_pb2.IdentifyGroupRequest(group_type="company", group_key=company, change=change)
    )


async def variant(caller, company):
    """What "beta" gives a company now."""
    context = flags.EvaluationContext(groups={"company": company})
    request = flags.EvaluateRequest(flag_key="beta", context=context)
    return (await caller.flags.Evaluate(request)).resolution.variant


async def versions(caller):
    """The versions of "beta", newest first."""
    return (await caller.flag_admin.ListFlagVersions(pb.ListFlagVersionsRequest(flag_key="beta"))).versions


async def actions(caller, count):
    """The newest entries of the audit log: what was done, and what is told of it."""
    request = admin_pb2.ListAuditEntriesRequest(page_size=count)
    return [(entry.action, entry.detail) for entry in (await caller.admin.ListAuditEntries(request)).entries]


class TestVersions:
    async def test_a_version_says_what_it_changed_also_at_the_end_of_a_page(self, admin):
        """Beside who, when and why; the audit log says it, too."""
        flag = await create(admin, by_company(10_000))
        for rollout in (20_000, 30_000):
            flag.rules[0].distribution.rollout = rollout
            await update(admin, flag, "more")

        first = await admin.flag_admin.ListFlagVersions(pb.ListFlagVersionsRequest(flag_key="beta", page_size=2))
        told = [[(each.path, each.before, each.after) for each in version.changes] for version in first.versions]

        path = "rules[rule-1].distribution.rollout"
        assert told == [[(path, "20%", "30%")], [(path, "10%", "20%")]]
        assert not (await versions(admin))[-1].changes
        assert await actions(admin, 1) == [("flag.update", f"more ({path}: 20% → 30%)")]

    async def test_a_flag_can_be_made_again_what_it_was(self, admin):
        """As a new version, in force at the next check, and out of the archive if need be."""
        flag = await create(admin, by_company(100_000))
        flag.rules[0].distribution.rollout = 0
        await update(admin, flag)
        await admin.flag_admin.ArchiveFlag(pb.ArchiveFlagRequest(flag_key="beta"))
        assert await variant(admin, "acme") == "off"

        restored = (
            await admin.flag_admin.RestoreFlagVersion(pb.RestoreFlagVersionRequest(flag_key="beta", version=1))
        ).flag

        assert (restored.version, restored.archived, restored.rules) == (
            4,
            False,
            (await versions(admin))[-1].flag.rules,
        )
        assert await variant(admin, "acme") == "on"
        assert (await versions(admin))[0].change_note == "version 1 restored"
        again = await admin.flag_admin.RestoreFlagVersion(pb.RestoreFlagVersionRequest(flag_key="beta", version=1))
        assert again.flag.version == 4

    async def test_a_version_that_cannot_be_evaluated_any_more_is_not_restored(self, admin):
        """It needs a variant that the other flag has lost since."""
        other = await create(admin, flags.Flag(key="other"))
        needs = await create(admin, by_company(0, prerequisites=[{"flag_key": "other", "variants": ["on"]}]))
        needs.ClearField("prerequisites")
        await update(admin, needs)
        other.variants[0].key = "yes"
        await update(admin, other)

        with refused(StatusCode.INVALID_ARGUMENT, "flag.prerequisites[0].variants[0]"):
            await admin.flag_admin.RestoreFlagVersion(pb.RestoreFlagVersionRequest(flag_key="beta", version=1))

    async def test_versions_that_are_not_there_are_named(self, admin):
        """NOT_FOUND, and INVALID_ARGUMENT for what is no version."""
        await create(admin, by_company(0))
        for key, version in (("beta", 2), ("gone", 1)):
            with refused(StatusCode.NOT_FOUND) as refusal:
                await admin.flag_admin.RestoreFlagVersion(pb.RestoreFlagVersionRequest(flag_key=key, version=version))
            assert repr(key) in refusal.message
        with refused(StatusCode.INVALID_ARGUMENT, "version"):
            await admin.flag_admin.RestoreFlagVersion(pb.RestoreFlagVersionRequest(flag_key="beta"))


class TestKillSwitch:
    async def test_one_call_gives_everybody_off_and_one_call_undoes_it(self, admin):
        """Twice changes nothing; who and why are kept."""
        await create(admin, by_company(100_000))

        for _ in range(2):
            killed = await admin.flag_admin.DisableFlag(pb.DisableFlagRequest(flag_key="beta", change_note="outage"))
            assert (killed.flag.version, killed.flag.enabled, await variant(admin, "acme")) == (2, False, "off")
        revived = await admin.flag_admin.EnableFlag(pb.EnableFlagRequest(flag_key="beta"))

        assert (revived.flag.version, await variant(admin, "acme")) == (3, "on")
        assert await actions(admin, 2) == [
            ("flag.enable", "enabled: false → true"),
            ("flag.disable", "outage (enabled: true → false)"),
        ]

    async def test_it_wins_whoever_else_is_changing_the_flag(self, admin):
        """Many changes at once, one of them the kill: it is never refused, and stays in force."""
        flag = await create(admin, by_company(100_000))

        async def annoy(number):
            flag.description = str(number)
            with contextlib.suppress(Exception):  # ABORTED is what they may get
                await admin.flag_admin.UpdateFlag(pb.UpdateFlagRequest(flag=flag, expected_version=1))

        for _ in range(5):
            await admin.flag_admin.EnableFlag(pb.EnableFlagRequest(flag_key="beta"))
            outcomes = await asyncio.gather(
                *(annoy(number) for number in range(5)),
                *(admin.flag_admin.DisableFlag(pb.DisableFlagRequest(flag_key="beta")) for _ in range(5)),
                *(admin.flag_admin.ArchiveFlag(pb.ArchiveFlagRequest(flag_key="beta")) for _ in range(2)),
            )
            assert all(not outcome.flag.enabled for outcome in outcomes[5:10])
        assert await variant(admin, "acme") == "off"

    async def test_a_flag_that_is_not_there_is_named(self, admin):
        """NOT_FOUND; an empty key is INVALID_ARGUMENT."""
        with refused(StatusCode.NOT_FOUND):
            await admin.flag_admin.DisableFlag(pb.DisableFlagRequest(flag_key="gone"))
        with refused(StatusCode.INVALID_ARGUMENT, "flag_key"):
            await admin.flag_admin.EnableFlag(pb.EnableFlagRequest())


@pytest.fixture
async def staging(server, admin):
    """An admin of the same project's staging environment."""
    await admin.admin.CreateEnvironment(admin_pb2.CreateEnvironmentRequest(key="staging"))
    request = admin_pb2.CreateApiKeyRequest(environment_key="staging", name="stage", role=admin_pb2.KEY_ROLE_ADMIN)
    staging = caller(server.target, (await admin.admin.CreateApiKey(request)).secret)
    yield staging
    await staging.channel.close()


async def copy(caller, *keys, **fields):
    """Copy flags from staging: created, updated, skipped."""
    request = pb.CopyFlagsRequest(from_environment="staging", flag_keys=keys, **fields)
    response = await caller.flag_admin.CopyFlags(request)
    return list(response.created), list(response.updated), list(response.skipped)


class TestCopy:
    async def test_flags_come_with_all_that_they_are_and_those_that_others_need_come_first(self, admin, staging):
        """The copy is version 1 here, and works."""
        await create(staging, flags.Flag(key="z", enabled=True, fallthrough={}))
        await create(staging, by_company(100_000, prerequisites=[{"flag_key": "z", "variants": ["on"]}]))

        assert await copy(admin) == (["z", "beta"], [], [])
        assert await variant(admin, "acme") == "on"
        assert [(each.flag.version, each.change_note) for each in await versions(admin)] == [(1, "copied from staging")]

    async def test_what_is_here_is_kept_unless_it_shall_be_overwritten(self, admin, staging):
        """Then it is a new version, which says what changed; what is the same already is skipped."""
        await create(staging, by_company(50_000))
        await create(staging, flags.Flag(key="same"))
        await create(admin, by_company(10_000))
        await create(admin, flags.Flag(key="same"))

        assert await copy(admin) == ([], [], ["beta", "same"])
        assert await copy(admin, overwrite=True, change_note="ship") == ([], ["beta"], ["same"])
        newest = (await versions(admin))[0]
        assert (newest.flag.version, newest.change_note, newest.changes[0].after) == (2, "ship", "50%")

    async def test_nothing_is_copied_if_anything_would_be_wrong(self, admin, staging):
        """A prerequisite that is not here; a flag and an environment that are not there; the own environment."""
        await create(staging, flags.Flag(key="z"))
        await create(staging, by_company(0, prerequisites=[{"flag_key": "z", "variants": ["on"]}]))
        await create(staging, flags.Flag(key="a"))

        with refused(StatusCode.INVALID_ARGUMENT, "flags[beta].prerequisites[0].flag_key"):
            await copy(admin, "a", "beta")
        with refused(StatusCode.INVALID_ARGUMENT, "flag_keys[1]"):
            await copy(admin, "a", "gone")
        assert not (await admin.flag_admin.ListFlags(pb.ListFlagsRequest())).flags
        with refused(StatusCode.INVALID_ARGUMENT, "from_environment"):
            await copy(staging)
        with refused(StatusCode.NOT_FOUND):
            await admin.flag_admin.CopyFlags(pb.CopyFlagsRequest(from_environment="nowhere"))

    async def test_another_project_cannot_be_copied_from(self, admin, operator):
        """Environments are looked for in the key's own project: not even an operator reads across."""
        await operator.admin.CreateProject(admin_pb2.CreateProjectRequest(key=f"copy-{id(admin)}"))
        await operator.admin.CreateEnvironment(
            admin_pb2.CreateEnvironmentRequest(project_key=f"copy-{id(admin)}", key="only-there")
        )
        for who in (admin, operator):
            with refused(StatusCode.NOT_FOUND):
                await who.flag_admin.CopyFlags(pb.CopyFlagsRequest(from_environment="only-there"))


async def preview(caller, flag, **fields):
    """What a change would do: {group key: (before, after)}, parts, totals."""
    metadata = [("authorization", f"Bearer {caller.secret}")]
    changed, parts, totals = {}, [], []
    async for response in caller.flag_admin.PreviewFlag(pb.PreviewFlagRequest(flag=flag, **fields), metadata=metadata):
        for change in response.changes:
            for key in change.group_keys:
                assert key not in changed
                changed[key] = change.variant_before, change.variant_after
        parts += response.parts
        totals += [response.totals] if response.HasField("totals") else []
    assert len(totals) == 1
    return changed, parts, totals[0]


def by_variant(part):
    """Totals as {variant: (before, after)}."""
    return {each.variant: (each.before, each.after) for each in part.variants}


class TestPreview:
    async def test_it_says_exactly_which_companies_change_and_saves_nothing(self, admin, loaded):
        """Those identified and those only seen in events; what it says is what happens once the change is saved."""
        companies = [f"company-{number}" for number in range(120)]
        for number, company in enumerate(companies[:60]):
            await identify(admin, company, plan=("pro", "free")[number % 2])
        await admin.send(
            *(
                capture_pb2.Event(event="seen", distinct_id="ann", groups={"company": company}, properties_json="{}")
                for company in companies[40:]
            )
        )
        await loaded()
        flag = await create(admin, by_company(30_000))
        flag.rules[0].distribution.rollout = 60_000
        flag.rules[0].conditions.add(attribute="company.plan", operator="OPERATOR_NOT_EQUALS").values.add(
            string_value="free"
        )
        before = {company: await variant(admin, company) for company in companies}

        changed, parts, totals = await preview(admin, flag, breakdown_property="plan")

        assert {company: await variant(admin, company) for company in companies} == before
        await update(admin, flag)
        after = {company: await variant(admin, company) for company in companies}
        assert changed == {key: (before[key], after[key]) for key in companies if before[key] != after[key]}
        assert {("on", "off"), ("off", "on")} == set(changed.values())
        assert (totals.group_type, totals.groups, totals.changed) == ("company", 120, len(changed))
        count = lambda given: {name: list(given.values()).count(name) for name in ("on", "off")}  # noqa: E731
        assert by_variant(totals) == {name: (count(before)[name], count(after)[name]) for name in ("on", "off")}
        assert [(part.value.string_value, part.groups) for part in parts] == [("", 60), ("free", 30), ("pro", 30)]
        assert [part.HasField("value") for part in parts] == [False, True, True]
        assert by_variant(parts[1])["on"][1] == 0
        assert sum(part.changed for part in parts) == len(changed)

    async def test_a_new_flag_takes_everybody_from_no_flag(self, admin):
        """Before there is none: an empty variant."""
        await identify(admin, "acme")

        changed, _, totals = await preview(admin, by_company(100_000))

        assert changed == {"acme": ("", "on")}
        assert by_variant(totals) == {"on": (0, 1), "off": (0, 0), "": (1, 0)}

    async def test_prerequisites_and_the_switch_count(self, admin):
        """A flag that is switched on, of which only some meet the prerequisite."""
        for company, plan in (("acme", "pro"), ("globex", "free")):
            await identify(admin, company, plan=plan)
        await create(admin, by_company(100_000, "pro", key="other"))
        flag = by_company(100_000, prerequisites=[{"flag_key": "other", "variants": ["on"]}])
        flag.enabled = False
        flag = await create(admin, flag)
        flag.enabled = True

        assert (await preview(admin, flag))[0] == {"acme": ("off", "on")}

    async def test_whom_it_looks_at_follows_from_the_first_rule_unless_it_is_said(self, admin):
        """And what a group alone does not have is told."""
        await identify(admin, "acme")
        await admin.profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id="ann"))
        by_user = flags.Flag(key="x", enabled=True, rules=[{"distribution": {"rollout": 100_000}}])
        with_role = by_company(50_000)
        with_role.rules[0].conditions.add(attribute="user.role", operator="OPERATOR_IS_SET")

        for flag, asked, expected, unknown in (
            (by_user, "", "user", []),
            (by_user, "company", "company", []),
            (flags.Flag(key="x"), "", "company", []),
            (with_role, "", "company", ["user.role"]),
            (with_role, "user", "user", ["company"]),
        ):
            _, _, totals = await preview(admin, flag, group_type=asked)
            assert (totals.group_type, totals.groups, totals.unknown_attributes) == (expected, 1, unknown)

    async def test_values_of_a_breakdown_are_told_apart_as_json(self, admin):
        """1 and 1.0 are one; true, "1" and [1] are others."""
        for number, value in enumerate((1, 1.0, True, "1", [1], None)):
            await identify(admin, f"company-{number}", v=value)

        _, parts, _ = await preview(admin, by_company(100_000), breakdown_property="v")

        assert sorted(part.groups for part in parts) == [1, 1, 1, 1, 2]

    async def test_what_could_not_be_saved_cannot_be_previewed(self, admin):
        """INVALID_ARGUMENT with the path; an unknown type names those there are; no key is UNAUTHENTICATED."""
        with refused(StatusCode.INVALID_ARGUMENT, "flag.off_variant"):
            await preview(admin, by_company(0, off_variant="nope"))
        await identify(admin, "acme")
        with refused(StatusCode.INVALID_ARGUMENT, "group_type") as refusal:
            await preview(admin, by_company(0), group_type="team")
        assert "company" in refusal.fields["group_type"]
        with refused(StatusCode.UNAUTHENTICATED):
            async for _ in admin.flag_admin.PreviewFlag(pb.PreviewFlagRequest(flag=by_company(0))):
                pass

    async def test_more_groups_than_a_page_holds_are_each_looked_at_once(self, admin, loaded, monkeypatch):
        """The pages of the store and of the warehouse are put together without a gap and without an overlap."""
        monkeypatch.setattr("burgee_server.profiles.known.PAGE", 7)
        for number in range(0, 30, 2):
            await identify(admin, f"company-{number}")
        await admin.send(
            *(
                capture_pb2.Event(
                    event="seen", distinct_id="ann", groups={"company": f"company-{number}"}, properties_json="{}"
                )
                for number in range(0, 90, 3)
            )
        )
        await loaded()

        changed, _, totals = await preview(admin, by_company(100_000))

        expected = {f"company-{number}" for number in (*range(0, 30, 2), *range(0, 90, 3))}
        assert (changed.keys(), totals.groups) == (expected, len(expected))


async def at(caller, moment, company="acme", **context):
    """What "beta" gave a company at a moment."""
    request = pb.EvaluateAtRequest(flag_key="beta", context={"groups": {"company": company}, **context})
    request.as_of.FromDatetime(moment)
    return await caller.flag_admin.EvaluateAt(request)


class TestPast:
    async def test_flags_and_properties_are_those_of_then(self, admin):
        """Through every change of flag, prerequisite and property, each moment keeps its answer."""
        moments = []

        async def note():
            """Remember this moment, with what is given now; two moments are never the same microsecond."""
            moments.append((datetime.now(UTC), await variant(admin, "acme")))
            while datetime.now(UTC) <= moments[-1][0]:
                pass

        await note()
        other = await create(admin, by_company(100_000, key="other"))
        flag = await create(
            admin, by_company(100_000, "pro", prerequisites=[{"flag_key": "other", "variants": ["on"]}])
        )
        await note()
        await identify(admin, "acme", plan="pro")
        await note()
        other.enabled = False
        await update(admin, other)
        await note()
        other.enabled = True
        await update(admin, other)
        await note()
        await identify(admin, "acme", plan="free")
        await note()
        flag.rules[0].ClearField("conditions")
        await update(admin, flag)
        await note()
        await admin.flag_admin.ArchiveFlag(pb.ArchiveFlagRequest(flag_key="beta"))
        await note()

        assert [given for _, given in moments] == ["", "off", "on", "off", "on", "off", "on", "off"]
        answers = [(await at(admin, moment)).resolution for moment, _ in moments]
        assert [answer.variant for answer in answers] == [given for _, given in moments]
        assert [answer.flag_version for answer in answers] == [0, 1, 1, 1, 1, 1, 2, 3]
        assert answers[0].error_code == flags.ERROR_CODE_FLAG_NOT_FOUND

    async def test_the_answer_is_explained_and_passed_properties_come_first(self, admin):
        """As Explain does it."""
        await create(admin, by_company(100_000, "pro"))
        now = datetime.now(UTC)

        missing = await at(admin, now)
        passed = Struct()
        passed.update({"plan": "pro"})
        given = await at(admin, now, group_properties={"company": passed})

        assert not missing.explanation.rules[0].conditions[0].passed
        assert (given.resolution.variant, given.explanation.resolution) == ("on", given.resolution)

    async def test_a_ramp_is_asked_at_its_moment(self, admin):
        """What a rollout by time gave, by the clock of then."""
        flag = by_company(100_000)
        flag.rules[0].distribution.ClearField("rollout")
        first = datetime.now(UTC)
        flag.rules[0].distribution.ramp.add(rollout=0).at.FromDatetime(first - timedelta(days=1))
        flag.rules[0].distribution.ramp.add(rollout=100_000).at.FromDatetime(first + timedelta(milliseconds=200))
        await create(admin, flag)
        created = datetime.now(UTC)
        while datetime.now(UTC) <= first + timedelta(milliseconds=200):
            await variant(admin, "acme")

        then = "off" if created < first + timedelta(milliseconds=200) else "on"
        assert (await at(admin, created)).resolution.variant == then
        assert (await at(admin, datetime.now(UTC))).resolution.variant == "on"

    async def test_the_future_and_no_moment_at_all_are_refused(self, admin):
        """INVALID_ARGUMENT, also for a moment that no calendar has."""
        with refused(StatusCode.INVALID_ARGUMENT, "as_of"):
            await at(admin, datetime.now(UTC) + timedelta(hours=1))
        for seconds in (0, 10**15):
            request = pb.EvaluateAtRequest(flag_key="beta")
            request.as_of.seconds = seconds
            with refused(StatusCode.INVALID_ARGUMENT, "as_of"):
                await admin.flag_admin.EvaluateAt(request)
