"""The life of a flag over real gRPC: what changed, going back, the kill switch, copies."""

import asyncio
import contextlib

import pytest
from grpc import StatusCode

from burgee.v1 import admin_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flags_pb2 as flags
from tests.fixtures.server import caller
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import actions, by_company, create, update, variant, versions


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
