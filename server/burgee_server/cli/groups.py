"""`burgee groups`: companies, teams and whatever else there is, and which belongs to which."""

from collections.abc import Iterator, Sequence
from typing import Any

import click
from google.protobuf.json_format import MessageToDict

import burgee
from burgee.v1 import profiles_pb2 as pb
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.group_types import parent_types
from burgee_server.cli.output import as_json, at_most, print_json, print_table, utc
from burgee_server.cli.pages import pages

_PAGE = 1_000


@click.group()
def groups() -> None:
    """See groups, and say which belongs to which."""


@groups.command()
@as_json
@with_client
def types(client: burgee.Client, as_json: bool) -> None:
    """The group types, and what their groups belong to."""
    found = parent_types(client)
    if as_json:
        print_json([{"type": name, "belongs_to": parent_type or None} for name, parent_type in found.items()])
    else:
        print_table(["type", "belongs to"], [[name, parent_type or None] for name, parent_type in found.items()])


@groups.command("list")
@click.argument("group_type", metavar="TYPE")
@click.option("--of", "parent_key", default="", metavar="KEY", help="Only those that belong to this group.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many to show.")
@as_json
@with_client
def list_(client: burgee.Client, group_type: str, parent_key: str, limit: int, as_json: bool) -> None:
    """The groups of a TYPE, by key: `burgee groups list team --of acme`."""
    found, more = at_most(limit, _all(client, group_type, parent_key))
    if as_json:
        print_json([MessageToDict(group, preserving_proto_field_name=True) for group in found])
        return
    print_table([group_type, "belongs to", "first seen (UTC)", "last seen (UTC)"], [_row(group) for group in found])
    if more:
        click.echo(more, err=True)


@groups.command()
@click.argument("group_type", metavar="TYPE")
@click.argument("parent_type", metavar="[PARENT_TYPE]", default="")
@with_client
def belong(client: burgee.Client, group_type: str, parent_type: str) -> None:
    """Let the groups of a TYPE belong to those of PARENT_TYPE, or to none: `burgee groups belong team company`.

    Which company a team belongs to, its property `company` says.
    """
    request = pb.UpdateGroupTypeRequest(name=group_type, parent_type=parent_type)
    updated = client.stub(ProfileServiceStub).UpdateGroupType(request).group_type
    to = f"a {updated.parent_type}" if updated.parent_type else "nothing"
    click.echo(f"a {updated.name} belongs to {to}")


def _all(client: burgee.Client, group_type: str, parent_key: str) -> Iterator[pb.Group]:
    request = pb.ListGroupsRequest(group_type=group_type, parent_key=parent_key, page_size=_PAGE)
    for page in pages(client.stub(ProfileServiceStub).ListGroups, request):
        yield from page.groups


def _row(group: pb.Group) -> Sequence[Any]:
    times = (group.first_seen_at, group.last_seen_at) if group.HasField("last_seen_at") else (None, None)
    parent = f"{group.parent.group_type} {group.parent.group_key}" if group.HasField("parent") else None
    return [group.group_key, parent, *(None if time is None else utc(time) for time in times)]
