"""`burgee insights`: questions that are saved under a key, and asked by it."""

import io
import json
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import IO, Any

import click
from google.protobuf.json_format import MessageToDict, Parse, ParseError

import burgee
from burgee.v1 import saved_pb2 as pb
from burgee_server.cli.connection import with_client
from burgee_server.cli.flag_edits import note_option
from burgee_server.cli.messages import FORMS, Message, Webhook
from burgee_server.cli.output import as_csv, as_json, print_json, print_table, require_one_format
from burgee_server.cli.pages import pages
from burgee_server.cli.query.answers import answer_document, print_answer
from burgee_server.cli.query.chosen import Chosen, chosen_insights
from burgee_server.cli.query.options import print_rows
from burgee_server.cli.query.saving import get, stub, update

_PAGE = 1_000
_MESSAGE_COLUMNS = "80"


@click.group()
def insights() -> None:
    """Save questions under a key, find them, and ask them: of all, or as one company sees it."""


@insights.command("list")
@click.option("--tag", default="", help="Those with this tag.")
@as_json
@with_client
def list_(client: burgee.Client, tag: str, as_json: bool) -> None:
    """The saved insights, by key."""
    request = pb.ListInsightsRequest(tag=tag, page_size=_PAGE)
    found = [each for page in pages(stub(client).ListInsights, request) for each in page.insights]
    if as_json:
        print_json([_document(insight) for insight in found])
    else:
        rows = [
            [each.key, _kind(each), each.name, ", ".join(each.tags), each.shown_to or "–", each.description]
            for each in found
        ]
        print_table(["insight", "is a", "name", "tags", "shown to", "what it says"], rows)


@insights.command()
@click.argument("insight_key")
@with_client
def show(client: burgee.Client, insight_key: str) -> None:
    """One saved insight, with its question, as JSON: what `burgee insights create` reads."""
    print_json(_document(get(client, insight_key)))


@insights.command()
@click.argument("file", type=click.File())
@note_option
@with_client
def create(client: burgee.Client, file: IO[str], note: str) -> None:
    """Save an insight that stands in FILE as JSON, as `burgee insights show` prints it; `-` is standard input.

    What `burgee query trend …` asks is saved by its option --save.
    """
    try:
        insight = Parse(file.read(), pb.Insight())
    except (ParseError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    _say(stub(client).CreateInsight(pb.CreateInsightRequest(insight=insight, change_note=note)).insight)


@insights.command("set")
@click.argument("insight_key")
@click.option("--name", help="What people read above it.")
@click.option("--description", help="What it says, and to whom.")
@click.option("--tag", "tags", multiple=True, help="What it belongs to; given several times, to all of them.")
@click.option("--no-tags", is_flag=True, help="It belongs to nothing.")
@click.option("--shown-to", metavar="GROUP_TYPE", help="Whose groups a portal key may ask it for; '' for none.")
@note_option
@with_client
def set_(
    client: burgee.Client,
    insight_key: str,
    name: str | None,
    description: str | None,
    tags: Sequence[str],
    no_tags: bool,
    shown_to: str | None,
    note: str,
) -> None:
    """Change what is said of an insight; what is not given stays. Its question is changed by --save-over."""
    insight = get(client, insight_key)
    for field, value in (("name", name), ("description", description), ("shown_to", shown_to)):
        if value is not None:
            setattr(insight, field, value)
    if tags or no_tags:
        insight.ClearField("tags")
        insight.tags.extend(tags)
    _say(update(client, insight, note))


@insights.command()
@click.argument("insight_key")
@note_option
@with_client
def delete(client: burgee.Client, insight_key: str, note: str) -> None:
    """Take a saved insight away."""
    stub(client).DeleteInsight(pb.DeleteInsightRequest(insight_key=insight_key, change_note=note))
    click.echo(f"{insight_key} is gone")


@insights.command()
@chosen_insights
@as_json
@as_csv
@with_client
def ask(client: burgee.Client, /, chosen: Chosen, as_json: bool, as_csv: bool) -> None:
    """Ask saved insights by KEY, or all that have a tag: `burgee insights ask reports --group acme`."""
    require_one_format(as_json, as_csv)
    if as_csv and len(chosen.keys) != 1:
        raise click.UsageError("--csv: of one KEY, as tables of several kinds have other columns")
    answers = chosen.ask(client).answers
    if as_json:
        documents = [answer_document(each) for each in answers]
        print_json(documents[0] if len(chosen.keys) == 1 else documents)
    elif as_csv:
        print_rows(answers[0].answer)
    else:
        for number, each in enumerate(answers):
            click.echo("\n" * (number > 0), nl=False)
            print_answer(each)


@insights.command()
@chosen_insights
@click.option("--to", "form", type=click.Choice(list(FORMS)), required=True, help="Who takes the messages.")
@click.option(
    "--webhook-file",
    type=click.File(),
    help="Holds the address of the channel's webhook; else BURGEE_WEBHOOK does. It is a secret.",
)
@click.option("--print", "only_print", is_flag=True, help="Print what would be sent, a document a line.")
@with_client
def send(client: burgee.Client, /, chosen: Chosen, form: str, webhook_file: IO[str] | None, only_print: bool) -> None:
    """Ask saved insights as `burgee insights ask` does, and tell a channel of Slack or Teams what they say."""
    address = "" if only_print else _webhook_address(webhook_file)
    asked = chosen.ask(client)
    documents = [document for each in asked.answers for document in FORMS[form](_message(each))]
    if only_print:
        for document in documents:
            click.echo(json.dumps(document, ensure_ascii=False))
    else:
        Webhook(address).post(documents)
        click.echo(f"{len(asked.answers)} of {len(asked.answers) + asked.failed} insights sent to {form}")
    if asked.failed:
        click.get_current_context().exit(1)


def _webhook_address(file: IO[str] | None) -> str:
    try:
        address = file.read() if file else os.environ.get("BURGEE_WEBHOOK", "")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file.name if file else ''}: is not text") from None
    if not address.strip():
        raise click.UsageError("whereto: BURGEE_WEBHOOK, or --webhook-file, has the address of the channel's webhook")
    return address.strip()


def _message(saved: burgee.SavedAnswer) -> Message:
    """What print_answer says, as wide as COLUMNS, or a message; without colours."""
    text = io.StringIO()
    os.environ.setdefault("COLUMNS", _MESSAGE_COLUMNS)
    with redirect_stdout(text):
        print_answer(saved)
    title, *lines = click.unstyle(text.getvalue()).rstrip("\n").split("\n")
    return Message(title, saved.description, lines)


def _kind(insight: pb.Insight) -> str:
    return str(insight.question.WhichOneof("kind")).replace("_", " ")


def _document(insight: pb.Insight) -> dict[str, Any]:
    return MessageToDict(insight, preserving_proto_field_name=True)


def _say(insight: pb.Insight) -> None:
    shown = f", shown to {insight.shown_to}" if insight.shown_to else ""
    click.echo(f"{insight.key} is a {_kind(insight)}{shown}, version {insight.version}")
