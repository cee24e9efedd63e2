"""`burgee projects`: tenants, which share nothing but the server."""

import click

import burgee
from burgee.v1 import admin_pb2 as pb
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, print_json, print_table, utc

project_option = click.option(
    "--project",
    default="",
    metavar="KEY",
    help="Of another project than your key's, which is then an OPERATOR's.",
)


@click.group()
def projects() -> None:
    """See and create projects, which share nothing but the server."""


@projects.command("list")
@as_json
@with_client
def list_(client: burgee.Client, as_json: bool) -> None:
    """The projects, by key: all of them for an OPERATOR, else that of the key."""
    found = client.stub(AdminServiceStub).ListProjects(pb.ListProjectsRequest()).projects
    if as_json:
        print_json(
            [{"key": each.key, "name": each.name, "created_at": each.created_at.ToJsonString()} for each in found]
        )
    else:
        print_table(["project", "name", "made (UTC)"], [[each.key, each.name, utc(each.created_at)] for each in found])


@projects.command()
@click.argument("project_key")
@click.option("--name", default="", help="What people call it; else its key.")
@with_client
def create(client: burgee.Client, project_key: str, name: str) -> None:
    """Create a project, with an environment `production` and without keys. Needs an OPERATOR key."""
    made = client.stub(AdminServiceStub).CreateProject(pb.CreateProjectRequest(key=project_key, name=name)).project
    click.echo(
        f"{made.key} is there; its first key: burgee keys create NAME --role admin --project {made.key}"
        " --environment production"
    )
