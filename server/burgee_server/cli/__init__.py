"""The command line: what an operator or a developer types."""

import click

from burgee_server.cli.actions import actions
from burgee_server.cli.cohorts import cohorts
from burgee_server.cli.companies import companies
from burgee_server.cli.delete import delete
from burgee_server.cli.demo import demo
from burgee_server.cli.doctor import doctor
from burgee_server.cli.environments import environments
from burgee_server.cli.exports.command import export
from burgee_server.cli.flags import flags
from burgee_server.cli.health import health
from burgee_server.cli.imports.command import load
from burgee_server.cli.migrate import migrate
from burgee_server.cli.quarantine import quarantine
from burgee_server.cli.query import query
from burgee_server.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="burgee")
def main() -> None:
    """Events, feature flags by company, and usage insights for B2B products."""


for command in (
    serve,
    health,
    doctor,
    migrate,
    load,
    export,
    quarantine,
    flags,
    cohorts,
    actions,
    query,
    companies,
    delete,
    environments,
    demo,
):
    main.add_command(command)
