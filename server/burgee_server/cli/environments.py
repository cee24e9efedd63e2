"""`burgee environments`: the environments of the project, how long each keeps events, and who its own people are."""

import click

import burgee
from burgee.v1 import admin_pb2 as pb
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, print_json, print_table
from burgee_server.cli.projects import project_option


def _days(text: str) -> int:
    """A number of days, or "forever", which is 0."""
    if text == "forever":
        return 0
    if not (text.isascii() and text.isdigit() and int(text)):
        raise click.BadParameter(f"{text!r} is neither a number of days nor forever")
    return int(text)


@click.group()
def environments() -> None:
    """See and create environments; how long each keeps events, and whom its questions leave out."""


@environments.command()
@click.argument("key")
@project_option
@with_client
def create(client: burgee.Client, key: str, project: str) -> None:
    """Create the environment KEY. Nothing is copied into it; `burgee flags copy` brings flags."""
    request = pb.CreateEnvironmentRequest(project_key=project, key=key)
    made = client.stub(AdminServiceStub).CreateEnvironment(request).environment
    of_project = f" --project {project}" if project else ""
    command = f"burgee keys create NAME --role service{of_project} --environment {made.key}"
    click.echo(f"{made.key} is there; its first key: {command}")


@environments.command("list")
@project_option
@as_json
@with_client
def list_(client: burgee.Client, project: str, as_json: bool) -> None:
    """The environments, by key."""
    request = pb.ListEnvironmentsRequest(project_key=project)
    found = client.stub(AdminServiceStub).ListEnvironments(request).environments
    if as_json:
        print_json(
            [
                {
                    "key": each.key,
                    "retention_days": each.retention_days or None,
                    "internal_cohort_key": each.internal_cohort_key or None,
                }
                for each in found
            ]
        )
    else:
        rows = [[each.key, _kept(each), each.internal_cohort_key or None] for each in found]
        print_table(["environment", "keeps events for", "leaves out"], rows)


@environments.command("set-retention")
@click.argument("key")
@click.argument("days", type=_days, metavar="DAYS")
@project_option
@click.option("--yes", "yes", is_flag=True, help="Do not ask whether you are sure.")
@with_client
def set_retention(client: burgee.Client, key: str, days: int, project: str, yes: bool) -> None:
    """Keep the events of the environment KEY for DAYS days, or `forever`. Older ones are removed for good."""
    if days and not yes:
        of_project = f" of project {project!r}" if project else ""
        question = f"Remove events of {key!r}{of_project} that are older than {days:,} days, now and from now on?"
        click.confirm(f"{question} This cannot be undone.", abort=True, err=True)
    request = pb.UpdateEnvironmentRequest(project_key=project, key=key, retention_days=days)
    changed = client.stub(AdminServiceStub).UpdateEnvironment(request).environment
    click.echo(f"{changed.key}: keeps events for {_kept(changed)}")


@environments.command("internal")
@click.argument("key")
@click.argument("cohort_key", default="")
@project_option
@with_client
def internal(client: burgee.Client, key: str, cohort_key: str, project: str) -> None:
    """Leave your own people, who are in COHORT_KEY, out of questions about the environment KEY; without it, nobody."""
    request = pb.UpdateEnvironmentRequest(project_key=project, key=key, internal_cohort_key=cohort_key)
    changed = client.stub(AdminServiceStub).UpdateEnvironment(request).environment
    click.echo(f"{changed.key}: questions leave out {changed.internal_cohort_key or 'nobody'}")


def _kept(environment: pb.Environment) -> str:
    days = environment.retention_days
    return f"{days:,} day{'s' * (days != 1)}" if days else "good"
