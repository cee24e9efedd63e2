"""What the tests of the life of a flag do over and over."""

from google.protobuf.struct_pb2 import Struct, Value

from burgee.v1 import admin_pb2, profiles_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flags_pb2 as flags


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
