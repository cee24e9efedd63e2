"""`burgee flags preview`: what a change would do, before it is made."""

from collections.abc import Sequence
from pathlib import Path

import click
from google.protobuf.json_format import MessageToDict

import burgee
from burgee import wire
from burgee.evaluation import Condition
from burgee.v1 import flag_admin_pb2 as pb
from burgee_server.cli.connection import with_client
from burgee_server.cli.flag_edits import admin, change_options, edited, get_flag
from burgee_server.cli.output import as_json, print_json, print_table
from burgee_server.flags.wording import value_text

SHOWN = 20
"""Groups, and parts, that are shown; --json has them all."""


@click.command()
@click.argument("flag_key")
@change_options
@click.option("--group-type", default="", help="Whom to look at: a group type, or user. Else the flag says.")
@click.option("--breakdown", "breakdown_property", default="", help="A property to count by, such as plan.")
@as_json
@with_client
def preview(
    client: burgee.Client,
    flag_key: str,
    enabled: bool | None,
    rollout: int | None,
    bucket_by: str | None,
    conditions: Sequence[Condition],
    file: Path | None,
    group_type: str,
    breakdown_property: str,
    as_json: bool,
) -> None:
    """Which companies `set` would give another variant, with the same options; nothing is saved."""
    flag = edited(
        get_flag(client, flag_key),
        enabled=enabled,
        rollout=rollout,
        bucket_by=bucket_by,
        conditions=conditions,
        file=file,
    )
    request = pb.PreviewFlagRequest(
        flag=wire.flag_to_proto(flag), group_type=group_type, breakdown_property=breakdown_property
    )
    changes: list[tuple[str, str, str]] = []
    parts: list[pb.PreviewPart] = []
    totals = pb.PreviewTotals()
    for response in admin(client).PreviewFlag(request):
        for change in response.changes:
            changes += ((key, change.variant_before, change.variant_after) for key in change.group_keys)
        parts += response.parts
        totals.MergeFrom(response.totals)
    changes.sort()
    if as_json:
        print_json(
            {
                "changes": [dict(zip(("group_key", "before", "after"), change, strict=True)) for change in changes],
                "parts": [_document(part) for part in parts],
                "totals": _document(totals),
            }
        )
    else:
        _print(totals, changes, parts, breakdown_property)


def _print(
    totals: pb.PreviewTotals, changes: Sequence[tuple[str, str, str]], parts: Sequence[pb.PreviewPart], by: str
) -> None:
    click.echo(f"{totals.group_type}: {totals.changed:,} of {totals.groups:,} would change")
    print_table(
        ["variant", "now", "then"], [[_name(each.variant), each.before, each.after] for each in totals.variants]
    )
    if by:
        rows = [
            [
                value_text(wire.value_from_proto(part.value, "value")) if part.HasField("value") else None,
                part.groups,
                part.changed,
                ", ".join(f"{_name(each.variant)} {each.before:,} → {each.after:,}" for each in part.variants),
            ]
            for part in parts[:SHOWN]
        ]
        print_table([by, totals.group_type, "change", "now → then"], rows)
        _say_more(len(parts))
    if changes:
        rows = [[key, _name(before), after] for key, before, after in changes[:SHOWN]]
        print_table([totals.group_type, "now", "then"], rows)
        _say_more(len(changes))
    if totals.unknown_attributes:
        click.echo(f"taken as missing, as a {totals.group_type} alone has none: {', '.join(totals.unknown_attributes)}")


def _say_more(count: int) -> None:
    if count > SHOWN:
        click.echo(f"… and {count - SHOWN:,} more; --json has them all")


def _name(variant: str) -> str:
    return variant or "no flag"


def _document(message: pb.PreviewPart | pb.PreviewTotals) -> dict[str, object]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
