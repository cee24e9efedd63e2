"""`burgee serve`."""

import logging
import os
import sys
from pathlib import Path

import click

from burgee_server.cli.settings import settings_in_force
from burgee_server.errors import BurgeeError

log = logging.getLogger(__name__)


@click.command()
@click.option("--data", metavar="DIR", help="Directory of everything that is kept; made if missing. [burgee-data]")
@click.option("--listen", metavar="HOST:PORT", help="Where to serve gRPC. [127.0.0.1:4750]")
@click.option("--role", metavar="ROLE", help="all; api to answer calls only; loader to work behind them only. [all]")
@click.option("--processes", metavar="N", help="How many processes answer calls on the same port. [1]")
@click.option("--transport", metavar="NAME", help="What carries calls: grpcio, or native. [grpcio]")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings.")
def serve(config: Path | None, **given: str | None) -> None:
    """Start the server. Every setting can also be BURGEE_<NAME> in the environment; see docs/operations.md."""
    settings = settings_in_force(config, **given)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's core writes to standard error what we say better
    # What is forked here is another program a moment later. gRPC would make its threads anew in it, and where the
    # system has no room for these, wait for ever.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from burgee_server.app import run  # seconds of imports that no other command should wait for
    from burgee_server.logs import start_logging
    from burgee_server.misspelt import misspelt
    from burgee_server.processes import run_several
    from burgee_server.storage.directory import DirectoryInUse

    start_logging(settings.log_level, settings.log_format, sys.stderr)
    for told in misspelt(os.environ):
        log.warning(told)
    try:
        (run if settings.processes == 1 else run_several)(settings, click.echo)
    except (DirectoryInUse, BurgeeError, OSError) as error:
        raise click.ClickException(str(error)) from error
