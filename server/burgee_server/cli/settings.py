"""How a command finds the settings in force, and says what is wrong with them."""

from pathlib import Path

import click
from pydantic import ValidationError

from burgee_server.settings import Settings, read_settings


def settings_in_force(config: Path | None, **flags: object) -> Settings:
    """The settings; flags that are None were not given. Raises ClickException, which never shows a value."""
    if config is not None and not config.is_file():
        raise click.ClickException(f"settings: {config} is not a file")
    try:
        return read_settings(config, **flags)
    except ValidationError as error:
        # Never the value: it may be a secret.
        faults = "; ".join(_told(fault["loc"], fault["msg"]) for fault in error.errors())
        raise click.ClickException(f"settings: {faults}") from None


def _told(where: tuple[int | str, ...], what: str) -> str:
    """A fault of one setting, or of several together: of nowhere, then."""
    return ": ".join([*map(str, where), what.removeprefix("Value error, ")])
