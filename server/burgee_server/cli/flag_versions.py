"""`burgee flags history`, `restore`, `kill` and `copy`: flags as they were, and as they are elsewhere."""

from collections.abc import Iterator, Sequence

import click

import burgee
from burgee import wire
from burgee.evaluation import flag_to_document
from burgee.v1 import flag_admin_pb2 as pb
from burgee_server.cli.connection import with_client
from burgee_server.cli.flag_edits import admin, note_option, say
from burgee_server.cli.output import as_json, print_json, print_table, utc
from burgee_server.cli.pages import pages


@click.command()
@click.argument("flag_key")
@as_json
@with_client
def history(client: burgee.Client, flag_key: str, as_json: bool) -> None:
    """Every version of a flag, newest first: when, who, why, and what changed."""
    versions = list(_versions(client, flag_key))
    if as_json:
        print_json([_document(version) for version in versions])
        return
    rows = [
        [
            version.flag.version,
            utc(version.changed_at),
            version.changed_by,
            version.change_note,
            "\n".join(map(_change, version.changes)) or ("created" if version.flag.version == 1 else "nothing"),
        ]
        for version in versions
    ]
    print_table(["version", "when (UTC)", "who", "why", "what changed"], rows)


@click.command()
@click.argument("flag_key")
@click.argument("version", type=click.IntRange(min=1))
@note_option
@with_client
def restore(client: burgee.Client, flag_key: str, version: int, note: str) -> None:
    """Make a flag again what it was at VERSION, archived or not."""
    request = pb.RestoreFlagVersionRequest(flag_key=flag_key, version=version, change_note=note)
    say(wire.flag_from_proto(admin(client).RestoreFlagVersion(request).flag))


@click.command()
@click.argument("flag_key")
@note_option
@with_client
def kill(client: burgee.Client, flag_key: str, note: str) -> None:
    """Give everybody the off variant, now. `set --enabled` undoes it."""
    request = pb.DisableFlagRequest(flag_key=flag_key, change_note=note)
    say(wire.flag_from_proto(admin(client).DisableFlag(request).flag))


@click.command()
@click.argument("flag_keys", nargs=-1)
@click.option("--from", "from_environment", required=True, help="The environment that they are copied from.")
@click.option("--overwrite", is_flag=True, help="Replace flags that are here already.")
@note_option
@with_client
def copy(client: burgee.Client, flag_keys: Sequence[str], from_environment: str, overwrite: bool, note: str) -> None:
    """Copy flags (none named: all) from another environment of the project: `burgee flags copy --from staging`."""
    request = pb.CopyFlagsRequest(
        from_environment=from_environment, flag_keys=flag_keys, overwrite=overwrite, change_note=note
    )
    copied = admin(client).CopyFlags(request)
    for word, keys in (("created", copied.created), ("updated", copied.updated), ("skipped", copied.skipped)):
        click.echo(f"{word}: {', '.join(keys) or 'none'}")


def _versions(client: burgee.Client, flag_key: str) -> Iterator[pb.FlagVersion]:
    request = pb.ListFlagVersionsRequest(flag_key=flag_key, page_size=1000)
    for page in pages(admin(client).ListFlagVersions, request):
        yield from page.versions


def _document(version: pb.FlagVersion) -> dict[str, object]:
    return {
        "version": version.flag.version,
        "changed_at": version.changed_at.ToJsonString(),
        "changed_by": version.changed_by,
        "change_note": version.change_note,
        "changes": [{"path": each.path, "before": each.before, "after": each.after} for each in version.changes],
        "flag": flag_to_document(wire.flag_from_proto(version.flag)),
    }


def _change(change: pb.FlagChange) -> str:
    return f"{change.path}: {change.before or 'nothing'} → {change.after or 'nothing'}"
