"""`burgee import`: newline-delimited JSON into the server, with a progress bar."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.lines import Source, read_batches
from burgee_server.cli.output import as_json, print_json
from burgee_server.cli.sending import Sender

SHOWN_FAULTS = 10


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@as_json
@with_client
def load(client: burgee.Client, file: Path, as_json: bool) -> None:
    """Import events from FILE, or from standard input if FILE is "-": one JSON object a line, plain or gzip.

    A line has `event`, `distinct_id`, `timestamp` (Unix seconds, or RFC 3339) and, if you like, `groups`,
    `properties` and `uuid`. Import the same file again, after an interruption or by mistake: every event counts once.
    """
    sender = Sender(client)
    trouble = ""
    with Source(file) as source, _progress() as progress:
        task = progress.add_task("", total=source.size, rate="")
        try:
            for batch in read_batches(source.lines()):
                sender.send(batch)
                progress.update(task, completed=source.position(), rate=sender.rate())
        except KeyboardInterrupt:
            trouble = "interrupted: run the same command again, nothing will be counted twice"
        except EOFError:
            trouble = f"{file} ends in the middle of its gzip data; what came before is imported"
        finally:
            sender.finish()
            progress.update(task, completed=source.position(), rate=sender.rate())
    if as_json:
        print_json(
            {"accepted": sender.accepted, "duplicate": sender.duplicate, "rejected": [vars(f) for f in sender.faults]}
        )
    else:
        click.echo(f"{sender.accepted:,} events accepted, {sender.duplicate:,} were there already")
        _print_faults(sender)
    if trouble:
        raise click.ClickException(trouble)
    if sender.faults:
        sys.exit(1)


def _progress() -> Progress:
    """On standard error, and only where somebody watches."""
    console = Console(stderr=True)
    return Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _print_faults(sender: Sender) -> None:
    for fault in sender.faults[:SHOWN_FAULTS]:
        click.echo(f"  line {fault.line:,}: {fault.field}: {fault.reason}", err=True)
    if len(sender.faults) > SHOWN_FAULTS:
        click.echo(f"  … and {len(sender.faults) - SHOWN_FAULTS:,} more; --json has them all", err=True)
    if sender.faults:
        click.echo(f"{len(sender.faults):,} lines rejected", err=True)
