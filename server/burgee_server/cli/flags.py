"""`burgee flags`: see, create and change flags, and ask why."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

import burgee
from burgee import wire
from burgee.evaluation import (
    Condition,
    Distribution,
    Flag,
    FlagType,
    Json,
    Rule,
    Variant,
    VariantWeight,
    flag_from_document,
    flag_to_document,
    with_defaults,
)
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee.v1.flags_pb2 import REASON_ERROR
from burgee_server.cli.conditions import read_pairs, read_value, where_option
from burgee_server.cli.connection import with_client
from burgee_server.cli.explanation import print_explanation
from burgee_server.cli.output import as_json, print_json, print_table
from burgee_server.cli.rollout import ROLLOUT
from burgee_server.flags.wording import describe

_note = click.option("--note", default="", help="Why, for the record.")
_rollout = click.option("--rollout", type=ROLLOUT, help="How many are included, such as 10% or 33.333%.")
_by = click.option("--by", "bucket_by", help="Who is drawn: user, a group type such as company, or an attribute.")
_file = click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The whole flag, as `show` prints it."
)


@click.group()
def flags() -> None:
    """See, create and change flags, and ask why a flag gives what it gives."""


@flags.command("list")
@click.option("--archived", is_flag=True, help="Archived flags too.")
@as_json
@with_client
def list_(client: burgee.Client, archived: bool, as_json: bool) -> None:
    """The flags, by key."""
    found, token = [], ""
    while True:
        page = _admin(client).ListFlags(
            pb.ListFlagsRequest(include_archived=archived, page_size=1000, page_token=token)
        )
        found += [wire.flag_from_proto(flag) for flag in page.flags]
        token = page.next_page_token
        if not token:
            break
    if as_json:
        print_json([flag_to_document(flag) for flag in found])
    else:
        rows = [[flag.key, flag.type.value, _state(flag), describe(flag), flag.version] for flag in found]
        print_table(["flag", "type", "state", "who gets what", "version"], rows)


@flags.command()
@click.argument("flag_key")
@with_client
def show(client: burgee.Client, flag_key: str) -> None:
    """The whole flag as JSON: what --file takes."""
    print_json(flag_to_document(_get(client, flag_key)))


@flags.command()
@click.argument("flag_key")
@click.option("--type", "type_", type=click.Choice([t.value for t in FlagType]), default="boolean", show_default=True)
@click.option("--variant", "variants", multiple=True, metavar="KEY=VALUE", help="May be given several times.")
@click.option("--description", default="", help="What it is for.")
@click.option("--disabled", is_flag=True, help="Give everybody the off variant for now.")
@_rollout
@_by
@where_option
@_file
@_note
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
        flag = replace(_read(file), key=flag_key)
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
            flag = _with_rule(with_defaults(flag), rollout, bucket_by, conditions)
    saved = _admin(client).CreateFlag(pb.CreateFlagRequest(flag=wire.flag_to_proto(flag), change_note=note)).flag
    _say(wire.flag_from_proto(saved))


@flags.command("set")
@click.argument("flag_key")
@click.option(
    "--enabled/--disabled", "enabled", default=None, help="Whether it gives anybody more than the off variant."
)
@click.option("--archive", is_flag=True, help="Take it out of use for good.")
@_rollout
@_by
@where_option
@_file
@_note
@with_client
def set_(
    client: burgee.Client,
    flag_key: str,
    enabled: bool | None,
    archive: bool,
    rollout: int | None,
    bucket_by: str | None,
    conditions: Sequence[Condition],
    file: Path | None,
    note: str,
) -> None:
    """Change a flag: `burgee flags set new-reports --rollout 30%`.

    --rollout, --by and --where change its first rule, or make one. Anything else: `show`, edit, `set --file`.
    """
    changes = rollout is not None or bucket_by is not None or bool(conditions)
    if archive:
        if changes or file is not None or enabled is not None:
            raise click.UsageError("--archive goes alone, or with --note")
        _admin(client).ArchiveFlag(pb.ArchiveFlagRequest(flag_key=flag_key, change_note=note))
        click.echo(f"{flag_key} is archived")
        return
    current = _get(client, flag_key)
    flag = replace(_read(file), key=flag_key) if file is not None else current
    if enabled is not None:
        flag = replace(flag, enabled=enabled)
    if changes:
        flag = _with_rule(flag, rollout, bucket_by, conditions)
    request = pb.UpdateFlagRequest(flag=wire.flag_to_proto(flag), expected_version=current.version, change_note=note)
    _say(wire.flag_from_proto(_admin(client).UpdateFlag(request).flag))


@flags.command()
@click.argument("flag_key")
@click.option("--user", "distinct_id", default="", help="The distinct_id of the person.")
@click.option("--group", "groups", multiple=True, metavar="TYPE=KEY", help="Such as company=acme; several times.")
@click.option("--property", "properties", multiple=True, metavar="NAME=VALUE", help="Of the person; several times.")
@as_json
@with_client
def explain(
    client: burgee.Client,
    flag_key: str,
    distinct_id: str,
    groups: Sequence[str],
    properties: Sequence[str],
    as_json: bool,
) -> None:
    """Why a flag gives somebody what it gives: `burgee flags explain new-reports --group company=acme`."""
    passed = {name: read_value(text) for name, text in read_pairs(properties, "--property", "NAME=VALUE").items()}
    explanation = client.explain(
        flag_key, distinct_id, groups=read_pairs(groups, "--group", "TYPE=KEY"), properties=passed
    )
    print_explanation(explanation, as_json=as_json)
    if explanation.resolution.reason == REASON_ERROR:
        sys.exit(1)


def _admin(client: burgee.Client) -> FlagAdminServiceStub:
    stub: FlagAdminServiceStub = client.stub(FlagAdminServiceStub)
    return stub


def _get(client: burgee.Client, flag_key: str) -> Flag:
    return wire.flag_from_proto(_admin(client).GetFlag(pb.GetFlagRequest(flag_key=flag_key)).flag)


def _read(file: Path) -> Flag:
    try:
        return flag_from_document(json.loads(file.read_text()))
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}") from error


def _value(type_: FlagType, text: str) -> Json:
    return text if type_ is FlagType.STRING else read_value(text)


def _with_rule(flag: Flag, rollout: int | None, bucket_by: str | None, conditions: Sequence[Condition]) -> Flag:
    """The flag with its first rule changed, or with a first rule."""
    if flag.rules:
        first = flag.rules[0]
    else:
        weights = tuple(VariantWeight(v.key, 1) for v in flag.variants if v.key != flag.off_variant)
        first = Rule("", Distribution(weights))
    distribution = first.distribution
    if rollout is not None:
        distribution = replace(distribution, rollout=rollout, ramp=())
    if bucket_by is not None:
        distribution = replace(distribution, bucket_by=bucket_by)
    rule = replace(first, distribution=distribution, conditions=tuple(conditions) or first.conditions)
    return replace(flag, rules=(rule, *flag.rules[1:]))


def _state(flag: Flag) -> str:
    return "archived" if flag.archived else "enabled" if flag.enabled else "disabled"


def _say(flag: Flag) -> None:
    click.echo(f"{flag.key} is at version {flag.version}, {_state(flag)}: {describe(flag)}")
