"""`burgee backup`: a copy of everything that a server keeps, while it runs."""

from datetime import UTC, datetime

import click

import burgee
from burgee.v1.admin_pb2 import CreateBackupRequest
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli.connection import with_client


@click.command()
@click.argument("name", required=False)
@with_client
def backup(client: burgee.Client, name: str | None) -> None:
    """Have a server copy everything that it keeps, as of now, into backups/NAME in its data directory.

    NAME is the time unless it is given. Needs an OPERATOR key. Prints where the copy is: take it elsewhere, and remove
    it there.
    """
    request = CreateBackupRequest(name=name or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    made = client.stub(AdminServiceStub).CreateBackup(request)
    click.echo(f"{made.path} ({made.bytes / 1e6:,.1f} MB)")
