"""`burgee migrate`."""

import asyncio
import os
from pathlib import Path

import click

from burgee_server.cli.settings import settings_in_force
from burgee_server.errors import BurgeeError


@click.command()
@click.option("--data", metavar="DIR", help="The directory to carry from; no server may run on it. [burgee-data]")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings.")
def migrate(data: str | None, config: Path | None) -> None:
    """Carry everything to BURGEE_DATABASE, BURGEE_WAREHOUSE and BURGEE_REDIS; run it again if it was cut short."""
    settings = settings_in_force(config, data=data)
    from burgee_server.moving import move
    from burgee_server.storage.directory import DataDirectory, DirectoryInUse

    if not settings.data.is_dir():
        raise click.ClickException(f"{settings.data} is no directory")
    try:
        directory = DataDirectory(settings.data)
        os.chdir(directory.path)  # chDB keeps a cache in the working directory
        try:
            moved = asyncio.run(move(directory, settings, click.echo))
        finally:
            directory.release()
    except (DirectoryInUse, BurgeeError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"\n{'':<24}{'directory':>12}{'stores':>12}")
    for name, count in moved.counted.items():
        click.echo(f"{name:<24}{count.here:>12,}{count.there:>12,}")
    if not moved.is_whole:
        raise click.ClickException("not all of it is there: run it again")
