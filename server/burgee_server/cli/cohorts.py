"""`burgee cohorts`: named sets of companies or of persons, listed or computed."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Literal

import click
from google.protobuf.json_format import MessageToDict

import burgee
from burgee.evaluation import Filter
from burgee.insights.words import read_unknown
from burgee.v1 import cohorts_pb2 as pb
from burgee_server.cli.cohort_calls import batches, cohort_stub, cohorts_of, members
from burgee_server.cli.connection import with_client
from burgee_server.cli.criteria import criteria_options, read_criteria
from burgee_server.cli.flag_edits import note_option
from burgee_server.cli.group_types import tell_unused
from burgee_server.cli.output import as_json, print_json, print_table, utc
from burgee_server.cli.query.options import tell_unknown
from burgee_server.names import name_fault


@click.group()
def cohorts() -> None:
    """See, create and change cohorts: named sets of companies, or of persons, listed or computed."""


@cohorts.command("list")
@as_json
@with_client
def list_(client: burgee.Client, as_json: bool) -> None:
    """The cohorts, by key."""
    found = list(cohorts_of(client))
    if as_json:
        print_json([_document(cohort) for cohort in found])
    else:
        rows = [
            [cohort.key, cohort.WhichOneof("definition"), cohort.group_type, cohort.member_count, cohort.description]
            for cohort in found
        ]
        print_table(["cohort", "is", "of", "members", "what for"], rows)


@cohorts.command()
@click.argument("cohort_key")
@click.option("--group-type", required=True, help="Whom it is made of: user, or a group type such as company.")
@click.option("--description", default="", help="What it is for.")
@criteria_options
@note_option
@with_client
def create(
    client: burgee.Client,
    cohort_key: str,
    group_type: str,
    description: str,
    filters: Sequence[Filter],
    did: Sequence[burgee.Happening],
    did_not: Sequence[burgee.Happening],
    at_least: int,
    start: str,
    file: BinaryIO | None,
    note: str,
) -> None:
    """Create a list without members, `burgee cohorts create beta --group-type company`, or a computed cohort.

    That is whoever meets all of --where, --did and --did-not.
    """
    cohort = pb.Cohort(key=cohort_key, group_type=group_type, description=description)
    computed = read_criteria(filters, did, did_not, at_least, start, file)
    if computed is None:
        cohort.listed.SetInParent()
    else:
        cohort.computed.CopyFrom(computed)
    made = cohort_stub(client).CreateCohort(pb.CreateCohortRequest(cohort=cohort, change_note=note))
    _say(made.cohort)
    tell_unknown(**read_unknown(made))
    tell_unused(client, [group_type])


@cohorts.command("set")
@click.argument("cohort_key")
@click.option("--description", default=None, help="What it is for.")
@criteria_options
@note_option
@with_client
def set_(
    client: burgee.Client,
    cohort_key: str,
    description: str | None,
    filters: Sequence[Filter],
    did: Sequence[burgee.Happening],
    did_not: Sequence[burgee.Happening],
    at_least: int,
    start: str,
    file: BinaryIO | None,
    note: str,
) -> None:
    """Change what a cohort is for, or how it is computed: `burgee cohorts set active --did exported`.

    How it is computed is replaced as a whole; what is not named stays. Members of lists: add and remove.
    """
    computed = read_criteria(filters, did, did_not, at_least, start, file)
    if computed is None and description is None:
        raise click.UsageError("name what shall change: --description, or how it is computed")
    cohort = cohort_stub(client).GetCohort(pb.GetCohortRequest(cohort_key=cohort_key)).cohort
    if description is not None:
        cohort.description = description
    if computed is not None:
        if not file:
            computed.time_zone = cohort.computed.time_zone
        cohort.computed.CopyFrom(computed)
    request = pb.UpdateCohortRequest(cohort=cohort, expected_version=cohort.version, change_note=note)
    made = cohort_stub(client).UpdateCohort(request)
    _say(made.cohort)
    tell_unknown(**read_unknown(made))


def _change_options(command: click.decorators.FC) -> click.decorators.FC:
    file_option = click.option("--file", type=click.File("rb"), help="One key a line; - is standard input.")
    members_argument = click.argument("keys", nargs=-1, metavar="[MEMBER]...")
    cohort_argument = click.argument("cohort_key")
    return cohort_argument(members_argument(file_option(note_option(command))))


@cohorts.command()
@_change_options
@with_client
def add(client: burgee.Client, cohort_key: str, keys: Sequence[str], file: BinaryIO | None, note: str) -> None:
    """Put members in: `burgee cohorts add beta acme globex`, or the lines of a --file."""
    _change(client, "add", cohort_key, keys, file, note)


@cohorts.command()
@_change_options
@with_client
def remove(client: burgee.Client, cohort_key: str, keys: Sequence[str], file: BinaryIO | None, note: str) -> None:
    """Take members out: `burgee cohorts remove beta acme`, or the lines of a --file."""
    _change(client, "remove", cohort_key, keys, file, note)


@cohorts.command("members")
@click.argument("cohort_key")
@as_json
@with_client
def members_(client: burgee.Client, cohort_key: str, as_json: bool) -> None:
    """The members, by key, and since when."""
    found = members(client, cohort_key)
    if as_json:
        print_json([{"key": member.key, "added_at": member.added_at.ToJsonString()} for member in found])
    else:
        rows = [[member.key, utc(member.added_at)] for member in found]
        print_table(["member", "since (UTC)"], rows)


@cohorts.command()
@click.argument("cohort_key")
@with_client
def refresh(client: burgee.Client, cohort_key: str) -> None:
    """Compute the members of a cohort now."""
    answer = cohort_stub(client).RefreshCohort(pb.RefreshCohortRequest(cohort_key=cohort_key))
    click.echo(f"{answer.added:,} came, {answer.removed:,} went")
    _say(answer.cohort)


@cohorts.command()
@click.argument("cohort_key")
@note_option
@with_client
def delete(client: burgee.Client, cohort_key: str, note: str) -> None:
    """Take a cohort away; refused while flags ask for it."""
    cohort_stub(client).DeleteCohort(pb.DeleteCohortRequest(cohort_key=cohort_key, change_note=note))
    click.echo(f"{cohort_key} is gone")


def _change(
    client: burgee.Client,
    word: Literal["add", "remove"],
    cohort_key: str,
    keys: Sequence[str],
    file: BinaryIO | None,
    note: str,
) -> None:
    if bool(keys) == (file is not None):
        raise click.UsageError("name members, or give a --file: one of the two")
    named = list(keys if file is None else _lines(file))
    added = removed = 0
    for batch in batches(named):
        request = pb.ChangeCohortMembersRequest(cohort_key=cohort_key, change_note=note)
        (request.add if word == "add" else request.remove).extend(batch)
        answer = cohort_stub(client).ChangeCohortMembers(request)
        added += answer.added
        removed += answer.removed
    click.echo(f"{added:,} added, {removed:,} removed, {len(set(named)) - added - removed:,} were so already")
    _say(answer.cohort)


def _lines(file: BinaryIO) -> Iterator[str]:
    """The keys in a file, without blanks around them. Raises ClickException naming the first line that is none."""
    for number, line in enumerate(file, 1):
        try:
            key = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise click.ClickException(f"{file.name}, line {number}: is not UTF-8") from error
        if key and (fault := name_fault(key)):
            raise click.ClickException(f"{file.name}, line {number}: {fault}")
        if key:
            yield key


def _say(cohort: pb.Cohort) -> None:
    if cohort.HasField("computed") and not cohort.HasField("computed_at"):
        click.echo(f"{cohort.key}, of type {cohort.group_type}, is not computed yet")
        return
    click.echo(f"{cohort.key} has {cohort.member_count:,} members of type {cohort.group_type}")


def _document(cohort: pb.Cohort) -> dict[str, object]:
    return {
        "key": cohort.key,
        "description": cohort.description,
        "group_type": cohort.group_type,
        "member_count": cohort.member_count,
        "version": cohort.version,
        "created_at": cohort.created_at.ToJsonString(),
        "updated_at": cohort.updated_at.ToJsonString(),
        "computed_at": cohort.computed_at.ToJsonString() if cohort.HasField("computed_at") else None,
        "computed": MessageToDict(cohort.computed) if cohort.HasField("computed") else None,
    }
