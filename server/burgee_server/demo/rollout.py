"""A flag that is rolled out by company: to a tenth, then to a third."""

import threading
from collections.abc import Set

import burgee
from burgee.v1.flag_admin_pb2 import CreateFlagRequest, UpdateFlagRequest
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2 import FLAG_TYPE_BOOLEAN, Distribution, Flag, Rule, VariantWeight
from burgee_server.demo.sending import DemoFailed
from burgee_server.demo.world import World

FLAG = "new-reports"
TENTH = 10_000
THIRD = 33_333
_LONGEST_WAIT_SECONDS = 30.0


def roll_out(client: burgee.Client, world: World) -> tuple[Set[str], Set[str]]:
    """Keys of the companies that see the flag when it is on for a tenth, and then for a third. Raises DemoFailed."""
    flag = _create_flag(client, TENTH)
    tenth = _companies_that_see_it(client, world, flag)
    third = _companies_that_see_it(client, world, _raise_rollout(client, flag, THIRD))
    return tenth, third


def _create_flag(client: burgee.Client, rollout: int) -> Flag:
    """The flag, on for so many companies in 100,000."""
    rule = Rule(
        description="a share of the companies",
        distribution=Distribution(
            bucket_by="company", rollout=rollout, weights=[VariantWeight(variant="on", weight=1)]
        ),
    )
    flag = Flag(key=FLAG, type=FLAG_TYPE_BOOLEAN, enabled=True, description="The new report editor", rules=[rule])
    request = CreateFlagRequest(flag=flag, change_note="try it with a few")
    return client.stub(FlagAdminServiceStub).CreateFlag(request).flag


def _raise_rollout(client: burgee.Client, flag: Flag, rollout: int) -> Flag:
    """The same flag, on for more companies."""
    changed = Flag()
    changed.CopyFrom(flag)
    changed.rules[0].distribution.rollout = rollout
    request = UpdateFlagRequest(flag=changed, expected_version=flag.version, change_note="no complaints: go on")
    return client.stub(FlagAdminServiceStub).UpdateFlag(request).flag


def _companies_that_see_it(client: burgee.Client, world: World, flag: Flag) -> Set[str]:
    """Keys of the companies for which the flag is on, asked one by one, as a service would."""
    _wait_for(client, flag)
    seeing = set()
    for company in world.companies:
        resolution = client.resolve(FLAG, company.people[0].distinct_id, company=company.key)
        if resolution.reason is burgee.Reason.ERROR:
            raise DemoFailed(f"the flag could not be checked: {resolution.error_message}")
        if resolution.value is True:
            seeing.add(company.key)
    return seeing


def _wait_for(client: burgee.Client, flag: Flag) -> None:
    """Wait until the client has this version in memory: a change takes some milliseconds to come."""
    changed = threading.Event()
    stop = client.on_flags(lambda _keys: changed.set())
    try:
        while client.resolve(FLAG).flag_version < flag.version:
            if not changed.wait(_LONGEST_WAIT_SECONDS):
                raise DemoFailed(f"version {flag.version} of the flag did not come")
            changed.clear()
    finally:
        stop()
