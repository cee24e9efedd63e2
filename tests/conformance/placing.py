"""Puts many cases into one environment of a server, apart from one another."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import burgee
from burgee import wire
from burgee.evaluation import USER, Condition, Distribution, Flag, Properties
from burgee.evaluation.operators import COHORTS
from burgee.v1 import cohorts_pb2, flag_admin_pb2, profiles_pb2
from burgee.v1.cohorts_pb2_grpc import CohortServiceStub
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from tests.conformance.cases import Case, Cohort

LONG = 190
"""A key of so many characters could not be longer, and is the only one of its kind."""


def apart(number: int, case: Case) -> Case:
    """The case with flags and group types of its own. Draws stay as they are, and so do persons: see `persons`."""

    def key(name: str) -> str:
        return f"{number}-{name}" if len(name) < LONG else name

    def attribute(name: str) -> str:
        owner, dot, rest = name.partition(".")
        return name if owner == USER else f"{owner}-{number}{dot}{property_of(owner, rest)}"

    def property_of(owner: str, name: str) -> str:
        return f"{name}-{number}" if case.parent_types.get(owner) == name else name

    def properties(owner: str, each: Properties) -> Properties:
        return {property_of(owner, name): value for name, value in each.items()}

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
            groups=types(case.context.groups),
            group_properties={
                attribute(owner): properties(owner, each) for owner, each in case.context.group_properties.items()
            },
        ),
        expected=replace(case.expected, parent_groups=types(case.expected.parent_groups)),
        profiles={(attribute(owner), name): properties(owner, each) for (owner, name), each in case.profiles.items()},
        parent_types={attribute(child): attribute(parent) for child, parent in case.parent_types.items()},
        cohorts={key(name): Cohort(attribute(each.group_type), each.members) for name, each in case.cohorts.items()},
    )


def put(client: burgee.Client, case: Case) -> None:
    """Make a server have what a case has: flags, groups, cohorts. Their members, and parent types, come as changes."""
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
        if owner != USER:
            request = profiles_pb2.IdentifyGroupRequest(group_type=owner, group_key=key, change=_all_of(properties))
            profiles.IdentifyGroup(request)
    for key, each in case.cohorts.items():
        if each.members:
            cohorts.ChangeCohortMembers(cohorts_pb2.ChangeCohortMembersRequest(cohort_key=key, add=each.members))
    for child, parent in case.parent_types.items():
        profiles.UpdateGroupType(profiles_pb2.UpdateGroupTypeRequest(name=child, parent_type=parent))


@contextmanager
def persons(client: burgee.Client, case: Case) -> Iterator[None]:
    """Inside, a server has the persons of a case: other cases have the same persons with other properties."""
    profiles = client.stub(ProfileServiceStub)
    found = {key: properties for (owner, key), properties in case.profiles.items() if owner == USER and key}
    for key, properties in found.items():
        profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=key, change=_all_of(properties)))
    yield
    for key, properties in found.items():
        change = profiles_pb2.PropertyChange(unset=properties)
        profiles.IdentifyPerson(profiles_pb2.IdentifyPersonRequest(distinct_id=key, change=change))


def _all_of(properties: Properties) -> profiles_pb2.PropertyChange:
    return profiles_pb2.PropertyChange(set=wire.properties_to_struct(properties))
