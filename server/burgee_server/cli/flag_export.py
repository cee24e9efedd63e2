"""`burgee flags export`: a file from which clients answer while the server is away."""

import json
from pathlib import Path

import click

import burgee
from burgee.evaluation import FlagSet, flag_to_document
from burgee_server.cli.cohort_calls import members
from burgee_server.cli.connection import with_client
from burgee_server.cli.flag_edits import all_flags
from burgee_server.cli.group_types import parent_types


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_client
def export(client: burgee.Client, file: Path) -> None:
    """Write all flags, the members of the cohorts that they ask for, and which types belong to which, to FILE.

    For clients that start while the server is away: burgee.Client(bootstrap=FILE).
    """
    flags = all_flags(client, archived=True)
    cohorts = {
        cohort_key: [member.key for member in members(client, cohort_key)]
        for cohort_key in sorted(cohort_key for _, cohort_key in FlagSet(flags).cohorts)
    }
    document = {
        "flags": [flag_to_document(flag) for flag in flags],
        "cohorts": cohorts,
        "parent_types": {name: above for name, above in parent_types(client).items() if above},
    }
    beside = file.with_name(f"{file.name}.part")  # a reader finds the old file or the new one, and never a half
    beside.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    beside.replace(file)
    click.echo(f"{len(flags):,} flags and {len(cohorts):,} cohorts written to {file}")
