"""`burgee import`."""

import hashlib
import sys
from contextlib import closing
from pathlib import Path
from typing import TypeGuard

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.imports.importing import Importing
from burgee_server.cli.imports.interrupt import Interrupt
from burgee_server.cli.imports.mapping import BadMapping, read_mapping
from burgee_server.cli.imports.reading import FORMATS, format_of, open_file
from burgee_server.cli.imports.records import Reader, Unreadable
from burgee_server.cli.imports.rejects import Rejects, Unwritable
from burgee_server.cli.output import as_json, print_json
from burgee_server.cli.progress import Meter

REJECTED = 3
INTERRUPTED = 130
"""Exit codes, beside 1 for an import that stopped and 2 for a wrong command line."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Unless the name of FILE says it.")
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file that says which columns are what; without it they have Burgee's own names.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write what is not imported, and why, to this file.",
)
@as_json
@with_client
def load(
    client: burgee.Client,
    file: Path,
    format_name: str | None,
    mapping_file: Path | None,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Import events from FILE, or from standard input if FILE is "-": NDJSON or CSV, plain or packed, or Parquet.

    Import the same file again, after an interruption or by mistake: every event counts once. See docs/import.md.
    """
    format_name = format_name or format_of(file) or ("ndjson" if str(file) == "-" else "")
    if not format_name:
        raise click.UsageError(f"the name of {file} does not say its format: give --format")
    if rejects and rejects.exists() and any(rejects.samefile(read) for read in (file, mapping_file) if _is_there(read)):
        raise click.UsageError(f"--rejects {rejects} would be written over what is read: choose another file")
    name = "standard input" if str(file) == "-" else str(file)
    try:
        mapping = read_mapping(mapping_file) if mapping_file else None
        reader, reading = open_file(file, format_name, mapping)
        rejected = Rejects(rejects, reader.unit)
    except BadMapping as error:
        raise click.UsageError(f"{mapping_file or name}: {error}") from None
    except Unreadable as error:
        raise click.ClickException(f"{name}: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    salt = hashlib.sha256(mapping_file.read_bytes()).hexdigest()[:16] if mapping_file else "own"
    try:
        with closing(reader), rejected:
            importing = Importing(client, reading, salt, rejected)
            meter, interrupt = Meter(reader.size), Interrupt(_notice)
            try:
                _run(importing, reader, meter, interrupt)
            except Unreadable as error:
                raise click.ClickException(f"{name}: {error}") from None
            except KeyboardInterrupt:
                sys.exit(INTERRUPTED)
            finally:
                if as_json:
                    _print_json(importing, rejected, meter.seconds, interrupt.happened)
                else:
                    _print(name, importing, rejected, meter.seconds)
    except Unwritable as error:
        raise click.ClickException(str(error)) from None
    if interrupt.happened:
        click.echo("interrupted: the same command goes on from here, and counts nothing twice", err=True)
        sys.exit(INTERRUPTED)
    if rejected.count:
        sys.exit(REJECTED)


def _run(importing: Importing, reader: Reader, meter: Meter, interrupt: Interrupt) -> None:
    """Import until the file ends or somebody interrupts; what is on its way arrives, also where the file is damaged."""
    with interrupt, meter:
        try:
            for chunk in interrupt.until_interrupted(reader.chunks()):
                importing.take(chunk)
                meter.update(reader.position(), importing.done)
        except (Unreadable, Unwritable):
            importing.finish()
            raise
        importing.finish()
        meter.update(reader.position(), importing.done)


def _is_there(path: Path | None) -> TypeGuard[Path]:
    return path is not None and path.exists()


def _notice() -> None:
    click.echo("finishing what is on its way; Ctrl-C again stops at once", err=True)


def _print_json(importing: Importing, rejects: Rejects, seconds: float, interrupted: bool) -> None:
    print_json(
        {
            "accepted": importing.accepted,
            "duplicate": importing.duplicate,
            "left_out": importing.left_out,
            "rejected": rejects.count,
            "first_rejected": [
                {rejects.unit: fault.number, "field": fault.field, "reason": fault.reason} for fault in rejects.first
            ],
            "interrupted": interrupted,
            "seconds": round(seconds, 3),
        }
    )


def _print(name: str, importing: Importing, rejects: Rejects, seconds: float) -> None:
    rate = importing.done / max(seconds, 1e-3)
    words = f"{importing.accepted:,} events accepted, {importing.duplicate:,} were there already"
    if importing.left_out:
        words += f", {importing.left_out:,} left out by the mapping"
    click.echo(f"{words}, in {seconds:,.1f} s ({rate:,.0f}/s)")
    for fault in rejects.first:
        click.echo(f"{name}, {rejects.unit} {fault.number:,}: {fault.field}: {fault.reason}", err=True)
    if rejects.count:
        more = "; --rejects FILE has them all" if rejects.count > len(rejects.first) else ""
        units = rejects.unit if rejects.count == 1 else f"{rejects.unit}s"
        click.echo(f"{rejects.count:,} {units} rejected{more}", err=True)
