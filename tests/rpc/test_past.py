"""EvaluateAt over real gRPC: every moment keeps its answer."""

from datetime import UTC, datetime, timedelta

from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from burgee.v1 import cohorts_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flags_pb2 as flags
from tests.rpc.cohort_calls import change_members, create_cohort, for_members
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import by_company, create, identify, update, variant


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

    async def test_cohorts_are_those_of_then(self, admin):
        """Who was in it, whether somebody left since or the cohort itself is gone; one made anew is another."""
        moments = []

        async def note():
            """Remember this moment, with what is given now; two moments are never the same microsecond."""
            moments.append((datetime.now(UTC), await variant(admin, "acme")))
            while datetime.now(UTC) <= moments[-1][0] + timedelta(microseconds=10):
                pass

        await create_cohort(admin)
        flag = await create(admin, for_members("beta"))
        await note()
        await change_members(admin, add=["acme"])
        await note()
        await change_members(admin, add=["globex"], remove=["acme"])
        await note()
        await change_members(admin, add=["acme"])
        await note()
        flag.rules[0].ClearField("conditions")
        flag.enabled = False
        await update(admin, flag)
        await admin.cohorts.DeleteCohort(cohorts_pb2.DeleteCohortRequest(cohort_key="beta"))
        await note()
        await create_cohort(admin)
        await update(admin, for_members("beta"))
        await note()

        assert [given for _, given in moments] == ["off", "on", "off", "on", "off", "off"]
        answers = [await at(admin, moment) for moment, _ in moments]
        assert [answer.resolution.variant for answer in answers] == [given for _, given in moments]
        assert answers[1].explanation.rules[0].conditions[0].note == "in beta"
        moment = moments[2][0]
        assert [(await at(admin, moment, key)).resolution.variant for key in ("globex", "initech")] == ["on", "off"]

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
