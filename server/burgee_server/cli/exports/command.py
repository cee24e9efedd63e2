"""`burgee export`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import click

import burgee
from burgee.v1.capture_pb2 import Event
from burgee.v1.profiles_pb2 import ExportEventsRequest
from burgee_server.cli.connection import with_client
from burgee_server.cli.exports.ndjson import NdjsonWriter
from burgee_server.cli.exports.receiving import Receiving
from burgee_server.cli.exports.target import open_target
from burgee_server.cli.imports.reading import format_of
from burgee_server.cli.moments import MOMENT
from burgee_server.cli.output import as_json, print_json
from burgee_server.cli.progress import Meter
from burgee_server.cli.values import read_pairs

FORMATS = ("ndjson", "parquet")


class Writer(Protocol):
    """Writes events in a format."""

    def write(self, events: Sequence[Event]) -> None:
        """Write events."""

    def close(self) -> None:
        """Write what was held back."""


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path))
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Unless the name of FILE says it.")
@click.option("--start", type=MOMENT, help="Only events at this moment or later.")
@click.option("--end", type=MOMENT, help="Only events before this moment.")
@click.option("--event", "events", multiple=True, help="Only events of this name; several times.")
@click.option("--user", default="", help="Only events of this distinct_id.")
@click.option("--group", metavar="TYPE=KEY", help="Only events of this group, such as company=acme.")
@as_json
@with_client
def export(
    client: burgee.Client,
    file: Path,
    format_name: str | None,
    start: datetime | None,
    end: datetime | None,
    events: Sequence[str],
    user: str,
    group: str | None,
    as_json: bool,
) -> None:
    """Write events to FILE, or to standard output if FILE is "-": Parquet or NDJSON, which `burgee import` reads.

    An event is in it once. The order is that of UTC days, and within a day that of names.
    """
    to_stdout = str(file) == "-"
    format_name = format_name or format_of(file) or ("ndjson" if to_stdout else "")
    if format_name not in FORMATS:
        raise click.UsageError(f"the name of {file} says neither Parquet nor NDJSON: give --format")
    if as_json and to_stdout:
        raise click.UsageError("--json and events cannot both go to standard output")
    request = ExportEventsRequest(event_names=events, distinct_id=user)
    if start:
        request.start.FromDatetime(start)
    if end:
        request.end.FromDatetime(end)
    for group_type, group_key in read_pairs([group] if group else [], "--group", "TYPE=KEY").items():
        request.group_type, request.group_key = group_type, group_key
    receiving = Receiving(client, request)
    meter = Meter(receiving.estimated_events)
    try:
        with meter, open_target(file) as target:
            written = _write(receiving, _writer(format_name, target), meter)
    except BrokenPipeError:  # whoever read it has seen enough; click ends quietly
        raise
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from None
    if as_json:
        complete_until = receiving.complete_until.isoformat()
        print_json({"events": written, "complete_until": complete_until, "seconds": round(meter.seconds, 3)})
    else:
        where = "standard output" if to_stdout else file
        click.echo(
            f"{written:,} events written to {where} in {meter.seconds:,.1f} s"
            f" · complete until {receiving.complete_until:%Y-%m-%d %H:%M:%S} UTC",
            err=to_stdout,
        )


def _write(receiving: Receiving, writer: Writer, meter: Meter) -> int:
    """Write what is received; return how many events."""
    written = 0
    for events in receiving:
        writer.write(events)
        written += len(events)
        meter.update(written, written)
    writer.close()
    return written


def _writer(format_name: str, target: BinaryIO) -> Writer:
    if format_name == "ndjson":
        return NdjsonWriter(target)
    from burgee_server.cli.exports.parquet import ParquetWriter  # a third of a second that others should not wait for

    return ParquetWriter(target)
