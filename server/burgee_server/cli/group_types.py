"""Group types that nobody has used yet: a flag or a cohort of one is nobody's, which is seldom what was meant."""

from collections.abc import Iterable

import click
import grpc

import burgee
from burgee.evaluation import Flag
from burgee.evaluation.model import USER
from burgee.v1 import profiles_pb2 as pb
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub


def types_of(flag: Flag) -> set[str]:
    """The group types that a flag draws by or asks for, and the user."""
    distributions = [*(rule.distribution for rule in flag.rules), *([flag.fallthrough] if flag.fallthrough else [])]
    drawn = {distribution.bucket_by for distribution in distributions}
    asked = {condition.attribute for rule in flag.rules for condition in rule.conditions}
    return {name.partition(".")[0] for name in drawn | asked}


def tell_unused(client: burgee.Client, types: Iterable[str]) -> None:
    """Say on standard error which of these types no event and no profile has named, where others are there.

    Nothing if the server cannot be asked now: what was saved before is saved.
    """
    named = set(types) - {USER}
    if not named:
        return
    profiles: ProfileServiceStub = client.stub(ProfileServiceStub)
    try:
        used = [known.name for known in profiles.ListGroupTypes(pb.ListGroupTypesRequest()).group_types]
    except grpc.RpcError:
        return
    for name in sorted(named.difference(used)) if used else ():
        click.echo(f"no group of type {name!r} is known here; there is {', '.join(used)}", err=True)
