"""The command line: what an operator or a developer types."""

from importlib import import_module

import click

_COMMANDS = {
    "serve": "serve",
    "health": "health",
    "doctor": "doctor",
    "backup": "backup",
    "migrate": "migrate",
    "import": "imports.command:load",
    "export": "exports.command",
    "quarantine": "quarantine",
    "flags": "flags",
    "cohorts": "cohorts",
    "actions": "actions",
    "query": "query",
    "insights": "insights",
    "companies": "companies",
    "groups": "groups",
    "delete": "delete",
    "projects": "projects",
    "environments": "environments",
    "keys": "keys",
    "audit": "audit",
    "demo": "demo",
}
"""The module of each command, and the function in it if it has another name."""


class _Commands(click.Group):
    """Imports the command that is typed, and no other: a server needs neither tables nor the client."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, function = _COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), function or name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="burgee")
def main() -> None:
    """Events, feature flags by company, and usage insights for B2B products."""
