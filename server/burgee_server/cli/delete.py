"""`burgee delete`: persons and groups, with their events, for good."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import click

import burgee
from burgee.v1 import profiles_pb2 as pb
from burgee.v1.profiles_pb2_grpc import ProfileServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, print_json, print_table, utc
from burgee_server.cli.pages import pages

POLL_SECONDS = 0.2

_wait = click.option("--wait", "wait", is_flag=True, help="Return when it is done, and not when it is certain.")
_yes = click.option("--yes", "yes", is_flag=True, help="Do not ask whether you are sure.")


@click.group()
def delete() -> None:
    """Remove persons and groups, with every event of theirs, for good."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (with_client, as_json, _yes, _wait):
        command = option(command)
    return command


@delete.command()
@click.argument("distinct_id")
@_options
def person(client: burgee.Client, distinct_id: str, wait: bool, yes: bool, as_json: bool) -> None:
    """Remove the person DISTINCT_ID: profile, history, and every event up to now."""
    _be_sure(yes, f"Remove the person {distinct_id!r} and all their events?")
    request = pb.DeletePersonRequest(distinct_id=distinct_id)
    _tell(client, client.stub(ProfileServiceStub).DeletePerson(request).erasure, wait, as_json)


@delete.command()
@click.argument("key")
@click.option("--type", "group_type", default="company", show_default=True, help="The group type.")
@_options
def group(client: burgee.Client, key: str, group_type: str, wait: bool, yes: bool, as_json: bool) -> None:
    """Remove the group KEY: profile, history, and every event that names it, whoever did it."""
    _be_sure(yes, f"Remove the {group_type} {key!r} and all events that name it?")
    request = pb.DeleteGroupRequest(group_type=group_type, group_key=key)
    _tell(client, client.stub(ProfileServiceStub).DeleteGroup(request).erasure, wait, as_json)


@delete.command("list")
@as_json
@with_client
def list_(client: burgee.Client, as_json: bool) -> None:
    """What was removed or is being removed, newest first."""
    erasures = list(_erasures(client))
    if as_json:
        print_json([_document(erasure) for erasure in erasures])
        return
    rows = [
        [
            each.erasure_id,
            each.group_type,
            each.key or f"sha256 {each.key_sha256[:12]}…",
            _state(each),
            each.events if each.HasField("events") else None,
            utc(each.requested_at),
        ]
        for each in erasures
    ]
    print_table(["erasure", "type", "key", "state", "events", "asked for (UTC)"], rows)


def _be_sure(yes: bool, question: str) -> None:
    if not yes:
        click.confirm(f"{question} This cannot be undone.", abort=True, err=True)


def _tell(client: burgee.Client, erasure: pb.Erasure, wait: bool, as_json: bool) -> None:
    while wait and erasure.state != pb.ERASURE_STATE_DONE:
        time.sleep(POLL_SECONDS)
        request = pb.GetErasureRequest(erasure_id=erasure.erasure_id)
        erasure = client.stub(ProfileServiceStub).GetErasure(request).erasure
    if as_json:
        print_json(_document(erasure))
    elif erasure.state == pb.ERASURE_STATE_DONE:
        click.echo(f"{erasure.erasure_id}: done, {erasure.events:,} event{'s' * (erasure.events != 1)} removed")
    else:
        click.echo(f"{erasure.erasure_id}: {_state(erasure)}; `burgee delete list` says when it is done")


def _erasures(client: burgee.Client) -> Iterator[pb.Erasure]:
    request = pb.ListErasuresRequest(page_size=1000)
    for page in pages(client.stub(ProfileServiceStub).ListErasures, request):
        yield from page.erasures


def _document(erasure: pb.Erasure) -> dict[str, Any]:
    return {
        "erasure_id": erasure.erasure_id,
        "group_type": erasure.group_type,
        "key": erasure.key or None,
        "key_sha256": erasure.key_sha256,
        "state": _state(erasure),
        "events": erasure.events if erasure.HasField("events") else None,
        "requested_at": erasure.requested_at.ToJsonString(),
        "done_at": erasure.done_at.ToJsonString() if erasure.HasField("done_at") else None,
    }


def _state(erasure: pb.Erasure) -> str:
    return pb.ErasureState.Name(erasure.state).removeprefix("ERASURE_STATE_").lower()
