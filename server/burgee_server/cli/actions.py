"""`burgee actions`: names for what people do, made of one or several kinds of events."""

from collections.abc import Iterator, Sequence

import click
from google.protobuf.json_format import MessageToDict

import burgee
from burgee import wire
from burgee.evaluation import AllOf, Filter
from burgee.v1 import actions_pb2 as pb
from burgee.v1.actions_pb2_grpc import ActionServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.filters import where_option
from burgee_server.cli.flag_edits import note_option
from burgee_server.cli.happenings import EVENT, filters_of, happening_text
from burgee_server.cli.output import as_json, print_json, print_table
from burgee_server.cli.pages import pages

_PAGE = 1_000


@click.group()
def actions() -> None:
    """See, create and change actions: names for what people do, made of one or several kinds of events."""


@actions.command("list")
@as_json
@with_client
def list_(client: burgee.Client, as_json: bool) -> None:
    """The actions, by key."""
    found = list(_all(client))
    if as_json:
        print_json([MessageToDict(action, preserving_proto_field_name=True) for action in found])
    else:
        rows = [[action.key, ", ".join(map(_told, action.matchers)), action.description] for action in found]
        print_table(["action", "is any of", "what for"], rows)


def _match_options(command: click.decorators.FC) -> click.decorators.FC:
    description = click.option("--description", help="What it stands for.")
    events = click.argument("events", type=EVENT, nargs=-1, metavar="[EVENT]...")
    return click.argument("action_key")(events(description(where_option(note_option(command)))))


@actions.command()
@_match_options
@with_client
def create(
    client: burgee.Client,
    action_key: str,
    events: Sequence[burgee.Happening],
    description: str | None,
    filters: Sequence[Filter],
    note: str,
) -> None:
    """Create an action that is any of these EVENTS: `burgee actions create activated report_created invited`.

    --where holds for each of them; without EVENTS, for any event.
    """
    action = pb.Action(key=action_key, description=description or "", matchers=_matchers(events, filters))
    _say(_stub(client).CreateAction(pb.CreateActionRequest(action=action, change_note=note)).action)


@actions.command()
@_match_options
@with_client
def add(
    client: burgee.Client,
    action_key: str,
    events: Sequence[burgee.Happening],
    description: str | None,
    filters: Sequence[Filter],
    note: str,
) -> None:
    """Make EVENTS a part of an action, or describe it anew: `burgee actions add activated imported`."""
    action = _stub(client).GetAction(pb.GetActionRequest(action_key=action_key)).action
    if events or filters:
        action.matchers.extend(_matchers(events, filters))
    if description is not None:
        action.description = description
    request = pb.UpdateActionRequest(action=action, expected_version=action.version, change_note=note)
    _say(_stub(client).UpdateAction(request).action)


@actions.command()
@click.argument("action_key")
@note_option
@with_client
def delete(client: burgee.Client, action_key: str, note: str) -> None:
    """Take an action away."""
    _stub(client).DeleteAction(pb.DeleteActionRequest(action_key=action_key, change_note=note))
    click.echo(f"{action_key} is gone")


def _stub(client: burgee.Client) -> ActionServiceStub:
    stub: ActionServiceStub = client.stub(ActionServiceStub)
    return stub


def _all(client: burgee.Client) -> Iterator[pb.Action]:
    request = pb.ListActionsRequest(page_size=_PAGE)
    for page in pages(_stub(client).ListActions, request):
        yield from page.actions


def _matchers(events: Sequence[burgee.Happening], filters: Sequence[Filter]) -> list[pb.EventMatcher]:
    """One for each event, with its own filter and those for all. Raises click.UsageError for an action."""
    return [_matcher(event, [*filters_of(event), *filters]) for event in events or [burgee.Happening()]]


def _matcher(event: burgee.Happening, filters: Sequence[Filter]) -> pb.EventMatcher:
    if event.action:
        raise click.UsageError(f"@{event.action}: an action is made of events; @@{event.action} is the event")
    return pb.EventMatcher(event=event.event, filter=wire.filter_to_proto(AllOf(tuple(filters))) if filters else None)


def _told(matcher: pb.EventMatcher) -> str:
    return happening_text(burgee.Happening(matcher.event, wire.filter_from_proto(matcher.filter, "filter")))


def _say(action: pb.Action) -> None:
    click.echo(f"{action.key} is any of: {', '.join(map(_told, action.matchers))}")
