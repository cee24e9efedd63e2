"""What the tests of cohorts do over and over."""

from google.protobuf.struct_pb2 import Value

from burgee.v1 import cohorts_pb2 as pb
from burgee.v1 import flags_pb2 as flags


async def create_cohort(caller, key="beta", group_type="company", description="", change_note=""):
    """Create a listed cohort."""
    cohort = pb.Cohort(key=key, group_type=group_type, description=description, listed={})
    return (await caller.cohorts.CreateCohort(pb.CreateCohortRequest(cohort=cohort, change_note=change_note))).cohort


async def change_members(caller, key="beta", *, add=(), remove=(), change_note=""):
    """Put members in and take others out."""
    request = pb.ChangeCohortMembersRequest(cohort_key=key, add=add, remove=remove, change_note=change_note)
    return await caller.cohorts.ChangeCohortMembers(request)


async def member_keys(caller, key="beta"):
    """All members."""
    found, request = [], pb.ListCohortMembersRequest(cohort_key=key, page_size=1_000)
    while True:
        page = await caller.cohorts.ListCohortMembers(request)
        found += [member.key for member in page.members]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def for_members(*cohort_keys, key="beta", attribute="company.key", operator="OPERATOR_IN_COHORT", **fields):
    """A flag that is on for the members of any of these cohorts."""
    values = [Value(string_value=cohort_key) for cohort_key in cohort_keys]
    rule = flags.Rule(conditions=[{"attribute": attribute, "operator": operator, "values": values}])
    return flags.Flag(**{"key": key, "enabled": True, "rules": [rule], **fields})
