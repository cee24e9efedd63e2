"""`burgee keys`: API keys, which open one environment each."""

from collections.abc import Callable
from typing import Any

import click

import burgee
from burgee.v1 import admin_pb2 as pb
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, print_json, print_table, utc
from burgee_server.cli.projects import project_option

_ROLES = tuple(name.removeprefix("KEY_ROLE_").lower() for name in pb.KeyRole.keys()[1:])


@click.group()
def keys() -> None:
    """Make, see and end API keys: each opens one environment, with one role."""


def _limit_options(default: int | None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """How much a key may do; `default` is what an option that is not given says."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for name, what in (
            ("--queries-at-a-time", "How many questions about usage it may have under way; 0: as the settings say."),
            ("--events-per-second", "How many events it may send; 0: as the settings say."),
        ):
            command = click.option(name, type=click.IntRange(min=0), default=default, help=what)(command)
        return command

    return add


@keys.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(_ROLES), help="What it may do.")
@click.option("--environment", default="", metavar="KEY", help="What it opens; else the same as your own key.")
@click.option("--group", "group_key", default="", metavar="KEY", help="With portal: the one group that it asks of.")
@click.option("--group-type", default="company", show_default=True, help="Of which type that is.")
@project_option
@_limit_options(0)
@as_json
@with_client
def create(
    client: burgee.Client,
    name: str,
    role: str,
    environment: str,
    group_key: str,
    group_type: str,
    project: str,
    events_per_second: int,
    queries_at_a_time: int,
    as_json: bool,
) -> None:
    """Make a key: `burgee keys create checkout --role service`. Prints its secret, which is not shown again."""
    request = pb.CreateApiKeyRequest(
        project_key=project,
        environment_key=environment,
        name=name,
        role=pb.KeyRole.Value(f"KEY_ROLE_{role.upper()}"),
        events_per_second=events_per_second,
        queries_at_a_time=queries_at_a_time,
        group_type=group_type if group_key else "",
        group_key=group_key,
    )
    created = client.stub(AdminServiceStub).CreateApiKey(request)
    key = created.api_key
    if as_json:
        print_json({**_document(key), "secret": created.secret})
        return
    opens = f"{key.project_key}/{key.environment_key}"
    click.echo(f"{key.api_key_id}: {key.name!r}, {_may(key)}, opens {opens}; its secret is shown this once:", err=True)
    click.echo(created.secret)


@keys.command("list")
@project_option
@as_json
@with_client
def list_(client: burgee.Client, project: str, as_json: bool) -> None:
    """The keys of the project, oldest first, without their secrets."""
    found = client.stub(AdminServiceStub).ListApiKeys(pb.ListApiKeysRequest(project_key=project)).api_keys
    if as_json:
        print_json([_document(key) for key in found])
        return
    rows = [
        [
            key.api_key_id,
            key.name,
            _may(key),
            key.environment_key,
            _limits(key),
            f"{key.revoked_at.ToDatetime():%Y-%m-%d}" if key.HasField("revoked_at") else None,
        ]
        for key in found
    ]
    print_table(["key", "name", "role", "opens", "limits", "ended"], rows)


@keys.command("set")
@click.argument("api_key_id")
@_limit_options(None)
@with_client
def set_(client: burgee.Client, api_key_id: str, events_per_second: int | None, queries_at_a_time: int | None) -> None:
    """Change how much a key may do, at once. Its role, environment and group never change."""
    if events_per_second is None and queries_at_a_time is None:
        raise click.UsageError("name what shall change: --events-per-second, --queries-at-a-time")
    request = pb.UpdateApiKeyRequest(
        api_key_id=api_key_id, events_per_second=events_per_second, queries_at_a_time=queries_at_a_time
    )
    key = client.stub(AdminServiceStub).UpdateApiKey(request).api_key
    click.echo(f"{key.api_key_id}: {key.name!r}; limits: {_limits(key) or 'as the settings say'}")


@keys.command()
@click.argument("api_key_id")
@click.option("--yes", "yes", is_flag=True, help="Do not ask whether you are sure.")
@with_client
def revoke(client: burgee.Client, api_key_id: str, yes: bool) -> None:
    """End a key: the next call with it is refused."""
    if not yes:
        click.confirm(f"End {api_key_id}? Whoever uses it is refused from now on.", abort=True, err=True)
    key = client.stub(AdminServiceStub).RevokeApiKey(pb.RevokeApiKeyRequest(api_key_id=api_key_id)).api_key
    click.echo(f"{key.api_key_id}: {key.name!r} ended at {utc(key.revoked_at)} UTC")


def _limits(key: pb.ApiKey) -> str | None:
    """Those that are the key's own; for the others, and for None, the settings count."""
    events = f"{key.events_per_second:,} events/s" if key.events_per_second else ""
    questions = f"{key.queries_at_a_time:,} questions" if key.queries_at_a_time else ""
    return ", ".join(filter(None, (events, questions))) or None


def _role(key: pb.ApiKey) -> str:
    return pb.KeyRole.Name(key.role).removeprefix("KEY_ROLE_").lower()


def _may(key: pb.ApiKey) -> str:
    """Its role, and of which group, for people."""
    return f"{_role(key)} of {key.group_type} {key.group_key}" if key.group_key else _role(key)


def _document(key: pb.ApiKey) -> dict[str, Any]:
    return {
        "api_key_id": key.api_key_id,
        "name": key.name,
        "role": _role(key),
        "project_key": key.project_key,
        "environment_key": key.environment_key,
        "created_at": key.created_at.ToJsonString(),
        "revoked_at": key.revoked_at.ToJsonString() if key.HasField("revoked_at") else None,
        "events_per_second": key.events_per_second or None,
        "queries_at_a_time": key.queries_at_a_time or None,
        "group_type": key.group_type or None,
        "group_key": key.group_key or None,
    }
