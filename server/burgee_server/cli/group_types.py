"""The group types that there are: a flag or a cohort of another is nobody's, which is seldom what was meant."""

from collections.abc import Iterable

import click
import grpc

import burgee
from burgee.evaluation.model import USER
from burgee.v1 import profiles_pb2 as pb
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub


def parent_types(client: burgee.Client) -> dict[str, str]:
    """The group types, by name, each with the type that its groups belong to; empty for none."""
    found = client.stub(ProfileServiceStub).ListGroupTypes(pb.ListGroupTypesRequest()).group_types
    return {each.name: each.parent_type for each in found}


def tell_unused(client: burgee.Client, types: Iterable[str]) -> None:
    """Say on standard error which of these types no event and no profile has named, where others are there.

    Nothing if the server cannot be asked now: what was saved before is saved.
    """
    named = set(types) - {USER}
    if not named:
        return
    try:
        used = parent_types(client)
    except grpc.RpcError:
        return
    for name in sorted(named.difference(used)) if used else ():
        click.echo(f"no group of type {name!r} is known here; there is {', '.join(used)}", err=True)
