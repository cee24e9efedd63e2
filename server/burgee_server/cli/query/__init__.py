"""`burgee query`: insights as tables."""

import click

from burgee_server.cli.query.features import features
from burgee_server.cli.query.funnel import funnels
from burgee_server.cli.query.lifecycle import lifecycle
from burgee_server.cli.query.paths import paths
from burgee_server.cli.query.retention import retention
from burgee_server.cli.query.stickiness import stickiness
from burgee_server.cli.query.trend import trend


@click.group()
def query() -> None:
    """Ask about usage, by user and by company."""


for command in (trend, *funnels, retention, lifecycle, stickiness, paths, features):
    query.add_command(command)
