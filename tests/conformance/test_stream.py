"""A client that evaluates in memory answers as the server does, on a real server, over a sample of the cases."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import burgee
from burgee import wire
from burgee.evaluation import USER, Condition, Distribution, Flag, Json, Resolution
from burgee.evaluation.operators import COHORTS
from burgee.v1 import cohorts_pb2, flag_admin_pb2, flags_pb2, profiles_pb2
from burgee.v1.cohorts_pb2_grpc import CohortServiceStub
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.conformance.cases import Case, Cohort, read_cases
from tests.fixtures.server import Caller, RunningServer

SAMPLE = [case for case in read_cases() if len(case.flag_key) < 100][::9]  # a key gets longer, see apart


def apart(number: int, case: Case) -> Case:
    """The case with keys of its own, so that all of them fit into one environment; draws stay as they are."""

    def key(name: str) -> str:
        return f"{number}-{name}"

    def attribute(name: str) -> str:
        owner, dot, rest = name.partition(".")
        return name if owner == USER else f"{owner}-{number}{dot}{rest}"

    def distribution(each: Distribution) -> Distribution:
        return replace(each, bucket_by=attribute(each.bucket_by))

    def condition(each: Condition) -> Condition:
        values = tuple(map(key, map(str, each.values))) if each.operator in COHORTS else each.values
        return replace(each, attribute=attribute(each.attribute), values=values)

    def flag(each: Flag) -> Flag:
        rules = tuple(
            replace(
                rule,
                distribution=distribution(rule.distribution),
                conditions=tuple(map(condition, rule.conditions)),
            )
            for rule in each.rules
        )
        return replace(
            each,
            key=key(each.key),
            salt=each.salt or each.key,
            rules=rules,
            fallthrough=each.fallthrough and distribution(each.fallthrough),
            prerequisites=tuple(replace(needed, flag_key=key(needed.flag_key)) for needed in each.prerequisites),
        )

    def types(by_type: Mapping[str, Any]) -> dict[str, Any]:
        return {attribute(name): each for name, each in by_type.items()}

    return replace(
        case,
        flags=tuple(map(flag, case.flags)),
        flag_key=key(case.flag_key),
        context=replace(
            case.context,
            distinct_id=case.context.distinct_id and key(case.context.distinct_id),
            groups=types(case.context.groups),
            group_properties=types(case.context.group_properties),
        ),
        profiles={
            (attribute(owner), key(name) if owner == USER else name): each
            for (owner, name), each in case.profiles.items()
        },
        cohorts={
            key(name): Cohort(
                attribute(each.group_type),
                tuple(key(member) if each.group_type == USER else member for member in each.members),
            )
            for name, each in case.cohorts.items()
        },
    )


def put(client: burgee.Client, case: Case) -> None:
    """Make a server have the flags, the profiles and the cohorts of a case; members come last, as changes."""
    admin, profiles = client.stub(FlagAdminServiceStub), client.stub(ProfileServiceStub)
    cohorts = client.stub(CohortServiceStub)
    for key, each in case.cohorts.items():
        cohort = cohorts_pb2.Cohort(key=key, group_type=each.group_type, listed={})
        cohorts.CreateCohort(cohorts_pb2.CreateCohortRequest(cohort=cohort))
    for flag in case.flags:
        admin.CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=wire.flag_to_proto(flag)))
        if flag.archived:
            admin.ArchiveFlag(flag_admin_pb2.ArchiveFlagRequest(flag_key=flag.key))
    for (owner, key), properties in case.profiles.items():
        change = profiles_pb2.PropertyChange(set=wire.properties_to_struct(properties))
        if owner == USER:
            profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=key, change=change))
        else:
            profiles.IdentifyGroup(profiles_pb2.IdentifyGroupRequest(group_type=owner, group_key=key, change=change))
    for key, each in case.cohorts.items():
        cohorts.ChangeCohortMembers(cohorts_pb2.ChangeCohortMembersRequest(cohort_key=key, add=each.members))


def answers(client: burgee.Client, cases: list[Case]) -> list[Resolution]:
    """What a client gives for each."""
    found = []
    for case in cases:
        context = case.context
        properties: dict[str, Json] = dict(context.properties)
        given = {"groups": context.groups, "properties": properties, "group_properties": context.group_properties}
        found.append(client.resolve(case.flag_key, context.distinct_id, **given))  # type: ignore[arg-type]
    return found


async def test_the_client_in_memory_answers_as_the_server_does(server: RunningServer, admin: Caller) -> None:
    """Whether flags and profiles were there before the stream or came through it."""
    cases = [apart(number, case) for number, case in enumerate(SAMPLE)]
    half = len(cases) // 2

    def run() -> None:
        with (
            burgee.Client(server.target, admin.secret, flag_timeout=20) as local,
            burgee.Client(server.target, admin.secret, flag_timeout=20, local_evaluation=False) as remote,
        ):
            for case in cases[:half]:
                put(remote, case)
            local.resolve("begin")
            for case in cases[half:]:
                put(remote, case)
            end = flags_pb2.Flag(key="end")  # changes come in their order, and this is the last
            remote.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=end))
            while local.resolve("end").reason is burgee.Reason.ERROR:
                pass
            assert answers(local, cases) == answers(remote, cases)

    async with asyncio.timeout(60):
        await asyncio.to_thread(run)
