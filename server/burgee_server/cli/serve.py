"""`burgee serve`."""

import asyncio
import os
import sys
from pathlib import Path

import click

from burgee_server.cli.settings import settings_in_force
from burgee_server.errors import BurgeeError


@click.command()
@click.option("--data", metavar="DIR", help="Directory of everything that is kept; made if missing. [burgee-data]")
@click.option("--listen", metavar="HOST:PORT", help="Where to serve gRPC. [127.0.0.1:4750]")
@click.option("--transport", metavar="NAME", help="What carries calls: grpcio, or native. [grpcio]")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings.")
def serve(data: str | None, listen: str | None, transport: str | None, config: Path | None) -> None:
    """Start the server. Every setting can also be BURGEE_<NAME> in the environment; see docs/operations.md."""
    settings = settings_in_force(config, data=data, listen=listen, transport=transport)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's core writes to standard error what we say better
    import uvloop  # half a second of imports that no other command should wait for

    from burgee_server.app import serve as run
    from burgee_server.logs import log_of_loop, start_logging
    from burgee_server.storage.directory import DirectoryInUse

    start_logging(settings.log_level, settings.log_format, sys.stderr)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.get_loop().set_exception_handler(log_of_loop)
            runner.run(run(settings, click.echo))
    except (DirectoryInUse, BurgeeError, OSError) as error:
        raise click.ClickException(str(error)) from error
