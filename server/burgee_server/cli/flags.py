"""`burgee flags`: see, create and change flags, and ask why."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

import burgee
from burgee import wire
from burgee.evaluation import Condition, Context, Flag, FlagType, Json, Variant, flag_to_document, with_defaults
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1.flags_pb2 import REASON_ERROR
from burgee_server.cli.connection import with_client
from burgee_server.cli.explanation import print_explanation
from burgee_server.cli.flag_edits import (
    admin,
    all_flags,
    by_option,
    change_options,
    edited,
    file_option,
    get_flag,
    note_option,
    read_flag,
    rollout_option,
    say,
    state,
    where_option,
    with_rule,
)
from burgee_server.cli.flag_export import export
from burgee_server.cli.flag_preview import preview
from burgee_server.cli.flag_versions import copy, history, kill, restore
from burgee_server.cli.group_types import tell_unused
from burgee_server.cli.moments import MOMENT
from burgee_server.cli.output import as_json, print_json, print_table
from burgee_server.cli.values import read_pairs, read_value
from burgee_server.flags.comparison import types_read
from burgee_server.flags.wording import describe


@click.group()
def flags() -> None:
    """See, create and change flags, and ask why a flag gives what it gives."""


@flags.command("list")
@click.option("--archived", is_flag=True, help="Archived flags too.")
@as_json
@with_client
def list_(client: burgee.Client, archived: bool, as_json: bool) -> None:
    """The flags, by key."""
    found = all_flags(client, archived=archived)
    if as_json:
        print_json([flag_to_document(flag) for flag in found])
    else:
        rows = [[flag.key, flag.type.value, state(flag), describe(flag), flag.version] for flag in found]
        print_table(["flag", "type", "state", "who gets what", "version"], rows)


@flags.command()
@click.argument("flag_key")
@with_client
def show(client: burgee.Client, flag_key: str) -> None:
    """The whole flag as JSON: what --file takes."""
    print_json(flag_to_document(get_flag(client, flag_key)))


@flags.command()
@click.argument("flag_key")
@click.option("--type", "type_", type=click.Choice([t.value for t in FlagType]), default="boolean", show_default=True)
@click.option("--variant", "variants", multiple=True, metavar="KEY=VALUE", help="May be given several times.")
@click.option("--description", default="", help="What it is for.")
@click.option("--disabled", is_flag=True, help="Give everybody the off variant for now.")
@rollout_option
@by_option
@where_option
@file_option
@note_option
@with_client
def create(
    client: burgee.Client,
    flag_key: str,
    type_: FlagType,
    variants: Sequence[str],
    description: str,
    disabled: bool,
    rollout: int | None,
    bucket_by: str | None,
    conditions: Sequence[Condition],
    file: Path | None,
    note: str,
) -> None:
    """Create a flag: `burgee flags create new-reports --by company --rollout 10%`.

    With --rollout, --by or --where it gets one rule; without, everybody gets the off variant until `set` says more.
    """
    changes = rollout is not None or bucket_by is not None or bool(conditions)
    if file is not None:
        if changes or variants or description or disabled:
            raise click.UsageError("--file has the whole flag: give it alone, or with --note")
        flag = replace(read_flag(file), key=flag_key)
    else:
        values = {
            key: _value(FlagType(type_), text) for key, text in read_pairs(variants, "--variant", "KEY=VALUE").items()
        }
        flag = Flag(
            key=flag_key,
            type=FlagType(type_),
            variants=tuple(Variant(key, value) for key, value in values.items()),
            off_variant="",
            enabled=not disabled,
            description=description,
        )
        if changes:
            flag = with_rule(with_defaults(flag), rollout, bucket_by, conditions)
    saved = admin(client).CreateFlag(pb.CreateFlagRequest(flag=wire.flag_to_proto(flag), change_note=note)).flag
    _tell(client, wire.flag_from_proto(saved))


@flags.command("set")
@click.argument("flag_key")
@click.option("--archive", is_flag=True, help="Take it out of use for good.")
@change_options
@note_option
@with_client
def set_(
    client: burgee.Client,
    flag_key: str,
    archive: bool,
    enabled: bool | None,
    rollout: int | None,
    bucket_by: str | None,
    conditions: Sequence[Condition],
    file: Path | None,
    note: str,
) -> None:
    """Change a flag: `burgee flags set new-reports --rollout 30%`.

    --rollout, --by and --where change its first rule, or make one. Anything else: `show`, edit, `set --file`.
    """
    if archive:
        if any(given is not None for given in (rollout, bucket_by, file, enabled)) or conditions:
            raise click.UsageError("--archive goes alone, or with --note")
        admin(client).ArchiveFlag(pb.ArchiveFlagRequest(flag_key=flag_key, change_note=note))
        click.echo(f"{flag_key} is archived")
        return
    current = get_flag(client, flag_key)
    flag = edited(current, enabled=enabled, rollout=rollout, bucket_by=bucket_by, conditions=conditions, file=file)
    request = pb.UpdateFlagRequest(flag=wire.flag_to_proto(flag), expected_version=current.version, change_note=note)
    _tell(client, wire.flag_from_proto(admin(client).UpdateFlag(request).flag))


@flags.command()
@click.argument("flag_key")
@click.option("--user", "distinct_id", default="", help="The distinct_id of the person.")
@click.option("--group", "groups", multiple=True, metavar="TYPE=KEY", help="Such as company=acme; several times.")
@click.option("--property", "properties", multiple=True, metavar="NAME=VALUE", help="Of the person; several times.")
@click.option("--at", type=MOMENT, help="As it was then, such as 2026-03-01T12:00:00Z.")
@as_json
@with_client
def explain(
    client: burgee.Client,
    flag_key: str,
    distinct_id: str,
    groups: Sequence[str],
    properties: Sequence[str],
    at: datetime | None,
    as_json: bool,
) -> None:
    """Why a flag gives somebody what it gives: `burgee flags explain new-reports --group company=acme`."""
    passed = {name: read_value(text) for name, text in read_pairs(properties, "--property", "NAME=VALUE").items()}
    keys = read_pairs(groups, "--group", "TYPE=KEY")
    if at is None:
        explanation = client.explain(flag_key, distinct_id, groups=keys, properties=passed)
    else:
        context = wire.context_to_proto(Context(distinct_id, keys, passed))
        request = pb.EvaluateAtRequest(flag_key=flag_key, context=context)
        request.as_of.FromDatetime(at)
        explanation = admin(client).EvaluateAt(request).explanation
    print_explanation(explanation, as_json=as_json)
    if explanation.resolution.reason == REASON_ERROR:
        sys.exit(1)


def _tell(client: burgee.Client, flag: Flag) -> None:
    say(flag)
    tell_unused(client, types_read(flag))


def _value(type_: FlagType, text: str) -> Json:
    return text if type_ is FlagType.STRING else read_value(text)


for command in (export, history, restore, kill, copy, preview):
    flags.add_command(command)
